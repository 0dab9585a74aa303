"""How much memory an import of camera pictures takes, and a frozen training on many pictures."""

import multiprocessing
import resource
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import psutil

from tests.benchmarks.rows import Row
from tests.pictures import DQT_MARKER, camera_jpeg, jpeg
from tlapp.workspace import new_visitor, owner_of

CAMERA_PICTURES = 2_000
DISTINCT_CAMERA_PICTURES = 10
FEW_PICTURES, MANY_PICTURES = 2_000, 20_000
FEATURE_BYTES = 1280 * 4  # of one picture, EfficientNet-Lite0 in float32
MEGABYTE = 1_000_000
Result = TypeVar("Result")

if TYPE_CHECKING:  # importing it would be part of what is measured
    from tlapp.training.config import TrainConfig


def measure(folder: Path) -> tuple[Row, ...]:
    """Each part in a process of its own, with everything imported that the server imports."""
    peak = _in_own_process(peak_of_camera_import, folder / "camera")
    first, again = growth_in_training(folder / "small")
    features = (MANY_PICTURES - FEW_PICTURES) * FEATURE_BYTES
    return (
        Row(
            f"peak memory, import of {CAMERA_PICTURES:,} pictures of 12 megapixels",
            peak / MEGABYTE,
            "MB",
            goal="<= 1500",
        ),
        Row(
            f"features of the {MANY_PICTURES - FEW_PICTURES:,} pictures more",
            features / MEGABYTE,
            "MB",
        ),
        Row(
            f"growth from {FEW_PICTURES:,} to {MANY_PICTURES:,} pictures, frozen",
            first / MEGABYTE,
            "MB",
            ratio=first / features,
            goal="<= 1.1",
        ),
        Row(
            "the same with features in the cache",
            again / MEGABYTE,
            "MB",
            ratio=again / features,
            goal="<= 1.1",
        ),
    )


def _in_own_process(function: Callable[[Path], Result], folder: Path) -> Result:
    spawn = multiprocessing.get_context("spawn")  # a forked child would inherit this one's memory
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(function, folder).result()


def peak_of_camera_import(folder: Path) -> int:
    """Bytes of this process at its largest, after the import."""
    import tlapp.ui.shell  # noqa: F401  # what the server holds anyway
    from tlapp.settings import LOCAL_LIMITS, Settings
    from tlapp.workspace import Workspace

    camera_pictures(folder / "pictures")
    workspace = Workspace(Settings(home=folder / "home", is_public=False, limits=LOCAL_LIMITS))
    try:
        for _ in workspace.import_folder(
            owner_of(new_visitor()),
            folder / "pictures",
            name="camera",
            should_stop=lambda: False,
        ):
            pass
    finally:
        workspace.close()
    return _own_peak_bytes()


def camera_pictures(folder: Path) -> None:
    """`CAMERA_PICTURES` different pictures of 12 megapixels in two classes, made cheaply.

    A few are drawn; the others are these with another first entry (the one for the mean of each
    8 x 8 block) and second entry in their quantisation table, which changes every decoded pixel
    and costs nothing.
    """
    originals = [camera_jpeg(seed) for seed in range(DISTINCT_CAMERA_PICTURES)]
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
    for number in range(CAMERA_PICTURES):
        original = originals[number % DISTINCT_CAMERA_PICTURES]
        variant = number // DISTINCT_CAMERA_PICTURES
        table = original.index(DQT_MARKER) + len(DQT_MARKER) + 3  # length and table number between
        changed = bytearray(original)
        changed[table] += variant % 15
        changed[table + 1] += variant // 15
        (folder / "ab"[number % 2] / f"{number}.jpg").write_bytes(changed)


def growth_in_training(folder: Path) -> tuple[int, int]:
    """Bytes by which a training on many grows its process more than one on few: the first time,
    and with features in the cache. What the network, its buffers and the libraries take is in both.

    Each in a process of its own: a second one would find the memory that the first has freed.
    """
    small_pictures(folder / "other", FEW_PICTURES, first_seed=0)
    small_pictures(folder / "few", FEW_PICTURES, first_seed=FEW_PICTURES)
    small_pictures(folder / "many", MANY_PICTURES, first_seed=2 * FEW_PICTURES)
    first, again = (
        {name: _in_own_process(growth_after_another, folder / name) for name in ("few", "many")}
        for _ in range(2)
    )
    return first["many"] - first["few"], again["many"] - again["few"]


def small_pictures(folder: Path, count: int, *, first_seed: int) -> None:
    """`count` different pictures of 48 x 40 pixels in two classes."""
    for class_index, name in enumerate(("a", "b")):
        (folder / name).mkdir(parents=True)
        for number in range(count // 2):
            raw = jpeg(class_index, first_seed + number, width=48, height=40)
            (folder / name / f"{number}.jpg").write_bytes(raw)


def growth_after_another(source: Path) -> int:
    """How far a training grows this process, which has trained on other pictures before: the first
    of all loads libraries as well."""
    import tlapp.ui.shell  # noqa: F401  # what the server holds anyway
    from tlapp.training.config import TrainConfig

    config = TrainConfig(backbone="efficientnet_lite0", epochs=5)
    home = source.with_name("home")
    growth_of(home, source.with_name("other"), config)
    return growth_of(home, source, config)[0]


def growth_of(home: Path, source: Path, config: "TrainConfig") -> tuple[int, int]:
    """The largest resident size while training on `source`, less that before it began; and the
    bytes that the page tells beforehand."""
    from tlapp.settings import LOCAL_LIMITS, Settings
    from tlapp.workspace import Workspace

    workspace = Workspace(Settings(home=home, is_public=False, limits=LOCAL_LIMITS))
    try:
        owner = owner_of(new_visitor())
        for _ in workspace.import_folder(
            owner, source, name=source.name, should_stop=lambda: False
        ):
            pass
        dataset = workspace.datasets(owner)[0]
        expected = workspace.costs(dataset.dataset_id, config).memory_bytes
        before = psutil.Process().memory_info().rss
        with _PeakWatch() as watch:
            run_id = workspace.start_training(owner, dataset.dataset_id, config)
            while not workspace.live(run_id).is_over:
                time.sleep(0.1)
        record = workspace.run(run_id)
        assert record.state == "finished", record.message
    finally:
        workspace.close()
    return watch.peak_bytes - before, expected


class _PeakWatch:
    """Looks at this process's resident size fifty times a second while its block runs."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._process = psutil.Process()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "_PeakWatch":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(0.02):
            self.peak_bytes = max(self.peak_bytes, self._process.memory_info().rss)


def _own_peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB
