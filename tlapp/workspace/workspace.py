"""The one door to everything that is kept: page, API and command line all come through here.

Page calls give `owner` and see only what is theirs. API calls leave it out: whoever knows the id
may use it (ids have more than 128 random bits). Every method may be called from any thread.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.catalog import DEFAULT_BACKBONE
from tlapp.backbones.loading import Backbone
from tlapp.backbones.speed import SpeedBook
from tlapp.backbones.weights import WeightsStore
from tlapp.classifier import Classifier
from tlapp.data.checks import check_images
from tlapp.data.dataset import Dataset, DatasetStore, ImportEvent, ImportFinished
from tlapp.data.images import Finding
from tlapp.data.samples import sample_folder
from tlapp.data.splits import Split, split_images
from tlapp.errors import DataError, NotFoundError, RunError
from tlapp.runs.curves import CurvesKind, curves
from tlapp.runs.files import write_atomically
from tlapp.runs.record import RunRecord
from tlapp.runs.store import RunStore, unknown_run
from tlapp.settings import Settings
from tlapp.training.config import TrainConfig
from tlapp.training.counts import ParameterCounts, count_parameters
from tlapp.workspace.datasets import Datasets
from tlapp.workspace.downloads import Downloads, DownloadState
from tlapp.workspace.household import Household
from tlapp.workspace.janitor import Janitor
from tlapp.workspace.live import LiveRun
from tlapp.workspace.plan import TrainingPlan
from tlapp.workspace.shelf import BackboneShelf, CardView
from tlapp.workspace.trainings import Trainings
from tlapp.workspace.trying import RawPicture, Tried, TryResult, prepare_pictures
from tlapp.workspace.visitors import VisitorBook, VisitorState, new_visitor, owner_of

ShouldStop = Callable[[], bool]
Unsubscribe = Callable[[], None]

TRIES_AT_ONCE = 2  # decoding and answering; more would only take turns on two cores


class Workspace:
    """Data sets, runs, backbones and jobs under one home folder."""

    def __init__(self, settings: Settings, *, datasets_folder: Path | None = None) -> None:
        """Opens the stores under `settings.home`, which is created; starts no thread.

        `datasets_folder` puts the data sets elsewhere (the command line's pass by).
        """
        self.settings = settings
        home, limits = settings.home, settings.limits
        home.mkdir(parents=True, exist_ok=True)
        self._weights = WeightsStore(home / "weights")
        self._speeds = SpeedBook(home / "speeds.json")
        self._shelf = BackboneShelf(self._weights, self._speeds)
        self._store = DatasetStore(datasets_folder or home / "datasets", limits)
        self._datasets = Datasets(self._store, home, limits)
        self._cache = FeatureCache(home / "features", limits.cache_bytes)
        self._trainings = Trainings(
            RunStore(home / "runs"), self._shelf, self._weights, self._cache, limits
        )
        self._downloads = Downloads(self._weights, limits)
        self._visitors = VisitorBook(home / "visitors")
        self.janitor = Janitor(
            home,
            Household(self._visitors, self._datasets, self._trainings),
            limits.idle_seconds,
        )
        self._try_turns = threading.Semaphore(TRIES_AT_ONCE)

    # Visitors

    def new_visitor(self) -> str:
        """A fresh token (256 random bits) for a browser to keep."""
        return new_visitor()

    def owner_of(self, token: str) -> str:
        """The owner that stands for a token: its SHA-256. Only this is stored."""
        return owner_of(token)

    def visitor_state(self, owner: str) -> VisitorState:
        """What the page showed to this visitor last. Ids of things that are gone come as None."""
        self.touch(owner)
        state = self._visitors.load(owner)
        return VisitorState(
            dataset_id=_if_found(self.dataset, state.dataset_id, owner),
            run_id=_if_found(self.run, state.run_id, owner),
        )

    def save_visitor_state(self, owner: str, state: VisitorState) -> None:
        """Keep what the page shows to this visitor."""
        self.touch(owner)
        self._visitors.save(owner, state)

    def touch(self, owner: str) -> None:
        """This visitor is here: the idle time before their data is removed starts again."""
        self.janitor.touch(owner)

    # Data sets

    def import_archive(
        self, owner: str, path: Path, *, name: str, should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        """Import a zip. Raises DataError when it is refused; nothing is then left of it."""
        events = self._store.import_archive(path, name=name, owner=owner, should_stop=should_stop)
        return self._import(owner, events, should_stop)

    def import_folder(
        self, owner: str, path: Path, *, name: str, should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        """Import a folder of this machine. Raises DataError, also when strangers may visit."""
        if self.settings.is_public:
            raise DataError(
                "Folders of the server cannot be read from here.",
                hint="Drop the folder on the page, or upload a zip.",
            )

        events = self._store.import_folder(path, name=name, owner=owner, should_stop=should_stop)
        return self._import(owner, events, should_stop)

    def import_samples(self, owner: str, *, should_stop: ShouldStop) -> Iterator[ImportEvent]:
        """Import the sample pictures that come with tlapp."""
        events = self._store.import_folder(
            sample_folder(), name="Sample pictures", owner=owner, should_stop=should_stop
        )
        return self._import(owner, events, should_stop)

    def dataset(self, dataset_id: str, *, owner: str | None = None) -> Dataset:
        """A data set. Raises NotFoundError when it is unknown or not `owner`'s."""
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
                "A training is using these pictures.",
                hint="Stop the training or wait for its end, then remove them.",
            )
        self._datasets.delete(dataset_id)

    def split(self, dataset: Dataset) -> Split:
        """Which pictures are learned from and which are held out, as training will do it."""
        return split_images(
            dataset.images, held_out_share=dataset.held_out_share, seed=dataset.split_seed
        )

    def findings(self, dataset: Dataset) -> tuple[Finding, ...]:
        """What deserves attention before training."""
        return (*dataset.findings, *check_images(dataset.images, self.split(dataset)))

    def thumbnail(self, dataset_id: str, image_id: str, side_pixels: int = 96) -> bytes:
        """A small JPEG of one picture."""
        return self._store.thumbnail(dataset_id, image_id, side_pixels)

    # Backbones

    def cards(self) -> tuple[CardView, ...]:
        """Every backbone: its card, whether it is ready offline, and its speed here. Quick."""
        return self._shelf.views()

    def backbone(self, name: str, *, pretrained: bool = True) -> Backbone:
        """A loaded backbone (seconds at first, then at once). Raises BackboneError."""
        return self._shelf.get(name, pretrained=pretrained)

    def download(self, backbone_name: str) -> DownloadState:
        """Start to download the weights (or join the download that is under way)."""
        return self._downloads.start(backbone_name)

    def download_state(self, backbone_name: str) -> DownloadState:
        """How far the download is."""
        return self._downloads.state(backbone_name)

    def stop_download(self, backbone_name: str) -> None:
        """Stop it; what has arrived is kept and the next try goes on from there."""
        self._downloads.stop(backbone_name)

    def listen_download(self, backbone_name: str, callback: Callable[[], object]) -> Unsubscribe:
        """Call `callback` (from another thread) at every change of `download_state`."""
        return self._downloads.listen(backbone_name, callback)

    # Training

    def sketch(self, backbone_name: str) -> Backbone:
        """A backbone's shapes and stages, for counting and drawing; needs no weights."""
        return self._shelf.sketch(backbone_name)

    def counts(self, dataset_id: str, config: TrainConfig) -> ParameterCounts:
        """How many parameters would learn, how many stay, and the layer that is replaced."""
        class_count = len(self.dataset(dataset_id).images.class_names)
        return count_parameters(self.sketch(config.backbone), class_count, config.freeze)

    def estimate(self, dataset_id: str, config: TrainConfig) -> float | None:
        """Expected seconds of this training on this machine; None: not measured yet."""
        return None

    def start_training(
        self, owner: str, dataset_id: str, config: TrainConfig, *, name: str = ""
    ) -> str:
        """Put a training in the queue and return its run id.

        The data set is taken as it is now; later changes do not reach the run. Weights that are
        not here yet are downloaded first (phase "download"). Raises NotFoundError (data set),
        DataError (cannot be trained on), TrainingError (settings over the limits), JobError
        (queue full, or this owner has a training that waits or runs).
        """
        dataset = self.dataset(dataset_id)
        plan = TrainingPlan(
            dataset=dataset,
            split=self.split(dataset),
            picture_of=partial(self._store.picture, dataset),
            config=config,
            name=name,
            expected_seconds=self.estimate(dataset_id, config),
        )
        return self._trainings.start(owner, plan)

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

    def write_curves(self, run_id: str, kind: CurvesKind) -> Path:
        """The same, written into the run's folder (under `settings.home`)."""
        path = self.run_folder(run_id) / f"curves.{kind}"
        write_atomically(path, self.curves(run_id, kind))
        return path

    # Trying

    def prepare(self, raw: Sequence[RawPicture]) -> Tried:
        """Decode test pictures once. A picture that cannot be read carries its reason.

        Raises DataError when there are more than `limits.try_images`.
        """
        limit = self.settings.limits.try_images
        if len(raw) > limit:
            raise DataError(
                f"{len(raw)} test pictures at once are too many.",
                hint=f"Choose {limit} or fewer.",
            )
        with self._try_turns:
            return prepare_pictures(raw, self.settings.limits)

    def answers(
        self, tried: Tried, run_id: str | None, *, backbone_name: str = DEFAULT_BACKBONE
    ) -> tuple[TryResult, ...]:
        """What a run's newest classifier says; with None, what the ImageNet head says.

        The backbone runs once for the same pictures: asking again after the next epoch of a
        frozen run costs milliseconds. Raises NotFoundError, RunError (no epoch yet), BackboneError.
        """
        if run_id is None:
            backbone = self._shelf.get(backbone_name)
            with self._try_turns:
                return tried.imagenet_answers(backbone)
        classifier = self.classifier(run_id)
        with self._try_turns:
            return tried.answers(classifier)

    def predict(self, run_id: str, raw: Sequence[RawPicture]) -> tuple[TryResult, ...]:
        """`prepare` and `answers` in one."""
        return self.answers(self.prepare(raw), run_id)

    def predict_imagenet(
        self, backbone_name: str, raw: Sequence[RawPicture]
    ) -> tuple[TryResult, ...]:
        """What the backbone's original 1000-class head says, the 5 most probable."""
        return self.answers(self.prepare(raw), None, backbone_name=backbone_name)

    # Life

    def start_background(self) -> None:
        """For servers: start the janitor, and measure the ready backbones while nobody trains."""
        self.janitor.start(partial(self._shelf.measure_all, self._trainings.is_idle))

    def close(self) -> None:
        """Stop the running job (its best epoch is kept) and every thread."""
        self.janitor.stop()
        self._downloads.close()
        self._trainings.close()

    def _import(
        self, owner: str, events: Iterator[ImportEvent], should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        self.touch(owner)
        if self.settings.limits.idle_seconds is not None:
            self._visitors.ensure(owner)  # so that the janitor finds what is theirs
        for event in self._datasets.follow_import(events, should_stop=should_stop):
            if isinstance(event, ImportFinished):
                shown = {event.dataset.dataset_id, self._visitors.load(owner).dataset_id}
                self._datasets.make_room(owner, is_in_use=partial(self._is_in_use, shown))
            yield event

    def _is_in_use(self, shown: set[str | None], dataset_id: str) -> bool:
        return dataset_id in shown or self._trainings.uses(dataset_id)


def _if_found(look_up: Callable[..., object], identifier: str | None, owner: str) -> str | None:
    """The id, if there is still something behind it for this owner."""
    if identifier is None:
        return None
    try:
        look_up(identifier, owner=owner)
    except (NotFoundError, RunError):
        return None
    return identifier
