"""The one entry point of training, for page, API and command line: a job in, events out."""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

import torch

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.extractor import whole_backbone
from tlapp.classifier import Classifier
from tlapp.training.config import TrainConfig
from tlapp.training.counts import ParameterCounts, count_parameters
from tlapp.training.events import (
    BatchFinished,
    EpochFinished,
    PhaseStarted,
    TrainingEvent,
    TrainingFinished,
    TrainingResult,
    TrainingStarted,
    TrainingStopped,
)
from tlapp.training.finetune import finetune
from tlapp.training.head import HeadData, train_head
from tlapp.training.interval import wilson_interval
from tlapp.training.loss import rank
from tlapp.training.prepare import Prepared, prepare
from tlapp.training.task import (
    PhaseEpoch,
    PhaseEvent,
    PhasePrepared,
    Task,
    TrainJob,
    make_task,
)

ShouldStop = Callable[[], bool]


def train(
    job: TrainJob, *, cache: FeatureCache | None, should_stop: ShouldStop
) -> Iterator[TrainingEvent]:
    """A trained classifier, told step by step; the order of events is in `training.events`.

    In a phase in which the head learns alone, each picture passes the backbone once (or not at all,
    when `cache` has it); the backbone stays as it is, bit for bit. In any other a copy of it learns
    too. A phase begins with the best classifier of the one before. Stopping takes effect within one
    batch and keeps the best epoch so far. Same job and thread count give the same weights.

    Raises TrainingError when the data cannot be learnt or the learning rate is too high (epochs
    already told stay good) and PictureError when a picture cannot be read.
    """
    task = make_task(job)
    yield TrainingStarted(
        phases=job.phases,
        class_names=task.class_names,
        train_count=len(task.train.labels),
        valid_count=len(task.valid.labels),
    )
    progress = _Progress(task)
    is_stopped = False
    for config in job.phases:
        is_stopped = yield from progress.run_phase(config, cache, should_stop)
        if is_stopped:
            break
    result = progress.result()
    if is_stopped or result is None:
        yield TrainingStopped(result)
    else:
        yield TrainingFinished(result)


class _Progress:
    """Epochs counted over all phases, and the best of them."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._began = time.perf_counter()
        self._prepared: list[PhasePrepared] = []
        self._counts: ParameterCounts | None = None
        self._phase = self._epoch = 0
        self._best: EpochFinished | None = None
        self._best_rank: tuple[float, float] | None = None

    def run_phase(
        self, config: TrainConfig, cache: FeatureCache | None, should_stop: ShouldStop
    ) -> Generator[TrainingEvent, None, bool]:
        """The events of one phase; returns whether it was stopped."""
        start = self._best.classifier if self._best else None
        task = replace(self._task, backbone=start.backbone) if start else self._task
        self._phase += 1
        self._counts = count_parameters(task.backbone, len(task.class_names), config)
        first_epoch = last_epoch = self._epoch
        yield PhaseStarted(self._phase, first_epoch + 1, self._counts)
        run = _train_head_alone if config.is_head_alone else finetune
        patience = _Patience(config.patience)
        for event in run(task, config, start, cache=cache, should_stop=should_stop):
            if isinstance(event, PhasePrepared):
                self._prepared.append(event)
            elif isinstance(event, BatchFinished):
                yield replace(event, epoch=first_epoch + event.epoch)
            elif isinstance(event, PhaseEpoch):
                yield self._count(event)
                last_epoch = self._epoch
                if patience.is_over(event):
                    return False
            else:
                yield event
        return last_epoch - first_epoch < config.epochs

    def result(self) -> TrainingResult | None:
        """The best epoch with the figures of the whole training; None: no epoch was finished."""
        best, counts = self._best, self._counts
        if best is None or counts is None:
            return None
        seconds = time.perf_counter() - self._began
        prepare_seconds = sum(prepared.seconds for prepared in self._prepared)
        accuracy, valid_count = best.valid_accuracy, len(self._task.valid.labels)
        correct = 0 if accuracy is None else round(accuracy * valid_count)
        return TrainingResult(
            classifier=best.classifier,
            best_epoch=best.epoch,
            valid_accuracy=accuracy,
            valid_correct=correct,
            valid_count=valid_count,
            valid_interval=wilson_interval(correct, valid_count) if valid_count else None,
            feature_seconds=prepare_seconds,
            head_seconds=seconds - prepare_seconds,
            seconds=seconds,
            images_per_second=self._prepared[0].images_per_second,
            trainable_parameters=counts.trainable,
            frozen_parameters=counts.frozen,
        )

    def _count(self, told: PhaseEpoch) -> EpochFinished:
        """This epoch with its number, and whether it is the best so far."""
        place = rank(told.train, told.valid)
        is_best = self._best_rank is None or place > self._best_rank
        self._epoch += 1
        epoch = EpochFinished(
            phase=self._phase,
            epoch=self._epoch,
            train_loss=told.train_loss,
            train_eval_loss=told.train.loss,
            train_eval_accuracy=told.train.accuracy,
            valid_loss=told.valid.loss if told.valid else None,
            valid_accuracy=told.valid.accuracy if told.valid else None,
            seconds=told.seconds,
            is_best=is_best,
            classifier=told.classifier,
        )
        if is_best:
            self._best, self._best_rank = epoch, place
        return epoch


class _Patience:
    """Runs out after `epochs` without a better one; 0: never."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._best: tuple[float, float] | None = None
        self._since_best = 0

    def is_over(self, told: PhaseEpoch) -> bool:
        place = rank(told.train, told.valid)
        is_best = self._best is None or place > self._best
        self._best = place if is_best else self._best
        self._since_best = 0 if is_best else self._since_best + 1
        return 0 < self._epochs <= self._since_best


def _train_head_alone(
    task: Task,
    config: TrainConfig,
    start: Classifier | None,
    *,
    cache: FeatureCache | None,
    should_stop: ShouldStop,
) -> Iterator[PhaseEvent]:
    """Features once, then the head. Ends early when it is stopped."""
    extractor = whole_backbone(task.backbone)
    prepared = yield from prepare(task, extractor, config, cache, should_stop)
    if prepared is None:
        return
    yield PhasePrepared(prepared.seconds, prepared.images_per_second)
    is_trained = start is not None and start.is_backbone_trained
    head = start.head if start else None
    data = _head_data(task, prepared)
    for told in train_head(data, config, start=head, should_stop=should_stop):
        yield PhaseEpoch(
            train_loss=told.train_loss,
            train=told.train,
            valid=told.valid,
            seconds=told.seconds,
            classifier=Classifier(task.backbone, told.head, task.class_names, is_trained),
        )


def _head_data(task: Task, prepared: Prepared) -> HeadData:
    return HeadData(
        train_ND=prepared.train.features_ND,
        train_labels_N=torch.tensor(task.train.labels),
        valid_ND=prepared.valid.features_ND,
        valid_labels_N=torch.tensor(task.valid.labels, dtype=torch.int64),
        class_count=len(task.class_names),
        train_views_VND=prepared.train.views_VND,
    )
