"""How much memory an import of camera pictures takes, and a frozen training on many pictures."""

import ctypes
import multiprocessing
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from unittest.mock import patch

import psutil

from tests.benchmarks.rows import Row
from tests.pictures import DQT_MARKER, camera_jpeg, jpeg
from tlapp.workspace import new_visitor, owner_of

CAMERA_PICTURES = 2_000
DISTINCT_CAMERA_PICTURES = 10
FEW_PICTURES, MANY_PICTURES = 2_000, 20_000
FEATURE_BYTES = 1280 * 4  # of one picture, EfficientNet-Lite0 in float32
MORE_PICTURES = MANY_PICTURES - FEW_PICTURES
MORE_BYTES = MORE_PICTURES * FEATURE_BYTES
MEGABYTE = 1_000_000
LOOK_SECONDS = 0.02
Result = TypeVar("Result")

if TYPE_CHECKING:  # importing it would be part of what is measured
    from tlapp.training.config import TrainConfig


@dataclass(frozen=True)
class Growth:
    """Bytes of a training, beyond those before it."""

    in_use: float  # 5th percentile of what is allocated: what stays between batches
    peak: int  # resident, with what the allocator keeps free: differs by 60 MB from run to run
    expected_peak: int  # what the page tells beforehand


def measure(folder: Path) -> tuple[Row, ...]:
    """Each part in a process of its own, with everything imported that the server imports."""
    peak = _in_own_process(peak_of_camera_import, folder / "camera")
    first, again = trainings_on_few_and_many(folder / "small")
    return (
        Row(
            f"peak memory, import of {CAMERA_PICTURES:,} pictures of 12 megapixels",
            peak / MEGABYTE,
            "MB",
            goal="<= 1500",
        ),
        Row(f"features of the {MORE_PICTURES:,} pictures more", MORE_BYTES / MEGABYTE, "MB"),
        *_growth_rows(f"from {FEW_PICTURES:,} to {MANY_PICTURES:,} pictures, frozen", first),
        *_growth_rows("with features in the cache", again),
    )


def _growth_rows(what: str, of: dict[str, Growth]) -> tuple[Row, Row]:
    """How much more a training on many pictures takes, beside the bytes of their features."""
    in_use = of["many"].in_use - of["few"].in_use
    peak = of["many"].peak - of["few"].peak
    return (
        Row(f"growth {what}: in use", in_use / MEGABYTE, "MB", in_use / MORE_BYTES, goal="<= 1.1"),
        Row(f"growth {what}: resident peak", peak / MEGABYTE, "MB", peak / MORE_BYTES),
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
        for _ in workspace.library.import_folder(
            owner_of(new_visitor()), folder / "pictures", name="camera", should_stop=lambda: False
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


def trainings_on_few_and_many(folder: Path) -> tuple[dict[str, Growth], dict[str, Growth]]:
    """Growth by a training on few pictures and on many: the first time, and with features in the
    cache. What the network, its buffers and the libraries take is in both.

    Each in a process of its own: a second one would find the memory that the first has freed.
    """
    small_pictures(folder / "other", FEW_PICTURES, first_seed=0)
    small_pictures(folder / "few", FEW_PICTURES, first_seed=FEW_PICTURES)
    small_pictures(folder / "many", MANY_PICTURES, first_seed=2 * FEW_PICTURES)
    first, again = (
        {name: growth_after_another_apart(folder / name) for name in ("few", "many")}
        for _ in range(2)
    )
    return first, again


def growth_after_another_apart(source: Path) -> Growth:
    """`growth_after_another` in a process where Python's objects are counted with all others."""
    with patch.dict(os.environ, PYTHONMALLOC="malloc"):
        return _in_own_process(growth_after_another, source)


def small_pictures(folder: Path, count: int, *, first_seed: int) -> None:
    """`count` different pictures of 48 x 40 pixels in two classes."""
    for class_index, name in enumerate(("a", "b")):
        (folder / name).mkdir(parents=True)
        for number in range(count // 2):
            raw = jpeg(class_index, first_seed + number, width=48, height=40)
            (folder / name / f"{number}.jpg").write_bytes(raw)


def growth_after_another(source: Path) -> Growth:
    """How far a training grows this process, which has trained on other pictures before: the first
    of all loads libraries as well."""
    import tlapp.ui.shell  # noqa: F401  # what the server holds anyway
    from tlapp.training.config import TrainConfig

    config = TrainConfig(backbone="efficientnet_lite0", epochs=5)
    home = source.with_name("home")
    growth_of(home, source.with_name("other"), config)
    return growth_of(home, source, config)


def growth_of(home: Path, source: Path, config: "TrainConfig") -> Growth:
    """How far a training on `source` grows this process, beyond what it was before it began."""
    from tlapp.jobs.memory import give_back_memory
    from tlapp.settings import LOCAL_LIMITS, Settings
    from tlapp.workspace import Workspace

    workspace = Workspace(Settings(home=home, is_public=False, limits=LOCAL_LIMITS))
    resident = psutil.Process().memory_info
    try:
        owner = owner_of(new_visitor())
        for _ in workspace.library.import_folder(
            owner, source, name=source.name, should_stop=lambda: False
        ):
            pass
        dataset = workspace.of(owner).datasets()[0]
        expected = workspace.models.costs(dataset, config).memory_bytes
        give_back_memory()  # as the queue does after each job: an import is one
        before, in_use_before = resident().rss, _bytes_in_use()
        peak = before
        in_use = []
        run_id = workspace.trainings.start(owner, dataset, config)
        while not (live := workspace.live(run_id)).is_over:
            peak = max(peak, resident().rss)
            if live.phase != "waiting":
                in_use.append(_bytes_in_use())
            time.sleep(LOOK_SECONDS)
        record = workspace.run(run_id)
        assert record.state == "finished", record.message
    finally:
        workspace.close()
    least = statistics.quantiles(in_use, n=20)[0]
    return Growth(least - in_use_before, peak - before, expected)


def _bytes_in_use() -> int:
    """What malloc has handed out and not got back; elsewhere than on glibc: the resident bytes."""
    mallinfo2 = getattr(ctypes.CDLL(None), "mallinfo2", None) if sys.platform == "linux" else None
    if mallinfo2 is None:
        return int(psutil.Process().memory_info().rss)
    mallinfo2.restype = _MallocInfo
    info = mallinfo2()
    return int(info.uordblks + info.hblkhd)


class _MallocInfo(ctypes.Structure):
    """`struct mallinfo2` of glibc's malloc.h: `uordblks` in use in arenas, `hblkhd` mapped."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def _own_peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB
