"""The one entry point of training, for page, API and command line: settings in, events out."""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.features import (
    FeatureFinished,
    FeatureProgress,
    Features,
    FeatureStarted,
    FeatureStopped,
    extract_features,
)
from tlapp.backbones.loading import Backbone
from tlapp.classifier import Classifier
from tlapp.data.images import LabeledImages, Picture
from tlapp.data.splits import Split
from tlapp.training.config import TrainConfig
from tlapp.training.counts import ParameterCounts, count_parameters
from tlapp.training.events import (
    EpochFinished,
    PreparingFeatures,
    TrainingEvent,
    TrainingFinished,
    TrainingResult,
    TrainingStarted,
    TrainingStopped,
)
from tlapp.training.finetune import finetune
from tlapp.training.head import HeadData, HeadEpoch, HeadStopped, train_head
from tlapp.training.interval import wilson_interval
from tlapp.training.task import Ending, Task, make_task

ShouldStop = Callable[[], bool]


def train(
    dataset_images: LabeledImages,
    split: Split,
    picture_of: Callable[[str], Picture],
    backbone: Backbone,
    config: TrainConfig,
    *,
    cache: FeatureCache | None,
    should_stop: ShouldStop,
) -> Iterator[TrainingEvent]:
    """A trained classifier, told step by step; the order of events is in `training.events`.

    With `config.freeze == "head"` each picture passes the backbone once (or not at all, when
    `cache` has it) and a linear head learns from the features; the backbone stays as it is, bit for
    bit. With "none" a copy of the backbone learns too. Stopping takes effect within one batch and
    keeps the best epoch so far. Same input, settings and thread count give the same weights.

    Raises TrainingError when the data cannot be learnt or the learning rate is too high (epochs
    already told stay good) and PictureError when a picture cannot be read.
    """
    task = make_task(dataset_images, split, picture_of, backbone, config)
    counts = count_parameters(backbone, len(task.class_names), config.freeze)
    yield _started(task, counts)
    began = time.perf_counter()
    if config.freeze == "head":
        ending = yield from _train_frozen(task, cache, should_stop)
    else:
        ending = yield from finetune(task, should_stop)
    seconds = time.perf_counter() - began
    result = _result(ending, counts, valid_count=len(task.valid.labels), seconds=seconds)
    if ending.is_stopped or result is None:
        yield TrainingStopped(result)
    else:
        yield TrainingFinished(result)


def _started(task: Task, counts: ParameterCounts) -> TrainingStarted:
    return TrainingStarted(
        config=task.config,
        class_names=task.class_names,
        train_count=len(task.train.labels),
        valid_count=len(task.valid.labels),
        trainable_parameters=counts.trainable,
        frozen_parameters=counts.frozen,
        replaced_layer=counts.replaced_layer,
    )


def _result(
    ending: Ending, counts: ParameterCounts, *, valid_count: int, seconds: float
) -> TrainingResult | None:
    """The best epoch with the figures of the whole training; None: no epoch was finished."""
    best = ending.best
    if best is None:
        return None
    accuracy = best.valid_accuracy
    correct = 0 if accuracy is None else round(accuracy * valid_count)
    return TrainingResult(
        classifier=best.classifier,
        best_epoch=best.epoch,
        valid_accuracy=accuracy,
        valid_correct=correct,
        valid_count=valid_count,
        valid_interval=wilson_interval(correct, valid_count) if valid_count else None,
        feature_seconds=ending.feature_seconds,
        head_seconds=seconds - ending.feature_seconds,
        seconds=seconds,
        images_per_second=ending.images_per_second,
        trainable_parameters=counts.trainable,
        frozen_parameters=counts.frozen,
    )


def _train_frozen(
    task: Task, cache: FeatureCache | None, should_stop: ShouldStop
) -> Generator[TrainingEvent, None, Ending]:
    """Features once, then the head."""
    began = time.perf_counter()
    prepared = yield from _prepare(task, cache, should_stop)
    feature_seconds = time.perf_counter() - began
    if prepared is None:
        return Ending(best=None, is_stopped=True, feature_seconds=feature_seconds)
    best: EpochFinished | None = None
    is_stopped = False
    for event in train_head(_head_data(task, prepared), task.config, should_stop=should_stop):
        if isinstance(event, HeadEpoch):
            told = _epoch_event(event, Classifier(task.backbone, event.head, task.class_names))
            best = told if told.is_best else best
            yield told
        is_stopped = isinstance(event, HeadStopped)
    return Ending(
        best=best,
        is_stopped=is_stopped,
        feature_seconds=feature_seconds,
        images_per_second=prepared.computed / feature_seconds,
    )


def _epoch_event(told: HeadEpoch, classifier: Classifier) -> EpochFinished:
    return EpochFinished(
        epoch=told.epoch,
        train_loss=told.train_loss,
        train_eval_loss=told.train.loss,
        train_eval_accuracy=told.train.accuracy,
        valid_loss=told.valid.loss if told.valid else None,
        valid_accuracy=told.valid.accuracy if told.valid else None,
        seconds=told.seconds,
        is_best=told.is_best,
        classifier=classifier,
    )


@dataclass(frozen=True, eq=False)
class _Prepared:
    """Features of the pictures to learn from and of the held-out ones."""

    train: Features
    valid_ND: Tensor
    computed: int  # passes through the backbone that the cache did not save


def _prepare(
    task: Task, cache: FeatureCache | None, should_stop: ShouldStop
) -> Generator[TrainingEvent, None, _Prepared | None]:
    """The features of both sides; None: stopped. Augmented views are made for learning alone."""
    train, valid, views = task.train.pictures, task.valid.pictures, task.config.augmented_views
    seed, total = task.config.seed, len(train) + len(valid)
    done = computed = 0
    made: list[Features] = []
    for part, count in ((train, views), (valid, 0)) if views else ((train + valid, 0),):
        for event in extract_features(
            task.backbone, part, cache=cache, views=count, seed=seed, should_stop=should_stop
        ):
            if isinstance(event, FeatureStarted):
                computed += event.total - event.cached
            elif isinstance(event, FeatureProgress):
                yield PreparingFeatures(done + event.done, total, event.images_per_second)
            elif isinstance(event, FeatureFinished):
                made.append(event.features)
            elif isinstance(event, FeatureStopped):
                return None
        done += len(part)
    plain = [features.features_ND for features in made]
    plain_ND = torch.cat(plain) if views else plain[0]  # not copied: it may be half a gigabyte
    return _Prepared(
        train=Features(plain_ND[: len(train)], made[0].views_VND),
        valid_ND=plain_ND[len(train) :],
        computed=computed,
    )


def _head_data(task: Task, prepared: _Prepared) -> HeadData:
    return HeadData(
        train_ND=prepared.train.features_ND,
        train_labels_N=torch.tensor(task.train.labels),
        valid_ND=prepared.valid_ND,
        valid_labels_N=torch.tensor(task.valid.labels, dtype=torch.int64),
        class_count=len(task.class_names),
        train_views_VND=prepared.train.views_VND,
    )
