"""Models: backbones in memory and on their way here, and the classifiers that runs have kept.

What is loaded is shared by everybody and only read. What fits is bounded: a backbone can take half
a gigabyte.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Literal

from tlapp.backbones.catalog import CARDS, Card, find_card
from tlapp.backbones.loading import Backbone, load_backbone
from tlapp.backbones.weights import DownloadEvent, DownloadProgress, WeightsStore
from tlapp.classifier import Classifier, load_classifier
from tlapp.data.dataset import Dataset, DatasetStore
from tlapp.errors import RunError
from tlapp.jobs.job import Job, JobEnd
from tlapp.jobs.queue import JobQueue
from tlapp.messages import NOTHING, Message, message
from tlapp.recent import Recent
from tlapp.runs.folder import RunFolder
from tlapp.settings import MINUTE, Limits
from tlapp.stopping import ShouldStop
from tlapp.training.config import TrainConfig
from tlapp.training.counts import ParameterCounts, count_parameters
from tlapp.training.presets import phases_of
from tlapp.training.task import TrainJob
from tlapp.workspace.estimates import Costs, Estimates

MOST_BACKBONES = 2  # the largest takes half a gigabyte
MOST_CLASSIFIERS = 4  # a trained backbone can be large

_SlotKey = tuple[str, bool, int]  # backbone, whether pretrained, seed of weights that are not


@dataclass(frozen=True, kw_only=True)
class CardView:
    """A card, and what this machine knows about it."""

    card: Card
    is_ready: bool  # its weights are here: works without internet
    images_per_second: float | None  # measured here; None: not measured yet


@dataclass(frozen=True, kw_only=True)
class DownloadState:
    """Where the weights of one backbone are, at one moment."""

    backbone_name: str
    state: Literal["absent", "waiting", "running", "finished", "stopped", "failed"]
    done_bytes: int = 0
    total_bytes: int = 0
    message: Message = NOTHING  # why it failed
    hint: Message = NOTHING  # what to do about it


class Models:
    """Everything about networks: cards, weights, what a training of one takes, and what runs have
    made of them. Every method may be called from any thread."""

    def __init__(
        self,
        weights: WeightsStore,
        estimates: Estimates,
        store: DatasetStore,
        limits: Limits,
        *,
        is_idle: Callable[[], bool],
    ) -> None:
        """`is_idle`: nobody trains, and the program is not about to end."""
        self.downloads = Downloads(weights, limits)
        self.estimates = estimates
        self.backbones = Backbones(weights)
        self._weights = weights
        self._store = store
        self._is_idle = is_idle
        self._classifiers: Recent[str, Classifier] = Recent(MOST_CLASSIFIERS)  # by run id

    def cards(self) -> tuple[CardView, ...]:
        """Every backbone: its card, whether it is ready offline, and its speed here. Quick."""
        return tuple(
            CardView(
                card=card,
                is_ready=self._weights.is_ready(card),
                images_per_second=self.estimates.speed(card.name),
            )
            for card in CARDS
        )

    def sketch(self, name: str) -> Backbone:
        """A backbone's shapes and stages, for counting and drawing; needs no weights. Raises
        BackboneError when no backbone has this name."""
        return self.estimates.sketch(name)

    def backbone(self, name: str, *, pretrained: bool = True, seed: int = 0) -> Backbone:
        """A loaded backbone; `seed` draws the weights of one that is not pretrained. Raises
        BackboneError when its weights are not here."""
        return self.backbones.get(name, pretrained=pretrained, seed=seed)

    def bring(
        self, config: TrainConfig, should_stop: ShouldStop
    ) -> Generator[DownloadEvent, None, Backbone | None]:
        """The backbone for these settings, whose weights are downloaded first if they are not here.

        None: stopped. Raises BackboneError.
        """
        card = find_card(config.backbone)
        if config.pretrained and not self._weights.is_ready(card):
            yield from self._weights.fetch(card, should_stop)
        if should_stop():
            return None
        return self.backbone(card.name, pretrained=config.pretrained, seed=config.seed)

    def counts(self, dataset: Dataset, config: TrainConfig) -> ParameterCounts:
        """How many parameters would learn, how many stay, and the layer that is replaced."""
        class_count = len(dataset.images.class_names)
        return count_parameters(self.sketch(config.backbone), class_count, config)

    def costs(self, dataset: Dataset, config: TrainConfig) -> Costs:
        """What this training will take on this machine: time and memory."""
        return self.estimates.costs(dataset, phases_of(config))

    def can_measure(self, config: TrainConfig) -> bool:
        """Whether there is anything to measure: not for the head alone, which is quick, and not for
        weights that are not here."""
        is_here = not config.pretrained or self._weights.is_ready(find_card(config.backbone))
        return is_here and not config.is_head_alone

    def measure_epoch(
        self, dataset: Dataset, config: TrainConfig, *, is_wanted: Callable[[], bool]
    ) -> bool:
        """Measure how fast these settings learn (`Estimates.measure_epoch`), while nobody trains.

        Not a job of the queue: a training that comes must not wait for it, and what it finds is a
        figure for everybody, not somebody's result. False: somebody trains, or something else is
        measured; ask again later.
        """
        if not self._is_idle():
            return False
        phases = phases_of(config)

        def make_job() -> TrainJob:
            return TrainJob(
                images=dataset.images,
                split=dataset.split,
                picture_of=self._store.pictures(dataset),
                backbone=self.backbones.borrow(
                    config.backbone, pretrained=config.pretrained, seed=config.seed
                ),
                phases=phases,
            )

        return self.estimates.measure_epoch(
            dataset, phases[-1], make_job, is_wanted=lambda: self._is_idle() and is_wanted()
        )

    def classifier(self, run: RunFolder) -> Classifier:
        """The classifier that a run has kept; an untouched backbone is the one that all runs share.

        Raises what `load_classifier` raises.
        """
        run_id = run.path.name
        known = self._classifiers.get(run_id)
        if known is not None:
            return known
        classifier = self._load_classifier(run)
        self._classifiers.put(run_id, classifier)
        return classifier

    def keep_classifier(self, run_id: str, classifier: Classifier) -> None:
        """Keep the classifier of a run that is over in memory: it will be asked for."""
        self._classifiers.put(run_id, classifier)

    def forget_classifier(self, run_id: str) -> None:
        """The run is gone."""
        self._classifiers.forget(run_id)

    def _load_classifier(self, run: RunFolder) -> Classifier:
        epoch = run.best_model_epoch()
        try:
            classifier = load_classifier(run.model_path(epoch), self._weights)
        except RunError as error:
            if epoch is not None:
                run.note_model(epoch, error)
            raise
        backbone = classifier.backbone
        if classifier.is_backbone_trained or not backbone.pretrained:
            return classifier
        return replace(classifier, backbone=self.backbone(backbone.card.name))


class _Slot:
    """One place for a backbone. Its own lock: loading one does not hold up another."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.backbone: Backbone | None = None


class Backbones:
    """The newest used backbones, each loaded once. Every method may be called from any thread."""

    def __init__(self, weights: WeightsStore, most: int = MOST_BACKBONES) -> None:
        self._weights = weights
        self._most = most
        self._slots: OrderedDict[_SlotKey, _Slot] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str, *, pretrained: bool = True, seed: int = 0) -> Backbone:
        """A loaded backbone; see `Models.backbone`."""
        key = _slot_key(name, pretrained=pretrained, seed=seed)
        slot = self._slot(key)
        with slot.lock:
            if slot.backbone is None:
                slot.backbone = self._load(key)
            return slot.backbone

    def borrow(self, name: str, *, pretrained: bool, seed: int) -> Backbone:
        """A loaded backbone for a short while: one that is not here takes nobody's place."""
        key = _slot_key(name, pretrained=pretrained, seed=seed)
        with self._lock:
            slot = self._slots.get(key)
        backbone = slot.backbone if slot else None
        return backbone or self._load(key)

    def _load(self, key: _SlotKey) -> Backbone:
        name, pretrained, seed = key
        return load_backbone(find_card(name), self._weights, pretrained=pretrained, seed=seed)

    def _slot(self, key: _SlotKey) -> _Slot:
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > self._most:
                self._slots.popitem(last=False)
            return slot


def _slot_key(name: str, *, pretrained: bool, seed: int) -> _SlotKey:
    """Where a backbone stands. Raises BackboneError when there is none of this name."""
    return find_card(name).name, pretrained, 0 if pretrained else seed


class Downloads:
    """Fetches weights in a worker of its own, so that trainings do not wait for the network."""

    def __init__(self, weights: WeightsStore, limits: Limits) -> None:
        self._weights = weights
        self._limits = limits
        self._queue = JobQueue(limits, name="downloads", budget_seconds=limits.download_seconds)
        self._states: dict[str, DownloadState] = {}
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def start(self, name: str) -> DownloadState:
        """Start the download, or join the one under way. Raises BackboneError, JobError."""
        card = find_card(name)
        with self._lock:
            if not self._weights.is_ready(card) and self._queue.job_of(card.name) is None:
                self._jobs[card.name] = self._submit(card)  # its events wait for the lock
                self._states[card.name] = DownloadState(
                    backbone_name=card.name, state="waiting", total_bytes=card.download_bytes
                )
        return self.state(name)

    def state(self, name: str) -> DownloadState:
        """How far it is. Raises BackboneError when no backbone has this name."""
        card = find_card(name)
        with self._lock:
            state = self._states.get(card.name)
        if state is not None and state.state in ("waiting", "running"):
            return state
        if self._weights.is_ready(card):
            total = card.download_bytes
            return DownloadState(
                backbone_name=card.name, state="finished", done_bytes=total, total_bytes=total
            )
        return state or DownloadState(
            backbone_name=card.name, state="absent", total_bytes=card.download_bytes
        )

    def listen(self, name: str, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` at every change of a download that is under way."""
        with self._lock:
            job = self._jobs.get(name)
        return job.add_listener(callback) if job is not None else lambda: None

    def close(self, timeout_seconds: float) -> None:
        """Stop all downloads, which may take so long."""
        self._queue.close(timeout_seconds)

    def _submit(self, card: Card) -> Job:
        def on_event(event: DownloadEvent) -> None:
            if isinstance(event, DownloadProgress):
                self._change(
                    card.name,
                    state="running",
                    done_bytes=event.done_bytes,
                    total_bytes=event.total_bytes,
                )

        def on_end(end: JobEnd) -> None:
            if end.stop_reason == "time":
                end = self._too_slow()
            self._change(card.name, state=end.state, message=end.message, hint=end.hint)

        return self._queue.submit(
            card.name,
            lambda should_stop: self._weights.fetch(card, should_stop),
            on_event,
            what=message("download"),
            on_end=on_end,
        )

    def _too_slow(self) -> JobEnd:
        minutes = round(self._limits.download_seconds / MINUTE)
        return JobEnd(
            state="failed",
            message=message("The download took longer than {minutes} min.", minutes=minutes),
            hint=message("Try again; if the connection stays slow, choose a smaller backbone."),
        )

    def _change(self, name: str, **values: object) -> None:
        with self._lock:
            self._states[name] = replace(self._states[name], **values)  # type: ignore[arg-type]  # field names
