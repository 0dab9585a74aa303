"""Mistakes that are trained: a copy of the run's head, or more of the network, learns wrongly."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch

from tlapp.backbones.cache import FeatureCache
from tlapp.data.images import LabeledImages
from tlapp.data.preprocess import Preprocess
from tlapp.data.splits import Split
from tlapp.errors import DivergedError
from tlapp.experiments.bench import Bench, Maker, MistakeValue, Side, held_out
from tlapp.experiments.inputs import as_seen_by, correctly
from tlapp.stopping import ShouldStop
from tlapp.training.config import NOTHING_FROZEN, TrainConfig
from tlapp.training.events import (
    BatchFinished,
    EpochFinished,
    PreparingFeatures,
    TrainingEvent,
    TrainingFinished,
)
from tlapp.training.presets import fine_tuning
from tlapp.training.session import train
from tlapp.training.task import TrainJob

_LARGE_RATE = 1e-2  # AdamW, for the whole network at once
_UNFROZEN_EPOCHS = 2
_RATE_FACTOR = 100
_PREPARING_SHARE = 0.3  # of a mistake, when pictures have to pass the backbone first

TakeEpoch = Callable[[MistakeValue, EpochFinished], MistakeValue]


def training(
    change: Callable[[TrainJob], TrainJob], *, sees_wrong: bool = False, tells_train: bool = False
) -> Maker:
    """A mistake that is trained; `sees_wrong`: its features must not meet the cache."""

    def make(
        start: MistakeValue, bench: Bench, cache: FeatureCache | None, should_stop: ShouldStop
    ) -> Iterator[MistakeValue]:
        job = change(bench.job)
        if sees_wrong:
            right, wrong = bench.job.backbone.preprocess, job.backbone.preprocess
            picture = held_out(bench.job)[0][0]
            views = tuple(as_seen_by(right, correctly(each), picture) for each in (right, wrong))
            start = replace(start, views=views)
        used = None if sees_wrong else cache
        for value in _trained(start, job, used, should_stop):
            yield value if tells_train else replace(value, train_accuracy=None)

    return make


def _trained(
    start: MistakeValue,
    job: TrainJob,
    cache: FeatureCache | None,
    should_stop: ShouldStop,
    take_epoch: TakeEpoch | None = None,
) -> Iterator[MistakeValue]:
    """What is known after each event; an epoch is taken in by `take_epoch`."""
    value = start
    try:
        for event in train(job, cache=cache, should_stop=should_stop):
            if isinstance(event, EpochFinished):
                value = (take_epoch or _take_best_epoch)(value, event)
            value = replace(value, share_done=_share_done(event, job, value.share_done))
            yield value
    except DivergedError:  # that is the outcome
        seen = value.wrong.accuracies if value.wrong else ()
        nothing = Side(0, len(job.split.valid), accuracies=seen)
        yield replace(value, share_done=1.0, wrong=nothing, is_broken=True)


def _take_best_epoch(value: MistakeValue, event: EpochFinished) -> MistakeValue:
    """As for a run, the best epoch counts."""
    if value.wrong is None or event.is_best:
        value = replace(value, wrong=_side(event.valid_hits, value.wrong))
    else:
        seen = (*value.wrong.accuracies, _accuracy(event.valid_hits))
        value = replace(value, wrong=replace(value.wrong, accuracies=seen))
    return replace(value, train_accuracy=event.train_eval_accuracy)


def _side(hits: Sequence[bool], before: Side | None) -> Side:
    """These answers, with the accuracies of the epochs before."""
    seen = before.accuracies if before else ()
    return Side(sum(hits), len(hits), accuracies=(*seen, _accuracy(hits)))


def _accuracy(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits)


def _share_done(event: TrainingEvent, job: TrainJob, before: float) -> float:
    """How much of a training is done, 0 to 1; 1 with its last event alone."""
    epochs = sum(phase.epochs for phase in job.phases)
    if isinstance(event, TrainingFinished):
        return 1.0
    if isinstance(event, PreparingFeatures) and not event.asks_original:
        return _PREPARING_SHARE * event.done / event.total
    if isinstance(event, BatchFinished):
        epochs_done = event.epoch - 1 + event.batch / event.batches
    elif isinstance(event, EpochFinished):
        epochs_done = float(event.epoch)
    else:
        return before
    learned = _PREPARING_SHARE + (1 - _PREPARING_SHARE) * epochs_done / epochs
    return min(learned, 0.99)  # 1: there is an outcome


def everywhere_wrong(job: TrainJob) -> TrainJob:
    """The same wrong normalization for learning and for asking."""
    return replace(
        job, backbone=replace(job.backbone, preprocess=without_normalizing(job.backbone.preprocess))
    )


def without_normalizing(preprocess: Preprocess) -> Preprocess:
    """Values from 0 to 1 go in as they are: `Normalize` was forgotten."""
    return replace(preprocess, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def rate_too_large(job: TrainJob) -> TrainJob:
    """Head and last stage, at a hundred times the rate of fine-tuning."""
    config = fine_tuning("last:1", backbone=job.phases[0].backbone, seed=job.phases[0].seed)
    config = replace(
        config,
        head_epochs=0,
        epochs=_UNFROZEN_EPOCHS,
        augmented_views=0,
        learning_rate=_RATE_FACTOR * config.learning_rate,
        backbone_learning_rate=_RATE_FACTOR * config.backbone_learning_rate,
    )
    return replace(job, phases=(config,))


def not_frozen(job: TrainJob) -> TrainJob:
    """Everything learns from the first step on, at a large rate."""
    config = TrainConfig(
        backbone=job.phases[0].backbone,
        freeze=NOTHING_FROZEN,
        epochs=_UNFROZEN_EPOCHS,
        learning_rate=_LARGE_RATE,
        backbone_learning_rate=_LARGE_RATE,
        seed=job.phases[0].seed,
    )
    return replace(job, phases=(config,))


def labels_shuffled(job: TrainJob) -> TrainJob:
    """The pictures learned from get one another's labels."""
    generator = torch.Generator().manual_seed(job.phases[0].seed)
    places = list(job.split.train)
    order = torch.randperm(len(places), generator=generator).tolist()
    images = list(job.images.images)
    labels = [images[places[index]].class_index for index in order]
    for place, label in zip(places, labels, strict=True):
        images[place] = replace(images[place], class_index=label)
    return replace(job, images=LabeledImages(job.images.class_names, tuple(images)))


def trained_on_validation(
    start: MistakeValue, bench: Bench, cache: FeatureCache | None, should_stop: ShouldStop
) -> Iterator[MistakeValue]:
    """The held-out pictures are learned from, then measured; the others tell the truth."""
    job = bench.job
    held_out(job)  # or there is nothing to cheat with
    learned = _held_out_or_only(job)
    unknown = tuple(index for index in job.split.train if index not in learned)
    measured = tuple(sorted((*job.split.valid, *unknown)))
    leaking = replace(job, split=Split(learned, measured, ()))

    def take_epoch(value: MistakeValue, event: EpochFinished) -> MistakeValue:
        hits = dict(zip(measured, event.valid_hits, strict=True))
        honest = [hits[index] for index in unknown]
        return replace(
            value,
            wrong=_side([hits[index] for index in job.split.valid], value.wrong),
            honest=_side(honest, value.honest) if honest else None,
        )

    yield from _trained(start, leaking, cache, should_stop, take_epoch)


def _held_out_or_only(job: TrainJob) -> tuple[int, ...]:
    """The held-out pictures, and all of the classes that have none."""
    images = job.images.images
    covered = {images[index].class_index for index in job.split.valid}
    rest = (index for index in job.split.train if images[index].class_index not in covered)
    return tuple(sorted((*job.split.valid, *rest)))
