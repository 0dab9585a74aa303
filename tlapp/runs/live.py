"""What a run looks like at one moment: a frozen snapshot, folded from the events of its training.

The time that is left comes from the steps and epochs seen so far. Within an epoch steps come evenly
and measuring follows them, so both are timed apart; otherwise the figure would jump at every
epoch's end.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from tlapp.backbones.weights import DownloadEvent, DownloadProgress
from tlapp.runs.record import RunRecord, RunState
from tlapp.training.events import (
    BatchFinished,
    EpochFinished,
    PhaseStarted,
    PreparingFeatures,
    TrainingEvent,
)

Phase = Literal["waiting", "download", "features", "training", "done"]

_UNSTEADY_REPORTS = 5  # the first ones, from whose speed nothing can be reckoned
MOST_BATCH_LOSSES = 400  # a chart is about 400 pixels wide
_MEASURING_GUESS = 0.15  # of an epoch's steps, before one has been seen: a third of a step's cost
_SMOOTHING = 0.1  # of the newest step in the mean: follows a machine that becomes busy


@dataclass(frozen=True, kw_only=True)
class LiveRun:
    """One run at one moment. `record.epochs` holds every finished epoch, whole."""

    record: RunRecord
    phase: Phase
    queue_position: int = 0  # jobs that go first, plus one; 0 when not waiting
    waiting_seconds: float | None = None  # expected until it starts; None: not known
    job_seconds: float = 0.0  # wall time since its job started, which a race's lanes share
    job_seconds_left: float | None = None  # as expected before it started; None: not known
    download_done_bytes: int = 0
    download_total_bytes: int = 0
    features_done: int = 0
    features_total: int = 0
    features_per_second: float | None = None
    asks_original: bool = False  # what passes now is for the forgetting meter
    epoch: int = 0  # the epoch that is running (or the last one), 1 for the first
    epochs: int = 0  # planned
    batch: int = 0  # batches finished in this epoch
    batches: int = 0  # in this epoch; 0 when not known
    batch_losses: tuple[tuple[float, float], ...] = ()  # (epochs done, mean loss in this epoch)
    seconds_left: float | None = None  # estimate until the phase ends; None: not known
    phase_number: int = 1  # of `record.phases`, 1 for the first
    can_go_on: bool = False  # it was stopped, and what going on takes is kept
    classifier_epoch: int = 0  # the epoch whose classifier answers in Try; 0: none yet

    @property
    def state(self) -> RunState:
        """waiting, running, finished, stopped or failed."""
        return self.record.state

    @property
    def is_over(self) -> bool:
        """Nothing will change any more."""
        return self.record.is_over


def live_from_record(record: RunRecord, classifier_epoch: int | None) -> LiveRun:
    """The snapshot of a run that is not in this process's queue."""
    return LiveRun(
        record=record,
        phase="done" if record.is_over else "training",
        epoch=record.epochs[-1].epoch if record.epochs else 0,
        epochs=record.planned_epochs,
        seconds_left=0.0 if record.is_over else None,
        classifier_epoch=classifier_epoch or 0,
    )


def _appended(
    points: tuple[tuple[float, float], ...], point: tuple[float, float]
) -> tuple[tuple[float, float], ...]:
    """With one point more; every second one goes when there are too many to be told apart."""
    return (*(points[::2] if len(points) >= MOST_BATCH_LOSSES else points), point)


class LiveTracker:
    """Folds events into a `LiveRun`. One thread writes; any thread reads `live`."""

    def __init__(self, record: RunRecord, clock: Callable[[], float] = time.monotonic) -> None:
        self.live = LiveRun(record=record, phase="waiting", epochs=record.planned_epochs)
        self._clock = clock
        self._pace = Pace(record.planned_epochs)
        self._feature_reports = 0  # in this phase

    def set_record(self, record: RunRecord) -> None:
        """The record has changed."""
        is_over = {"phase": "done", "seconds_left": 0.0} if record.is_over else {}
        self.live = replace(self.live, record=record, **is_over)  # type: ignore[arg-type]  # fields

    def on_event(self, event: TrainingEvent | DownloadEvent) -> None:
        """Take in what this event says; the record is set on its own."""
        if isinstance(event, DownloadProgress):
            self.live = replace(
                self.live,
                phase="download",
                download_done_bytes=event.done_bytes,
                download_total_bytes=event.total_bytes,
            )
        elif isinstance(event, PhaseStarted):
            planned = self.live.record.phases[event.phase - 1]["epochs"]
            self._pace = Pace(event.first_epoch - 1 + planned)
            self._feature_reports = 0
            self.live = replace(
                self.live, phase_number=event.phase, batch=0, batches=0, seconds_left=None
            )
        elif isinstance(event, PreparingFeatures):
            self._pace.begin(self._clock())
            self.live = self._with_features(event)
        elif isinstance(event, BatchFinished):
            epochs_done = event.epoch - 1 + event.batch / event.batches
            self.live = replace(
                self.live,
                phase="training",
                epoch=event.epoch,
                batch=event.batch,
                batches=event.batches,
                batch_losses=_appended(self.live.batch_losses, (epochs_done, event.train_loss)),
                seconds_left=self._pace.step(
                    event.epoch, event.batch, event.batches, at=self._clock()
                ),
            )
        elif isinstance(event, EpochFinished):
            seconds_left = self._pace.epoch(
                event.epoch, event.seconds, self.live.batches, at=self._clock()
            )
            self.live = replace(
                self.live,
                phase="training",
                epoch=event.epoch,
                batch=self.live.batches,
                seconds_left=seconds_left,
                classifier_epoch=event.epoch,
            )

    def _with_features(self, event: PreparingFeatures) -> LiveRun:
        speed = event.images_per_second
        self._feature_reports += 1
        is_steady = speed and self._feature_reports > _UNSTEADY_REPORTS
        return replace(
            self.live,
            phase="features",
            features_done=event.done,
            asks_original=event.asks_original,
            features_total=event.total,
            features_per_second=speed or None,
            seconds_left=(event.total - event.done) / speed if is_steady else None,
        )


class Pace:
    """Times of one training. The clock is the caller's: `at` is any steady time in seconds."""

    def __init__(self, epochs: int) -> None:
        """`epochs` are planned in all."""
        self._epochs = epochs
        self._last: float | None = None  # when the last step or epoch ended
        self._step_seconds: float | None = None  # smoothed
        self._measuring_seconds: float | None = None  # of the last epoch
        self._epoch_seconds: float | None = None  # of epochs that do not tell their steps, smoothed

    def begin(self, at: float) -> None:
        """A phase begins to learn."""
        self._last = at

    def step(self, epoch: int, batch: int, batches: int, *, at: float) -> float | None:
        """Seconds left after this step; None: not known yet."""
        if self._last is not None:
            self._step_seconds = _smooth(self._step_seconds, at - self._last)
        self._last = at
        if self._step_seconds is None:
            return None
        steps = self._step_seconds * batches
        measuring = self._measuring_seconds
        measuring = steps * _MEASURING_GUESS if measuring is None else measuring
        rest_of_epoch = self._step_seconds * (batches - batch) + measuring
        return rest_of_epoch + (self._epochs - epoch) * (steps + measuring)

    def epoch(self, epoch: int, seconds: float, batches: int, *, at: float) -> float:
        """Seconds left after this epoch of `batches` told steps (0: it told none)."""
        if batches and self._last is not None:
            self._measuring_seconds = at - self._last
        self._last = at
        if batches and self._step_seconds is not None and self._measuring_seconds is not None:
            each = self._step_seconds * batches + self._measuring_seconds
        else:
            each = self._epoch_seconds = _smooth(self._epoch_seconds, seconds)
        return max(0.0, each * (self._epochs - epoch))


def _smooth(mean: float | None, newest: float) -> float:
    return newest if mean is None else (1 - _SMOOTHING) * mean + _SMOOTHING * newest
