"""The one door to everything that is kept: page, API and command line all come through here.

Page calls give `owner` and see only what is theirs. API calls leave it out: whoever knows the id
may use it (ids have more than 128 random bits). Every method may be called from any thread.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.catalog import DEFAULT_BACKBONE
from tlapp.backbones.loading import Backbone
from tlapp.backbones.speed import SpeedBook
from tlapp.backbones.weights import WeightsStore
from tlapp.classifier import Classifier
from tlapp.damages import Damages
from tlapp.data.checks import check_images
from tlapp.data.dataset import Dataset, DatasetStore, ImportEvent
from tlapp.data.images import Finding
from tlapp.data.splits import Split
from tlapp.errors import NotFoundError, RunError
from tlapp.jobs.queue import JobQueue
from tlapp.runs.curves import CurvesKind, curves
from tlapp.runs.record import RunRecord
from tlapp.runs.store import RunStore, unknown_run
from tlapp.settings import Settings
from tlapp.stopping import ShouldStop
from tlapp.training.config import TrainConfig
from tlapp.training.counts import ParameterCounts, count_parameters
from tlapp.training.presets import phases_of
from tlapp.workspace import visitors
from tlapp.workspace.datasets import Datasets
from tlapp.workspace.downloads import Downloads
from tlapp.workspace.earlier import check_same_pictures, of_run
from tlapp.workspace.estimates import Costs, Estimates
from tlapp.workspace.experiments import Experiments
from tlapp.workspace.home import HomeCheck, open_home
from tlapp.workspace.household import Household
from tlapp.workspace.imports import Imports
from tlapp.workspace.janitor import Janitor
from tlapp.workspace.lab import Lab
from tlapp.workspace.live import LiveRun
from tlapp.workspace.origins import Origins
from tlapp.workspace.planner import Planner, split_of
from tlapp.workspace.shelf import BackboneShelf, CardView
from tlapp.workspace.timing import Timing
from tlapp.workspace.trainings import Trainings
from tlapp.workspace.tried import TriedBook
from tlapp.workspace.trying import RawPicture, Tried, TryDesk, TryResult
from tlapp.workspace.visitors import VisitorBook, VisitorState

Unsubscribe = Callable[[], None]
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
        self._weights = WeightsStore(home / "weights", damages=damages)
        speeds = SpeedBook(home / "speeds.json", damages)
        self._shelf = BackboneShelf(self._weights, speeds)
        self._store = DatasetStore(datasets_folder or home / "datasets", limits, damages)
        self.origins = Origins()
        self._datasets = Datasets(self._store, home, limits, self.origins.address_of)
        cache = FeatureCache(home / "features", limits.cache_bytes, damages)
        runs = RunStore(home / "runs", damages)
        queue = JobQueue(limits, name="trainings", address_of=self.origins.address_of)
        self._trainings = Trainings(runs, self._shelf, self._weights, cache, queue, limits)
        self._planner = Planner(self._store, Estimates(self._shelf, self._weights, cache))
        experiments = Experiments(queue)
        self.lab = Lab(self._planner, self._trainings, self._shelf, experiments)
        self.timing = Timing(
            self._planner, self._shelf, self._weights, is_idle=self._trainings.is_idle
        )
        self.downloads = Downloads(self._weights, limits)
        self.visitors = VisitorBook(home / "visitors", damages)
        self.tried = TriedBook(home / "tried", self._datasets.has_room, damages=damages)
        self._imports = Imports(
            settings, self._store, self._datasets, self.visitors, self._trainings
        )
        household = Household(
            self.visitors, self.tried, self._datasets, self._trainings, experiments
        )
        self.janitor = Janitor(home, household, limits.idle_seconds)
        self._desk = TryDesk(limits)
        checked = (runs, self._store, self.visitors, self.tried, cache, self._weights, speeds)
        self.damages = HomeCheck(home, damages, [each.find_damages for each in checked])

    def visitor_state(self, owner: str) -> VisitorState:
        """What the page showed to this visitor last. Ids of things that are gone come as None."""
        self.touch(owner)
        state = self.visitors.load(owner)
        return visitors.only_what_is_there(
            state, partial(self.dataset, owner=owner), partial(self.run, owner=owner)
        )

    def change_visitor_state(
        self, owner: str, change: Callable[[VisitorState], VisitorState]
    ) -> VisitorState:
        """Keep `change` of what the page shows to this visitor; see `VisitorBook.change`."""
        self.touch(owner)
        return self.visitors.change(owner, change)

    def touch(self, owner: str) -> None:
        """This visitor is here: the idle time before their data is removed starts again."""
        self.janitor.touch(owner)

    def import_archive(
        self, owner: str, path: Path, *, name: str, should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        """Import a zip. Raises DataError; nothing is then left of it."""
        self.touch(owner)
        return self._imports.archive(owner, path, name=name, should_stop=should_stop)

    def import_folder(
        self, owner: str, path: Path, *, name: str, should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        """Import a folder of this machine. Raises DataError, also where strangers may visit."""
        self.touch(owner)
        return self._imports.folder(owner, path, name=name, should_stop=should_stop)

    def import_samples(self, owner: str, *, should_stop: ShouldStop) -> Iterator[ImportEvent]:
        """Import the sample pictures that come with tlapp."""
        self.touch(owner)
        return self._imports.samples(owner, should_stop=should_stop)

    def dataset(self, dataset_id: str, *, owner: str | None = None) -> Dataset:
        """A data set. Raises NotFoundError when it is unknown, or not `owner`'s."""
        dataset = self._datasets.load(dataset_id)
        if owner is not None and dataset.owner != owner:
            raise NotFoundError("There is no such data set.", hint="Import the pictures again.")
        self.touch(dataset.owner)
        return dataset

    def datasets(self, owner: str) -> tuple[Dataset, ...]:
        """The visitor's data sets, newest first."""
        return self._datasets.list(owner)

    def save_dataset(self, dataset: Dataset, *, owner: str | None = None) -> None:
        """Keep a changed data set (renamed, merged, split otherwise) in place of the earlier."""
        self.dataset(dataset.dataset_id, owner=owner)
        self._datasets.save(dataset)

    def delete_dataset(self, dataset_id: str, *, owner: str | None = None) -> None:
        """Remove a data set. Raises RunError while a training uses it."""
        self.dataset(dataset_id, owner=owner)
        if self._trainings.uses(dataset_id):
            raise RunError(
                "Something under way is using these pictures.",
                hint="Stop it or wait for its end, then remove them.",
            )
        self._datasets.delete(dataset_id)

    def split(self, dataset: Dataset) -> Split:
        """Which pictures are learned from and which are held out, as training will do it."""
        return split_of(dataset)

    def findings(self, dataset: Dataset) -> tuple[Finding, ...]:
        """What deserves attention before training."""
        return (*dataset.findings, *check_images(dataset.images, self.split(dataset)))

    def thumbnail(self, dataset_id: str, image_id: str, side_pixels: int = 96) -> bytes:
        """A small JPEG of one picture."""
        return self._store.thumbnail(dataset_id, image_id, side_pixels)

    def cards(self) -> tuple[CardView, ...]:
        """Every backbone: its card, whether it is ready offline, and its speed here. Quick."""
        return self._shelf.views()

    def sketch(self, backbone_name: str) -> Backbone:
        """A backbone's shapes and stages, for counting and drawing; needs no weights."""
        return self._shelf.sketch(backbone_name)

    def counts(self, dataset_id: str, config: TrainConfig) -> ParameterCounts:
        """How many parameters would learn, how many stay, and the layer that is replaced."""
        class_count = len(self.dataset(dataset_id).images.class_names)
        return count_parameters(self.sketch(config.backbone), class_count, config)

    def costs(self, dataset_id: str, config: TrainConfig) -> Costs:
        """What this training will take on this machine: time and memory."""
        return self._planner.costs(self.dataset(dataset_id), phases_of(config))

    def start_training(
        self, owner: str, dataset_id: str, *phases: TrainConfig, name: str = ""
    ) -> str:
        """Put a training of one phase or more in the queue and return its run id.

        Settings with `head_epochs` are two phases. The data set is taken as it is now; weights that
        are not here yet are downloaded first. Raises NotFoundError (data set), DataError (cannot
        be trained on), TrainingError (settings over the limits), JobError (queue full, or this
        owner has a training that waits or runs), ServerError (the disk refuses). What can be told
        from the settings is refused before anything is computed.
        """
        expanded = tuple(phase for config in phases for phase in phases_of(config))
        self._trainings.check_start(owner, expanded)
        plan = self._planner.plan(self.dataset(dataset_id), expanded, name=name)
        return self._trainings.start(owner, plan)[0]

    def take_up(
        self,
        run_id: str,
        phase: TrainConfig | None = None,
        *,
        owner: str | None = None,
        name: str = "",
    ) -> str:
        """A run that goes on from the end of an earlier one, called `name` or like that one, with a
        number; returns its run id.

        With `phase` it fine-tunes the earlier run's best epoch, on that run's backbone; without, it
        goes on where that run was stopped, as if it never had been. Raises what `start_training`
        raises, and RunError when the run cannot be taken up or the pictures have changed since.
        """
        record = self.run(run_id, owner=owner)
        last = None if phase is None else of_run(record, phases_of(phase)[-1])
        phases = self._trainings.next_phases(run_id, last)
        self._trainings.check_start(record.owner, phases, record)
        dataset = self.dataset(record.dataset_id)
        check_same_pictures(record, dataset)
        plan = self._planner.plan(dataset, phases, name=name or record.name)
        return self._trainings.start(record.owner, replace(plan, continues=record))[0]

    def stop(self, run_id: str, *, owner: str | None = None) -> None:
        """Ask a run to stop within a batch; its best epoch so far is kept. Harmless afterwards."""
        self.run(run_id, owner=owner)
        self._trainings.stop(run_id)

    def run(self, run_id: str, *, owner: str | None = None) -> RunRecord:
        """The record, epochs so far included. Raises NotFoundError."""
        record = self._trainings.record(run_id)
        if owner is not None and record.owner != owner:
            raise unknown_run()
        self.touch(record.owner)
        return record

    def runs(self, owner: str) -> tuple[RunRecord, ...]:
        """The visitor's runs, newest first."""
        return self._trainings.list(owner)

    def change_run(
        self,
        run_id: str,
        *,
        name: str | None = None,
        pinned: bool | None = None,
        owner: str | None = None,
    ) -> None:
        """Rename a run, or keep it when older ones make room. Raises RunError while it is busy."""
        self.run(run_id, owner=owner)
        self._trainings.change(run_id, name=name, pinned=pinned)

    def delete_run(self, run_id: str, *, owner: str | None = None) -> None:
        """Remove a run and its model. Raises RunError while it waits or runs."""
        self.run(run_id, owner=owner)
        self._trainings.delete(run_id)

    def live(self, run_id: str, *, owner: str | None = None) -> LiveRun:
        """The run at this moment; also for runs of earlier processes. Raises NotFoundError."""
        live = self._trainings.live(run_id)
        if owner is not None and live.record.owner != owner:
            raise unknown_run()
        self.touch(live.record.owner)
        return live

    def listen(self, run_id: str, callback: Callable[[], object]) -> Unsubscribe:
        """Call `callback` (from the worker's thread; it must be quick) at every change of `live`.

        Subscribe first and read `live` after it: then no change is missed. For a run that is over
        it is never called.
        """
        return self._trainings.listen(run_id, callback)

    def wait(self, run_id: str, timeout_seconds: float | None) -> bool:
        """Wait until a run is over; False when the time ran out first."""
        return self._trainings.wait(run_id, timeout_seconds)

    def run_folder(self, run_id: str) -> Path:
        """Where the run is on disk (`RunFolder` reads it). Raises NotFoundError."""
        return self._trainings.folder(run_id)

    def classifier(self, run_id: str) -> Classifier:
        """The newest epoch's classifier while running, the best one afterwards. RunError: none."""
        return self._trainings.classifier(run_id)

    def curves(self, run_id: str, kind: CurvesKind) -> bytes:
        """The run's curves as a file's content. Raises RunError when there is no epoch yet."""
        return curves(self.run(run_id), kind)

    def prepare(self, raw: Sequence[RawPicture]) -> Tried:
        """Decode test pictures; an unreadable one carries its reason. DataError: too many."""
        return self._desk.prepare(raw)

    def answers(
        self, tried: Tried, run_id: str | None, *, backbone_name: str = DEFAULT_BACKBONE
    ) -> tuple[TryResult, ...]:
        """What a run's newest classifier says; with None, what the ImageNet head says.

        The backbone runs once for the same pictures: asking again after the next epoch of a
        frozen run costs milliseconds. Raises NotFoundError, RunError (no epoch yet), BackboneError.
        """
        if run_id is None:
            return self._desk.imagenet_answers(tried, self._shelf.get(backbone_name))
        return self._desk.answers(tried, self.classifier(run_id))

    def has_room(self, coming_bytes: int = 0) -> bool:
        """Whether more may be taken in, beside so many bytes that are coming already."""
        return self._datasets.has_room(coming_bytes)

    def start_background(self) -> None:
        """For servers: look for damage, start the janitor, and measure the ready backbones while
        nobody trains."""

        def look_and_measure(pause: Callable[[float], bool]) -> None:
            self.damages.look()
            self._shelf.measure_all(self._trainings.is_idle, pause)

        self.janitor.start(look_and_measure)

    def close(self, timeout_seconds: float = CLOSE_SECONDS) -> None:
        """Stop the running job (its best epoch is kept) and every thread, in so much time at most.

        A job that takes longer is left as a power cut would leave it: its newest saved epoch stays.
        """
        deadline = time.monotonic() + timeout_seconds
        self.janitor.ask_to_end()
        self._trainings.close(timeout_seconds)
        self.downloads.close(max(0.0, deadline - time.monotonic()))
        self.janitor.stop(max(0.0, deadline - time.monotonic()))
