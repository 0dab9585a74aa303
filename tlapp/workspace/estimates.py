"""What a training takes here: the training's own estimates, fed with what was measured here.

Speeds are measured while nobody trains, and taken from trainings as they go. Estimates need no
weights: a sketch of the backbone is enough.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.catalog import CARDS, find_card
from tlapp.backbones.costs import TopCosts, stage_shares, top_costs
from tlapp.backbones.extractor import source_of, view_key
from tlapp.backbones.loading import Backbone, load_backbone, sketch_backbone
from tlapp.backbones.speed import SpeedBook, measure_speed
from tlapp.backbones.weights import WeightsStore
from tlapp.data.dataset import Dataset
from tlapp.data.splits import Split
from tlapp.jobs.guard import failure_of
from tlapp.jobs.memory import give_back_memory
from tlapp.training.config import TrainConfig
from tlapp.training.estimate import (
    Workload,
    estimate_epoch_seconds,
    estimate_seconds,
    learning_work,
)
from tlapp.training.events import EpochFinished, TrainingEvent, TrainingFinished
from tlapp.training.freezing import find_boundary, plan_stages
from tlapp.training.inputs import keeps_boundary
from tlapp.training.memory import estimate_bytes
from tlapp.training.task import TrainJob
from tlapp.training.throughput import measure_throughput

MEASURE_DELAY_SECONDS = 5.0  # after the start of a server: the first page comes first
BETWEEN_SECONDS = 1.0  # two backbones: somebody may wait to have an epoch timed
MOST_LOOKED_UP = 5_000  # passes; looking more up in the cache costs over a tenth of a second
_SMALL_BATCH = 8  # from there on the optimizer's own work does not matter

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What a training will take on this machine."""

    seconds: float | None  # wall time of everything; None: this backbone's speed is not measured
    epoch_seconds: float | None  # of one epoch of the last phase; None: as above, or the head alone
    is_epoch_measured: bool  # epochs or steps like these have been trained here
    memory_bytes: int  # on top of what the program takes by itself, at its highest


class Estimates:
    """Figures of backbones and trainings on this machine. Any thread may call any method."""

    def __init__(self, weights: WeightsStore, speeds: SpeedBook, cache: FeatureCache) -> None:
        self._weights = weights
        self._speeds = speeds
        self._cache = cache
        self._sketches: dict[str, Backbone] = {}  # one a card at most, without weights
        self._shares: dict[str, tuple[float, ...]] = {}
        self._top_costs: dict[tuple[str, int], TopCosts] = {}
        self._lock = threading.Lock()
        self.measuring = threading.Lock()  # held by whoever times something

    def sketch(self, name: str) -> Backbone:
        """A backbone's shapes and stages without weights; also when they are not here yet.

        Raises BackboneError when no backbone has this name.
        """
        return self._known(self._sketches, name, lambda: sketch_backbone(find_card(name)))

    def speed(self, name: str) -> float | None:
        """Pictures a second through a backbone on this machine; None: not measured yet."""
        return self._speeds.get(name)

    def unmeasured(self) -> tuple[str, ...]:
        """The backbones whose speed is not known, those that are ready first."""
        cards = [card for card in CARDS if self.speed(card.name) is None]
        return tuple(
            card.name for card in sorted(cards, key=lambda card: not self._weights.is_ready(card))
        )

    def measure_all(self, is_idle: Callable[[], bool], pause: Callable[[float], bool]) -> None:
        """Measure all backbones, one after the other, while `is_idle` says so.

        `pause(seconds)` waits, and is true when it is time to end.
        """
        if pause(MEASURE_DELAY_SECONDS):
            return
        for name in self.unmeasured():
            while not is_idle():
                if pause(1.0):
                    return
            with self.measuring:
                self.measure(name)
            if pause(BETWEEN_SECONDS):
                return

    def measure(self, name: str) -> float:
        """Measure the speed of a backbone (some seconds of the whole machine) and keep it.

        Weights that are not here are drawn: they take as long. Nobody's loaded backbone has to make
        room. For whoever holds `measuring`.
        """
        card = find_card(name)
        is_ready = self._weights.is_ready(card)
        try:
            speed = measure_speed(load_backbone(card, self._weights, pretrained=is_ready))
        finally:
            give_back_memory()
        self._speeds.put(name, speed)
        return speed

    def known_speed(self, name: str) -> float:
        """The speed of a backbone, measured now where it is not known. For whoever holds
        `measuring`."""
        return self.speed(name) or self.measure(name)

    def seconds(
        self, dataset: Dataset, phases: Sequence[TrainConfig], *, knows_features: bool = False
    ) -> float | None:
        """Wall time of these phases on a data set, as in `Costs`.

        `knows_features`: something that goes before will have put plain features of pretrained
        weights into the cache.
        """
        split = dataset.split
        return total_seconds(
            [
                None  # before the work is counted, which takes time
                if self.speed(phase.backbone) is None
                else self._seconds(
                    dataset,
                    split,
                    phase,
                    self._workload(dataset, split, phase),
                    knows_features=knows_features,
                )
                for phase in phases
            ]
        )

    def costs(self, dataset: Dataset, phases: Sequence[TrainConfig]) -> Costs:
        """What these phases will take, one after the other."""
        split, last = dataset.split, phases[-1]
        works = [self._workload(dataset, split, phase) for phase in phases]
        each = list(zip(phases, works, strict=True))
        return Costs(
            seconds=total_seconds([self._seconds(dataset, split, *pair) for pair in each]),
            epoch_seconds=None if last.is_head_alone else self._epoch_seconds(last, works[-1]),
            is_epoch_measured=not last.is_head_alone and works[-1].learning_speed is not None,
            memory_bytes=max(self._bytes(*pair) for pair in each),
        )

    def note_event(
        self, dataset: Dataset, phases: Sequence[TrainConfig], event: TrainingEvent
    ) -> None:
        """Keep what a training of these phases shows of this machine's speed."""
        if isinstance(event, EpochFinished):
            self._note_epoch(dataset, phases[event.phase - 1], event)
        elif isinstance(event, TrainingFinished) and all(each.is_head_alone for each in phases):
            self._note_pass(phases[0].backbone, event.result.images_per_second)

    def measure_epoch(
        self,
        dataset: Dataset,
        config: TrainConfig,
        make_job: Callable[[], TrainJob],
        *,
        is_wanted: Callable[[], bool],
    ) -> bool:
        """Measure how fast these settings, those of a training's last phase, learn, by a few steps
        of the training that `make_job` makes; `costs` knows it then.

        Takes some seconds, and ends early when it is not wanted any more. False: something else is
        measured; ask again later. Pictures that cannot be trained on are left for the training to
        refuse.
        """
        if not self.measuring.acquire(blocking=False):
            return False
        try:
            failure_of(lambda: self._measure_epoch(dataset, config, make_job, is_wanted))
        finally:
            self.measuring.release()
            give_back_memory()
        return True

    def _measure_epoch(
        self,
        dataset: Dataset,
        config: TrainConfig,
        make_job: Callable[[], TrainJob],
        is_wanted: Callable[[], bool],
    ) -> None:
        work = self._workload(dataset, dataset.split, config)
        if work.learning_speed is not None or not is_wanted():
            return
        throughput = measure_throughput(
            make_job(),
            work,
            images_per_second=self.known_speed(config.backbone),
            should_stop=lambda: not is_wanted(),
        )
        if throughput is not None:
            self._put_learning_speed(config, work, throughput)

    def _note_epoch(self, dataset: Dataset, config: TrainConfig, epoch: EpochFinished) -> None:
        """Heads alone are too quick to matter."""
        if config.is_head_alone or epoch.seconds <= 0:
            return
        work = self._workload(dataset, dataset.split, config)
        forwards = learning_work(self.sketch(config.backbone), config, work)
        self._put_learning_speed(config, work, forwards / epoch.seconds)

    def _note_pass(self, name: str, images_per_second: float) -> None:
        """Pictures have passed the whole backbone at this speed, decoding counted: where less was
        measured, something else was using the machine then."""
        known = self.speed(name)
        if known is not None and images_per_second > known:
            self._speeds.put(name, images_per_second)

    def _put_learning_speed(
        self, config: TrainConfig, work: Workload, forwards_per_second: float
    ) -> None:
        """Keep how fast such a training learns here (`estimate.learning_work` a second)."""
        self._speeds.put(self._learning_name(config, work), forwards_per_second)

    def _learning_name(self, config: TrainConfig, work: Workload) -> str:
        """Names what makes an epoch faster or slower: what learns, what is kept, what statistics
        do, and how often the optimizer steps."""
        return (
            f"{config.backbone}, learning from stage {self._boundary(config)}"
            f"{'' if work.is_boundary_kept else ', nothing kept'}"
            f"{', with statistics' if config.learns_statistics else ''}"
            f"{', small batches' if config.batch_size < _SMALL_BATCH else ''}"
        )

    def _seconds(
        self,
        dataset: Dataset,
        split: Split,
        config: TrainConfig,
        work: Workload,
        *,
        knows_features: bool = False,
    ) -> float | None:
        speed = self.speed(config.backbone)
        if speed is None:
            return None
        if knows_features and config.pretrained and config.is_head_alone:
            cached_count = work.train_count + work.valid_count
        else:
            cached_count = self._cached_count(dataset, split, config, work)
        work = replace(work, cached_count=cached_count)
        sketch = self.sketch(config.backbone)
        return estimate_seconds(sketch, config, work, images_per_second=speed)

    def _epoch_seconds(self, config: TrainConfig, work: Workload) -> float | None:
        speed = self.speed(config.backbone)
        if speed is None:
            return None
        sketch = self.sketch(config.backbone)
        return estimate_epoch_seconds(sketch, config, work, images_per_second=speed)

    def _bytes(self, config: TrainConfig, work: Workload) -> int:
        top = self._costs_of_top(config.backbone, self._boundary(config))
        return estimate_bytes(self.sketch(config.backbone), config, work, top)

    def _workload(self, dataset: Dataset, split: Split, config: TrainConfig) -> Workload:
        """How much there is to do, with nothing in the cache."""
        name = config.backbone
        work = Workload(
            train_count=len(split.train),
            valid_count=len(split.valid),
            class_count=len(dataset.images.class_names),
            stage_shares=self._known(self._shares, name, lambda: stage_shares(self.sketch(name))),
        )
        if config.is_head_alone:  # the rest, which takes time to find out, does not matter to it
            return work
        entering = self._costs_of_top(name, self._boundary(config)).entering
        is_kept = keeps_boundary(config, work.train_count, work.valid_count, values=entering)
        work = replace(work, is_boundary_kept=is_kept)
        return replace(work, learning_speed=self._speeds.get(self._learning_name(config, work)))

    def _cached_count(
        self, dataset: Dataset, split: Split, config: TrainConfig, work: Workload
    ) -> int:
        """How many passes through what is frozen the cache spares; see `prepare.prepare`."""
        card = find_card(config.backbone)
        boundary = None if config.is_head_alone else self._boundary(config)
        if not config.pretrained or boundary == 0 or not work.is_boundary_kept:
            return 0
        passes = work.train_count * (1 + config.augmented_views) + work.valid_count
        if passes > MOST_LOOKED_UP or not self._weights.is_ready(card):
            return 0
        weights_hash = self._weights.weights_hash(card)
        source = source_of(replace(self.sketch(card.name), weights_hash=weights_hash), boundary)
        images = dataset.images.images
        train, valid = (
            [images[place].image_id for place in places] for places in (split.train, split.valid)
        )
        views = (
            sum(self._cache.is_kept(view_key(source, view, config.seed), train))
            for view in range(1, 1 + config.augmented_views)
        )
        return sum(self._cache.is_kept(view_key(source), train + valid)) + sum(views)

    def _boundary(self, config: TrainConfig) -> int:
        return find_boundary(plan_stages(self.sketch(config.backbone).stages, config))

    def _costs_of_top(self, name: str, boundary: int) -> TopCosts:
        """What a picture takes while the stages from there on learn (`costs.top_costs`)."""
        return self._known(
            self._top_costs, (name, boundary), lambda: top_costs(self.sketch(name), boundary)
        )

    def _known(self, table: dict[_Key, _Value], key: _Key, make: Callable[[], _Value]) -> _Value:
        """What the table has; made outside the lock and put there when it has nothing."""
        with self._lock:
            known = table.get(key)
        if known is None:
            known = make()
            with self._lock:
                table[key] = known
        return known


def total_seconds(seconds: Sequence[float | None]) -> float | None:
    """The sum; None: one of them is not known."""
    known = [each for each in seconds if each is not None]
    return sum(known) if len(known) == len(seconds) else None
