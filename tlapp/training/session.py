"""The one entry point of training, for page, API and command line: a job in, events out."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import torch

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.extractor import whole_backbone
from tlapp.classifier import Classifier
from tlapp.stopping import ShouldStop
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
from tlapp.training.stopwatch import Stopwatch
from tlapp.training.task import (
    EpochTold,
    PhaseEpoch,
    PhaseEvent,
    PhasePrepared,
    PhaseStart,
    Task,
    TrainJob,
    make_task,
)


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
    stopwatch = Stopwatch()
    for event in _train(job, cache, should_stop, stopwatch):
        stopwatch.pause()  # whoever listens takes their own time
        yield event
        stopwatch.go_on()


def _train(
    job: TrainJob, cache: FeatureCache | None, should_stop: ShouldStop, stopwatch: Stopwatch
) -> Iterator[TrainingEvent]:
    task = make_task(job)
    yield TrainingStarted(
        phases=job.phases,
        class_names=task.class_names,
        train_count=len(task.train.labels),
        valid_count=len(task.valid.labels),
    )
    progress = _Progress(task, job, stopwatch)
    is_stopped = False
    while progress.has_phase() and not is_stopped:
        is_stopped = yield from progress.run_phase(cache, should_stop)
    result = progress.result()
    if is_stopped or result is None:
        yield TrainingStopped(result)
    else:
        yield TrainingFinished(result)


class _Progress:
    """Epochs counted over all phases, and the best of them."""

    def __init__(self, task: Task, job: TrainJob, stopwatch: Stopwatch) -> None:
        self._task = task
        self._phases = job.phases
        self._stopwatch = stopwatch
        self._prepared: list[PhasePrepared] = []
        self._counts: ParameterCounts | None = None
        start = job.start
        self._phase = start.phase if start else 1  # the one to run next
        self._told: list[EpochTold] = list(start.told) if start else []
        self._best_classifier = start.best if start else None
        self._state = start.state if start else None

    def has_phase(self) -> bool:
        """Whether there is one more."""
        return self._phase <= len(self._phases)

    def run_phase(
        self, cache: FeatureCache | None, should_stop: ShouldStop
    ) -> Generator[TrainingEvent, None, bool]:
        """The events of the next phase; returns whether it was stopped."""
        config, phase, best = self._phases[self._phase - 1], self._phase, self._best_classifier
        task = replace(self._task, backbone=best.backbone) if best else self._task
        before = [epoch for epoch in self._told if epoch.phase < phase]
        self._counts = count_parameters(task.backbone, len(task.class_names), config)
        yield PhaseStarted(phase, len(before) + 1, self._counts)
        run = _train_head_alone if config.is_head_alone else finetune
        start = PhaseStart(best, self._state)
        for event in run(task, config, start, cache=cache, should_stop=should_stop):
            if isinstance(event, PhasePrepared):
                self._prepared.append(event)
            elif isinstance(event, BatchFinished):
                yield replace(event, epoch=len(before) + event.epoch)
            elif isinstance(event, PhaseEpoch):
                yield self._count(event)
                if config.patience and self._epochs_since_best(phase) >= config.patience:
                    break
            else:
                yield event
        else:
            if len(self._told) - len(before) < config.epochs:
                return True
        self._phase, self._state = phase + 1, None
        return False

    def result(self) -> TrainingResult | None:
        """The best epoch with the figures of the whole training; None: no epoch was finished."""
        counts, classifier = self._counts, self._best_classifier
        if classifier is None or counts is None:
            return None
        best = max(self._told, key=rank)
        seconds = self._stopwatch.seconds()
        prepare_seconds = sum(prepared.seconds for prepared in self._prepared)
        accuracy, valid_count = best.valid_accuracy, len(self._task.valid.labels)
        correct = 0 if accuracy is None else round(accuracy * valid_count)
        return TrainingResult(
            classifier=classifier,
            best_epoch=best.epoch,
            valid_accuracy=accuracy,
            valid_correct=correct,
            valid_count=valid_count,
            valid_interval=wilson_interval(correct, valid_count) if valid_count else None,
            feature_seconds=prepare_seconds,
            head_seconds=seconds - prepare_seconds,
            seconds=seconds,
            images_per_second=max((p.images_per_second for p in self._prepared), default=0.0),
            trainable_parameters=counts.trainable,
            frozen_parameters=counts.frozen,
        )

    def _count(self, told: PhaseEpoch) -> EpochFinished:
        """This epoch with its number, and whether it is the best so far."""
        epoch = EpochFinished(
            phase=self._phase,
            epoch=len(self._told) + 1,
            train_loss=told.train_loss,
            train_eval_loss=told.train.loss,
            train_eval_accuracy=told.train.accuracy,
            valid_loss=told.valid.loss if told.valid else None,
            valid_accuracy=told.valid.accuracy if told.valid else None,
            valid_class_correct=told.valid.class_correct if told.valid else (),
            valid_hits=told.valid.hits if told.valid else (),
            forgetting=told.forgetting,
            seconds=told.seconds,
            elapsed_seconds=self._stopwatch.seconds(),
            is_best=False,
            classifier=told.classifier,
            save_state=told.save_state,
        )
        is_best = all(rank(epoch) > rank(earlier) for earlier in self._told)
        if is_best:
            self._best_classifier = told.classifier
        self._told.append(_numbers_of(epoch))
        return replace(epoch, is_best=is_best)

    def _epochs_since_best(self, phase: int) -> int:
        """How many epochs of this phase came after its best one."""
        epochs = [epoch for epoch in self._told if epoch.phase == phase]
        best = max(epochs, key=rank)
        return epochs[-1].epoch - best.epoch


@dataclass(frozen=True)
class _EpochNumbers:
    """An epoch without its classifier, which is large."""

    phase: int
    epoch: int
    train_eval_loss: float
    valid_loss: float | None
    valid_accuracy: float | None


def _numbers_of(epoch: EpochFinished) -> _EpochNumbers:
    return _EpochNumbers(
        phase=epoch.phase,
        epoch=epoch.epoch,
        train_eval_loss=epoch.train_eval_loss,
        valid_loss=epoch.valid_loss,
        valid_accuracy=epoch.valid_accuracy,
    )


def _train_head_alone(
    task: Task,
    config: TrainConfig,
    start: PhaseStart,
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
    is_trained = start.classifier is not None and start.classifier.is_backbone_trained
    data = head_data(task, prepared)
    for told in train_head(data, config, start, should_stop=should_stop):
        yield PhaseEpoch(
            train_loss=told.train_loss,
            train=told.train,
            valid=told.valid,
            forgetting=None,
            seconds=told.seconds,
            classifier=Classifier(task.backbone, told.head, task.class_names, is_trained),
            save_state=told.save_state,
        )


def head_data(task: Task, prepared: Prepared) -> HeadData:
    """What a head reads of the pictures that have passed the backbone."""
    return HeadData(
        train_ND=prepared.train.features_ND,
        train_labels_N=torch.tensor(task.train.labels),
        valid_ND=prepared.valid.features_ND,
        valid_labels_N=torch.tensor(task.valid.labels, dtype=torch.int64),
        class_count=len(task.class_names),
        train_views_ND=prepared.train.views_ND,
    )
