"""The one door to everything that is kept: page, API and command line all come through here.

Services take and give values (data sets, runs), which carry their owner. An id that a visitor sent
becomes a value in `Workspace.of(owner)` alone: there is checked whose it is. API and command line
ask by id alone: whoever knows it may use it (ids have more than 128 random bits). Every method may
be called from any thread.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.speed import SpeedBook
from tlapp.backbones.weights import WeightsStore
from tlapp.damages import Damage, Damages
from tlapp.data.dataset import Dataset, DatasetStore
from tlapp.errors import NotFoundError, TlappError
from tlapp.jobs.queue import JobQueue
from tlapp.messages import message
from tlapp.runs.live import LiveRun
from tlapp.runs.record import RunRecord
from tlapp.runs.store import RunStore, unknown_run
from tlapp.settings import Settings
from tlapp.workspace.cleanup import OTHER_FOLDERS, Janitor, VisitorData, open_home
from tlapp.workspace.estimates import Estimates
from tlapp.workspace.experiments import Experiments
from tlapp.workspace.library import Library
from tlapp.workspace.models import Models
from tlapp.workspace.trainings import Trainings
from tlapp.workspace.visitors import Changes, Visitors

CLOSE_SECONDS = 8.0  # hosts kill 10 seconds after they have asked to end


class Workspace:
    """Data sets, runs, backbones and jobs under one home folder."""

    def __init__(self, settings: Settings, *, datasets_folder: Path | None = None) -> None:
        """Opens the stores under `settings.home`, which is created; starts no thread.

        `datasets_folder` puts the data sets elsewhere (the command line's pass by).
        """
        self.settings = settings
        home, limits = settings.home, settings.limits
        open_home(home)
        damages = Damages()
        weights = WeightsStore(home / "weights", damages=damages)
        speeds = SpeedBook(home / "speeds.json", damages)
        cache = FeatureCache(home / "features", limits.cache_bytes, damages)
        store = DatasetStore(datasets_folder or home / "datasets", limits, damages)
        runs = RunStore(home / "runs", damages)
        self.changes = Changes()
        self.visitors = Visitors(
            home,
            limits,
            self.changes,
            has_room=lambda: self.library.has_room(),  # noqa: PLW0108  # the library comes after it
            damages=damages,
        )
        queue = JobQueue(limits, name="trainings", address_of=self.visitors.address_of)
        self.library = Library(store, settings, self.visitors, self.changes, is_used=queue.uses)
        estimates = Estimates(weights, speeds, cache)
        self.models = Models(weights, estimates, store, limits, is_idle=queue.is_idle)
        self.trainings = Trainings(runs, store, self.models, cache, queue, self.changes, limits)
        self.experiments = Experiments(self.trainings, self.models, queue, self.changes)
        data = VisitorData(self.visitors, self.library, self.trainings, self.experiments)
        self.janitor = Janitor(home, data, limits.idle_seconds)
        checked = (runs, store, cache, weights, speeds)
        looks = (*(each.find_damages for each in checked), *self.visitors.looks)
        self.damages = HomeCheck(home, damages, looks)
        self._is_idle = queue.is_idle

    def of(self, owner: str) -> "Owned":
        """What this owner has, who is here: the idle time before it is removed starts again."""
        self.janitor.touch(owner)
        return Owned(owner, self.library, self.trainings)

    def dataset(self, dataset_id: str) -> Dataset:
        """The data set with this id, for whoever knows it. Raises NotFoundError, DataError."""
        dataset = self.library.dataset(dataset_id)
        self.janitor.touch(dataset.owner)
        return dataset

    def run(self, run_id: str) -> RunRecord:
        """The record of a run, epochs so far included, for whoever knows its id. Raises
        NotFoundError, RunError."""
        record = self.trainings.record(run_id)
        self.janitor.touch(record.owner)
        return record

    def live(self, run_id: str) -> LiveRun:
        """The run at this moment, for whoever knows its id. Raises NotFoundError, RunError."""
        live = self.trainings.live(run_id)
        self.janitor.touch(live.record.owner)
        return live

    def start_background(self) -> None:
        """For servers: look for damage, start the janitor, and measure the ready backbones while
        nobody trains."""

        def look_and_measure(pause: Callable[[float], bool]) -> None:
            self.damages.look()
            self.models.estimates.measure_all(self._is_idle, pause)

        self.janitor.start(look_and_measure)

    def close(self, timeout_seconds: float = CLOSE_SECONDS) -> None:
        """Stop the running job (its best epoch is kept) and every thread, in so much time at most.

        A job that takes longer is left as a power cut would leave it: its newest saved epoch stays.
        """
        deadline = time.monotonic() + timeout_seconds
        self.janitor.ask_to_end()
        self.trainings.close(timeout_seconds)
        self.models.downloads.close(max(0.0, deadline - time.monotonic()))
        self.janitor.stop(max(0.0, deadline - time.monotonic()))


@dataclass(frozen=True)
class Owned:
    """What one owner has, and nothing of anybody else: somebody else's id is an unknown one."""

    owner: str
    _library: Library
    _trainings: Trainings

    def dataset(self, dataset_id: str) -> Dataset:
        """The owner's data set with this id. Raises NotFoundError, DataError (damaged)."""
        dataset = self._library.dataset(dataset_id)
        if dataset.owner != self.owner:
            raise NotFoundError(
                message("There is no such data set."), hint=message("Import the pictures again.")
            )
        return dataset

    def datasets(self) -> tuple[Dataset, ...]:
        """The owner's data sets, newest first."""
        return self._library.datasets(self.owner)

    def run(self, run_id: str) -> RunRecord:
        """The record of the owner's run with this id, epochs so far included. Raises NotFoundError,
        RunError (damaged)."""
        record = self._trainings.record(run_id)
        if record.owner != self.owner:
            raise unknown_run()
        return record

    def runs(self) -> tuple[RunRecord, ...]:
        """The owner's runs, newest first."""
        return self._trainings.records(self.owner)

    def live(self, run_id: str) -> LiveRun:
        """The owner's run with this id at this moment; also one of an earlier process. Raises
        NotFoundError, RunError (damaged)."""
        live = self._trainings.live(run_id)
        if live.record.owner != self.owner:
            raise unknown_run()
        return live


class HomeCheck:
    """What is damaged in the home folder, as far as it was met. Safe for several threads."""

    def __init__(self, home: Path, damages: Damages, looks: Sequence[Callable[[], object]]) -> None:
        """Each of `looks` goes through the files of one store and tells `damages`."""
        self._home = home
        self._damages = damages
        self._looks = looks

    def found(self) -> tuple[Damage, ...]:
        """What was met since the start, in that order. Quick."""
        return self._damages.found()

    def look(self) -> tuple[Damage, ...]:
        """What is found after a look at everything but the content of pictures, features and
        weights, which is checked whenever it is read."""
        for name in OTHER_FOLDERS:
            folder = self._home / name
            if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
                fault = message("something else stands in its place")
                self._damages.note(Damage(kind="folder", item=name, fault=fault))
        for look in self._looks:
            with suppress(TlappError, OSError):  # a store that cannot be read hides no other
                look()
        return self.found()
