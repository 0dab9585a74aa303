"""Where tlapp keeps its files, and the limits it works within.

Read once, in ``app.py`` or the command line, with ``read_settings``; passed down from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1_000_000
GIGABYTE = 1_000_000_000
MINUTE = 60
HOUR = 60 * MINUTE


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one visitor may ask of this machine. Enforced on counted, never on declared values."""

    image_bytes: int  # one picture file
    image_pixels: int  # width x height of one picture that must be decoded whole
    jpeg_pixels: int  # the same for JPEG, which is decoded at a reduced scale
    archive_bytes: int  # one zip as uploaded
    archive_unpacked_bytes: int  # the same, unpacked
    archive_entries: int  # files and folders in one zip
    images: int  # pictures in one data set
    classes: int  # classes in one data set
    datasets: int  # data sets kept for one visitor; the oldest unused one makes room
    datasets_of_address: int  # the same for all visitors who come from one address
    runs: int  # runs kept for one visitor; the oldest one makes room
    try_images: int  # test pictures at once
    disk_bytes: int  # everything tlapp keeps on disk, for all visitors
    cache_bytes: int  # the feature cache within it
    waiting_jobs: int  # jobs in the queue, over all visitors
    waiting_jobs_of_address: int  # of them, jobs of visitors who come from one address
    epochs: int  # epochs in one training
    training_seconds: float  # wall time of one training; the best epoch so far is kept
    download_seconds: float  # wall time of one download; half a gigabyte at 300 kB/s takes 30 min
    idle_seconds: float | None  # a visitor's data is removed after this; None: never


LOCAL_LIMITS = Limits(
    image_bytes=100 * MEGABYTE,
    image_pixels=50_000_000,
    jpeg_pixels=120_000_000,
    archive_bytes=8 * GIGABYTE,
    archive_unpacked_bytes=16 * GIGABYTE,
    archive_entries=200_000,
    images=100_000,
    classes=1_000,
    datasets=50,
    datasets_of_address=1_000,
    runs=500,
    try_images=100,
    disk_bytes=50 * GIGABYTE,
    cache_bytes=4 * GIGABYTE,
    waiting_jobs=20,
    waiting_jobs_of_address=20,
    epochs=1_000,
    training_seconds=6 * HOUR,
    download_seconds=6 * HOUR,
    idle_seconds=None,
)

PUBLIC_LIMITS = Limits(
    image_bytes=30 * MEGABYTE,
    image_pixels=50_000_000,
    jpeg_pixels=120_000_000,
    archive_bytes=300 * MEGABYTE,
    archive_unpacked_bytes=1 * GIGABYTE,
    archive_entries=20_000,
    images=5_000,
    classes=40,
    datasets=3,
    datasets_of_address=200,  # two classes of thirty, one after the other
    runs=20,
    try_images=20,
    disk_bytes=20 * GIGABYTE,
    cache_bytes=2 * GIGABYTE,
    waiting_jobs=60,
    waiting_jobs_of_address=40,  # a class of thirty, and places for others beside it
    epochs=200,
    training_seconds=10 * MINUTE,
    download_seconds=30 * MINUTE,
    idle_seconds=2 * HOUR,
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One server's or one command's settings."""

    home: Path  # the folder that holds data sets, features, weights and runs
    is_public: bool  # strangers may visit: tight limits, no local paths
    limits: Limits
    is_space: bool = False  # on Hugging Face Spaces, behind their proxy
    hosts: tuple[str, ...] = ()  # names under which the page is shown, beside this machine's own


def read_settings(
    environ: Mapping[str, str], *, public: bool = False, hosts: Sequence[str] = ()
) -> Settings:
    """The settings for this process.

    ``TLAPP_HOME`` names the home folder (default ``~/.tlapp``); ``SPACE_ID`` (set by Hugging Face
    Spaces) or ``public`` choose the public limits; ``hosts`` and ``SPACE_HOST`` (set there too) are
    names under which the page is shown. Nothing is created.
    """
    home = Path(environ.get("TLAPP_HOME") or Path.home() / ".tlapp").expanduser().resolve()
    is_space = bool(environ.get("SPACE_ID"))
    is_public = public or is_space
    return Settings(
        home=home,
        is_public=is_public,
        limits=PUBLIC_LIMITS if is_public else LOCAL_LIMITS,
        is_space=is_space,
        hosts=(*hosts, *(name for name in environ.get("SPACE_HOST", "").split(",") if name)),
    )
