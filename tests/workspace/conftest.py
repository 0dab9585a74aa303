"""A workspace with a small data set, and trainings that go step by step."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.pictures import class_folder
from tests.runs.examples import epoch_finished, finished, make_classifier, phase_started, started
from tlapp.data.dataset import Dataset, ImportFinished
from tlapp.settings import Settings
from tlapp.training.events import TrainingEvent, TrainingStopped
from tlapp.training.task import TrainJob
from tlapp.workspace import Workspace, new_visitor, owner_of


@pytest.fixture
def workspace(settings: Settings) -> Iterator[Workspace]:
    workspace = Workspace(settings)
    yield workspace
    workspace.close()


@pytest.fixture
def owner(workspace: Workspace) -> str:
    return owner_of(new_visitor())


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes with six small pictures each."""
    return class_folder(tmp_path_factory.mktemp("small"), ("dots", "stripes"), per_class=6)


def bring(workspace: Workspace, owner: str, folder: Path, name: str = "Small") -> Dataset:
    """The folder as a data set of this owner."""
    for event in workspace.library.import_folder(
        owner, folder, name=name, should_stop=lambda: False
    ):
        if isinstance(event, ImportFinished):
            return event.dataset
    raise AssertionError("The import did not finish.")


@pytest.fixture
def dataset(workspace: Workspace, owner: str, small_folder: Path) -> Dataset:
    return bring(workspace, owner, small_folder)


class StepTraining:
    """Stands in for `train`: an epoch whenever `step` is called, an end with `finish`."""

    def __init__(self) -> None:
        self._steps = threading.Semaphore(0)
        self._is_ending = threading.Event()
        self.error: BaseException | None = None

    def step(self, epochs: int = 1) -> None:
        """Let so many epochs pass."""
        self._steps.release(epochs)

    def finish(self) -> None:
        """Let the training come to its end."""
        self._is_ending.set()

    def go_on(self) -> None:
        """Let the next training wait for its steps again."""
        self._is_ending.clear()

    def __call__(
        self,
        job: TrainJob,
        *,
        cache: object,
        should_stop: Callable[[], bool],
    ) -> Iterator[TrainingEvent]:
        yield started()
        yield phase_started()
        epoch = 0
        last: Any = None
        while not self._is_ending.is_set():
            if should_stop():
                yield TrainingStopped(None if last is None else finished(last, epoch).result)
                return
            if self.error is not None:
                raise self.error
            if self._steps.acquire(timeout=0.005):
                epoch += 1
                last = make_classifier(job.backbone, epoch)
                yield epoch_finished(last, epoch)
        yield finished(last, epoch)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> StepTraining:
    """Trainings of this test go step by step."""
    training = StepTraining()
    monkeypatch.setattr("tlapp.workspace.trainings.train", training)
    return training


def wait_until(workspace: Workspace, run_id: str, holds: Callable[[Any], bool]) -> Any:
    """The first snapshot of the run for which `holds` is true; woken by the run's changes."""
    news = threading.Event()
    unsubscribe = workspace.trainings.listen(run_id, news.set)
    try:
        while True:
            news.clear()
            live = workspace.live(run_id)
            if holds(live):
                return live
            assert not live.is_over, f"The run ended as {live.state}: {live.record.message}"
            assert news.wait(PATIENCE_SECONDS), f"Nothing happened; the run is {live}."
    finally:
        unsubscribe()
