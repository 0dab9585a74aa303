"""What a training takes here: the training's own estimates, fed with what was measured here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.catalog import find_card
from tlapp.backbones.extractor import source_of, view_key
from tlapp.backbones.weights import WeightsStore
from tlapp.data.images import LabeledImages
from tlapp.data.splits import Split
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
from tlapp.workspace.plan import TrainingPlan
from tlapp.workspace.shelf import BackboneShelf

_SMALL_BATCH = 8  # from there on the optimizer's own work does not matter
MOST_LOOKED_UP = 5_000  # passes; looking more up in the cache costs over a tenth of a second


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What a training will take on this machine."""

    seconds: float | None  # wall time of everything; None: this backbone's speed is not measured
    epoch_seconds: float | None  # of one epoch of the last phase; None: as above, or the head alone
    is_epoch_measured: bool  # epochs or steps like these have been trained here
    memory_bytes: int  # on top of what the program takes by itself, at its highest


@dataclass(frozen=True, eq=False)
class Estimates:
    """Estimates from speeds measured on this machine and features that are in the cache."""

    shelf: BackboneShelf
    weights: WeightsStore
    cache: FeatureCache

    def seconds(
        self,
        images: LabeledImages,
        split: Split,
        phases: Sequence[TrainConfig],
        *,
        knows_features: bool = False,
    ) -> float | None:
        """Wall time of these phases, as in `Costs`. `knows_features`: something that goes before
        will have put plain features of pretrained weights into the cache."""
        seconds = [
            self._seconds(images, split, phase, knows_features=knows_features) for phase in phases
        ]
        return total_seconds(seconds)

    def costs(self, images: LabeledImages, split: Split, phases: Sequence[TrainConfig]) -> Costs:
        """What these phases will take, one after the other."""
        last = phases[-1]
        work = workload(self.shelf, images, split, last)
        return Costs(
            seconds=self.seconds(images, split, phases),
            epoch_seconds=None if last.is_head_alone else self._epoch_seconds(last, work),
            is_epoch_measured=not last.is_head_alone and work.learning_speed is not None,
            memory_bytes=max(self._bytes(images, split, phase) for phase in phases),
        )

    def _seconds(
        self, images: LabeledImages, split: Split, config: TrainConfig, *, knows_features: bool
    ) -> float | None:
        speed = self.shelf.speed(config.backbone)
        if speed is None:
            return None
        work = workload(self.shelf, images, split, config)
        if knows_features and config.pretrained and config.is_head_alone:
            cached_count = work.train_count + work.valid_count
        else:
            cached_count = self._cached_count(images, split, config, work)
        work = replace(work, cached_count=cached_count)
        sketch = self.shelf.sketch(config.backbone)
        return estimate_seconds(sketch, config, work, images_per_second=speed)

    def _epoch_seconds(self, config: TrainConfig, work: Workload) -> float | None:
        speed = self.shelf.speed(config.backbone)
        if speed is None:
            return None
        sketch = self.shelf.sketch(config.backbone)
        return estimate_epoch_seconds(sketch, config, work, images_per_second=speed)

    def _bytes(self, images: LabeledImages, split: Split, config: TrainConfig) -> int:
        sketch = self.shelf.sketch(config.backbone)
        top = self.shelf.top_costs(config.backbone, _boundary(self.shelf, config))
        work = workload(self.shelf, images, split, config)
        return estimate_bytes(sketch, config, work, top)

    def _cached_count(
        self, images: LabeledImages, split: Split, config: TrainConfig, work: Workload
    ) -> int:
        """How many passes through what is frozen the cache spares; see `prepare.prepare`."""
        card = find_card(config.backbone)
        boundary = None if config.is_head_alone else _boundary(self.shelf, config)
        if not config.pretrained or boundary == 0 or not work.is_boundary_kept:
            return 0
        passes = work.train_count * (1 + config.augmented_views) + work.valid_count
        if passes > MOST_LOOKED_UP or not self.weights.is_ready(card):
            return 0
        weights_hash = self.weights.weights_hash(card)
        sketch = replace(self.shelf.sketch(card.name), weights_hash=weights_hash)
        source = source_of(sketch, boundary)
        train, valid = (
            [images.images[place].image_id for place in places]
            for places in (split.train, split.valid)
        )
        views = (
            sum(self.cache.is_kept(view_key(source, view, config.seed), train))
            for view in range(1, 1 + config.augmented_views)
        )
        return sum(self.cache.is_kept(view_key(source), train + valid)) + sum(views)


def total_seconds(seconds: Sequence[float | None]) -> float | None:
    """The sum; None: one of them is not known."""
    known = [each for each in seconds if each is not None]
    return sum(known) if len(known) == len(seconds) else None


def workload(
    shelf: BackboneShelf, images: LabeledImages, split: Split, config: TrainConfig
) -> Workload:
    """How much there is to do, with nothing in the cache."""
    work = Workload(
        train_count=len(split.train),
        valid_count=len(split.valid),
        class_count=len(images.class_names),
        stage_shares=shelf.stage_shares(config.backbone),
    )
    if config.is_head_alone:  # the rest, which takes some time to find out, does not matter to it
        return work
    entering = shelf.top_costs(config.backbone, _boundary(shelf, config)).entering
    is_kept = keeps_boundary(config, work.train_count, work.valid_count, values=entering)
    work = replace(work, is_boundary_kept=is_kept)
    kind = _kind(shelf, config, work)
    return replace(work, learning_speed=shelf.learning_speed(config.backbone, kind))


def note_event(shelf: BackboneShelf, plan: TrainingPlan, event: TrainingEvent) -> None:
    """Keep what a training shows of this machine's speed, for later estimates."""
    if isinstance(event, EpochFinished):
        _note_epoch(shelf, plan, event)
    elif isinstance(event, TrainingFinished) and all(each.is_head_alone for each in plan.phases):
        shelf.note_pass(plan.phases[0].backbone, event.result.images_per_second)


def _note_epoch(shelf: BackboneShelf, plan: TrainingPlan, epoch: EpochFinished) -> None:
    """Heads alone are too quick to matter."""
    config = plan.phases[epoch.phase - 1]
    if config.is_head_alone or epoch.seconds <= 0:
        return
    work = workload(shelf, plan.dataset.images, plan.split, config)
    forwards = learning_work(shelf.sketch(config.backbone), config, work)
    note_learning_speed(shelf, config, work, forwards / epoch.seconds)


def note_learning_speed(
    shelf: BackboneShelf, config: TrainConfig, work: Workload, forwards_per_second: float
) -> None:
    """Keep how fast such a training learns here (`estimate.learning_work` a second)."""
    shelf.put_learning_speed(config.backbone, _kind(shelf, config, work), forwards_per_second)


def _kind(shelf: BackboneShelf, config: TrainConfig, work: Workload) -> str:
    """What makes an epoch faster or slower: what learns, what is kept, what statistics do, and how
    often the optimizer steps."""
    return (
        f"from stage {_boundary(shelf, config)}"
        f"{'' if work.is_boundary_kept else ', nothing kept'}"
        f"{', with statistics' if config.learns_statistics else ''}"
        f"{', small batches' if config.batch_size < _SMALL_BATCH else ''}"
    )


def _boundary(shelf: BackboneShelf, config: TrainConfig) -> int:
    return find_boundary(plan_stages(shelf.sketch(config.backbone).stages, config))
