"""From training events to a run on disk.

Every epoch's row is on disk before the next epoch begins. Models are saved at most twice a second
(a head epoch takes milliseconds) and always at the end: a kill loses at most that half second of
weights and the running epoch.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from tlapp.classifier import Classifier
from tlapp.messages import NOTHING, Message, message
from tlapp.runs.folder import RunFolder
from tlapp.runs.record import EpochRow, RunRecord, RunState
from tlapp.runs.store import now
from tlapp.training.events import (
    EpochFinished,
    PhaseStarted,
    TrainingEvent,
    TrainingFinished,
    TrainingResult,
    TrainingStarted,
    TrainingStopped,
)
from tlapp.training.state import State

SAVE_PERIOD_SECONDS = 0.5
UNSAVED_MESSAGE: Final = message(
    "The result could not be saved: the disk of this machine refused it."
)


class RunRecorder:
    """Writes one run as its events come. Used by one thread at a time.

    `record` is always the newest one, as a frozen value that any thread may read.
    """

    def __init__(
        self, run: RunFolder, record: RunRecord, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.record = record
        self._run = run
        self._clock = clock
        self._saved_at = -SAVE_PERIOD_SECONDS
        self._saved: frozenset[int] = frozenset()
        self._latest: tuple[int, Classifier] | None = None
        self._best: tuple[int, Classifier] | None = None
        self._state: tuple[int, State] | None = None  # of the newest epoch, if it can be kept

    @property
    def latest(self) -> tuple[int, Classifier] | None:
        """The newest epoch and its classifier while training; the best one afterwards."""
        return self._latest

    def start(self) -> None:
        """The run has left the queue."""
        self._change(state="running", started=now())

    def resume(self, rows: Sequence[EpochRow], best: tuple[int, Classifier]) -> None:
        """Begin with the epochs of an earlier run, and the best classifier among them."""
        for row in rows:
            self._run.append(row)
        with_rows = replace(self.record, epochs=tuple(rows))
        self.record = replace(with_rows, seconds_before=max(with_rows.elapsed, default=0.0))
        self._latest = self._best = best

    def on_event(self, event: TrainingEvent) -> None:
        """Keep what this event says."""
        if isinstance(event, TrainingStarted):
            self._change(train_count=event.train_count, valid_count=event.valid_count)
        elif isinstance(event, PhaseStarted):
            self._change(
                trainable_parameters=event.counts.trainable,
                frozen_parameters=event.counts.frozen,
                replaced_layer=event.counts.replaced_layer,
            )
        elif isinstance(event, EpochFinished):
            self._add_epoch(event)
        elif isinstance(event, TrainingFinished | TrainingStopped) and event.result is not None:
            self._keep_result(event.result)

    def end(self, state: RunState, *, why: Message = NOTHING, hint: Message = NOTHING) -> None:
        """The run is over: keep the best model alone, and wait until the disk has everything.

        Raises OSError when the disk refuses; `record` then says "failed".
        """
        if self.record.best_epoch is None and self._best is not None:  # failed on the way
            self.record = self.record.with_best(self._best[0])
        self._latest = self._best
        if state == "finished":
            self._state = None
        ended = replace(self.record, state=state, finished=now(), message=why, hint=hint)
        self.record = replace(
            ended,
            state="failed",
            message=UNSAVED_MESSAGE,
            hint=message("Make room, then train again."),
        )
        self._save_models(durable=True)
        self._run.write(ended, durable=True)
        self.record = ended

    def _add_epoch(self, event: EpochFinished) -> None:
        row = epoch_row(event, seconds_before=self.record.seconds_before)
        self._run.append(row)
        self._latest = (event.epoch, event.classifier)
        state = event.save_state()
        self._state = None if state is None else (event.epoch, state)
        if event.is_best or self._best is None:
            self._best = self._latest
        self.record = replace(self.record, epochs=(*self.record.epochs, row))
        if self._clock() - self._saved_at >= SAVE_PERIOD_SECONDS:
            self._save_models()
            self._saved_at = self._clock()

    def _keep_result(self, result: TrainingResult) -> None:
        self._best = (result.best_epoch, result.classifier)
        self.record = replace(
            self.record.with_best(result.best_epoch),
            seconds=result.seconds,
            feature_seconds=result.feature_seconds,
            head_seconds=result.head_seconds,
            images_per_second=result.images_per_second,
        )

    def _save_models(self, *, durable: bool = False) -> None:
        """Bring the newest and the best model to disk, then drop older ones."""
        wanted = dict(model for model in (self._latest, self._best) if model is not None)
        for epoch, classifier in wanted.items():
            if epoch not in self._saved or durable:
                self._run.save_model(epoch, classifier, durable=durable)
        self._saved = frozenset(wanted)
        self._run.keep_models(self._saved)
        if self._state is None:
            self._run.drop_state()
        else:
            self._run.save_state(*self._state, durable=durable)

    def _change(self, **values: object) -> None:
        self.record = replace(self.record, **values)  # type: ignore[arg-type]  # field names above
        self._run.write(self.record)


def epoch_row(event: EpochFinished, *, seconds_before: float = 0.0) -> EpochRow:
    """What a record keeps of an epoch, when so much time went by before the training."""
    return EpochRow(
        epoch=event.epoch,
        phase=event.phase,
        train_loss=event.train_loss,
        train_eval_loss=event.train_eval_loss,
        train_eval_accuracy=event.train_eval_accuracy,
        valid_loss=event.valid_loss,
        valid_accuracy=event.valid_accuracy,
        seconds=event.seconds,
        elapsed_seconds=seconds_before + event.elapsed_seconds,
        is_best=event.is_best,
        valid_class_correct=event.valid_class_correct,
        agreement=event.forgetting.agreement if event.forgetting else None,
        drift=event.forgetting.drift if event.forgetting else (),
        valid_hits="".join("1" if hit else "0" for hit in event.valid_hits),
    )
