"""Fault 98: a process that is killed at any file it touches, and what the next one finds.

A hundred random moments would miss most of them, so each is tried in turn: the first process dies
at its first step on the disk, the second at its second ..., in the middle of what it was writing.
"""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from tests.pictures import class_folder
from tests.runs.examples import (
    epoch_finished,
    finished,
    make_classifier,
    make_record,
    phase_started,
    published_backbone,
    started,
)
from tlapp.backbones.loading import Backbone
from tlapp.classifier import check_saved
from tlapp.damages import Damages
from tlapp.data.dataset import Dataset, DatasetStore, ImportFinished
from tlapp.data.images import rename_class
from tlapp.errors import TlappError
from tlapp.runs.recorder import RunRecorder
from tlapp.runs.store import RunStore
from tlapp.settings import LOCAL_LIMITS

OWNER = "a" * 64
MOST_STEPS = 300
KILLED, BROKEN = -signal.SIGKILL, 2

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
]


class DyingFile:
    """An open file; a write may be the last thing that its process does."""

    def __init__(self, file: Any, step: Callable[[], bool]) -> None:
        self._file, self._step = file, step

    def write(self, content: bytes) -> int:
        if self._step():
            self._file.write(content[: len(content) // 2])
            self._file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        return int(self._file.write(content))

    def __enter__(self) -> "DyingFile":
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def die_at(last: int) -> None:
    """From now on this process ends at its `last` step on the disk, 1 for the next one."""
    steps = 0

    def step() -> bool:
        nonlocal steps
        steps += 1
        return steps == last

    def guarded(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if step():
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments, **options)

        return call

    open_path = Path.open

    def open_dying(path: Path, *arguments: Any, **options: Any) -> Any:
        file = open_path(path, *arguments, **options)
        mode = options.get("mode", arguments[0] if arguments else "r")
        return DyingFile(file, step) if set(mode) & set("wxa") else file

    for name in ("mkdir", "replace", "rename", "unlink"):
        setattr(Path, name, guarded(getattr(Path, name)))
    os.fsync = guarded(os.fsync)
    Path.open = open_dying  # type: ignore[method-assign]


def imported(store: DatasetStore, folder: Path) -> Dataset:
    events = store.import_folder(folder, name="x", owner=OWNER, should_stop=lambda: False)
    (dataset,) = (event.dataset for event in events if isinstance(event, ImportFinished))
    return dataset


def live(home: Path, source: Path, backbone: Backbone, earlier: Dataset) -> None:
    """Import pictures, rename a class of earlier ones, train."""
    datasets, runs = DatasetStore(home / "datasets", LOCAL_LIMITS), RunStore(home / "runs")
    imported(datasets, source)
    images = rename_class(earlier.images, 0, "other")
    datasets.save(replace(earlier, images=images))
    record = make_record(OWNER)
    recorder = RunRecorder(runs.create(record), record)
    recorder.start()
    for event in (started(), phase_started()):
        recorder.on_event(event)
    for epoch in (1, 2):
        recorder.on_event(epoch_finished(make_classifier(backbone, epoch), epoch))
    recorder.on_event(finished(make_classifier(backbone, 2), 2))
    recorder.end("finished")
    runs.release(record.run_id)
    runs.close()


def faults_of(home: Path, earlier: Dataset) -> list[str]:
    """What the next process finds wrong."""
    damages = Damages()
    datasets = DatasetStore(home / "datasets", LOCAL_LIMITS, damages)
    runs = RunStore(home / "runs", damages)
    datasets.find_damages()
    runs.find_damages()
    wrong = [f"{damage.kind}: {damage.fault}" for damage in damages.found()]
    renamed = replace(earlier, images=rename_class(earlier.images, 0, "other"))
    if datasets.load(earlier.dataset_id) not in (earlier, renamed):
        wrong.append("the earlier data set is another one")
    for dataset in datasets.list(OWNER):
        for image in dataset.images.images:
            datasets.pictures(dataset)(image.image_id).read()
    for record in runs.list(OWNER):
        if not record.is_over:
            wrong.append(f"a run is {record.state}")
        if record.best_epoch is not None:
            check_saved(runs.folder(record.run_id).model_path())
    runs.close()
    return wrong


def tidy(home: Path, earlier: Dataset) -> None:
    """Take away what the last life has brought to its end."""
    datasets, runs = DatasetStore(home / "datasets", LOCAL_LIMITS), RunStore(home / "runs")
    datasets.save(earlier)
    for dataset in datasets.list(OWNER):
        if dataset.dataset_id != earlier.dataset_id:
            datasets.delete(dataset.dataset_id)
    for record in runs.list(OWNER):
        runs.delete(record.run_id)
    runs.close()


def kill_at_every_step(place: Path) -> tuple[int, list[str]]:
    """(steps that a whole life has, what was wrong after which of them)."""
    source = class_folder(place / "set", ("dots", "rings"), per_class=2, width=24, height=24)
    home = place / "home"
    earlier = imported(DatasetStore(home / "datasets", LOCAL_LIMITS), source)
    RunStore(home / "runs").close()
    backbone = published_backbone()
    wrong: list[str] = []
    for last in range(1, MOST_STEPS):
        child = os.fork()
        if child == 0:
            status = BROKEN
            try:
                die_at(last)
                live(home, source, backbone, earlier)
                status = 0
            finally:
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        try:
            wrong += [f"step {last}: {fault}" for fault in faults_of(home, earlier)]
        except (OSError, ValueError, TlappError) as error:
            wrong.append(f"step {last}: {error}")
        if status == BROKEN:
            wrong.append(f"step {last}: it broke")
        if status != KILLED:
            return last, wrong
        tidy(home, earlier)
    return MOST_STEPS, wrong


def test_whatever_file_a_process_is_killed_at_the_next_one_finds_the_old_or_the_whole_other(
    tmp_path: Path,
) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        steps, wrong = pool.submit(kill_at_every_step, tmp_path).result()
    assert not wrong
    assert 30 < steps < MOST_STEPS
