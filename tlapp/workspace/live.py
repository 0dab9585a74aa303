"""What a run looks like at one moment: a frozen snapshot for page, API and command line."""

from dataclasses import dataclass
from typing import Literal

from tlapp.runs.record import RunRecord, RunState

Phase = Literal["waiting", "download", "features", "training", "done"]


@dataclass(frozen=True, kw_only=True)
class LiveRun:
    """One run at one moment. `record.epochs` holds every finished epoch, whole."""

    record: RunRecord
    phase: Phase
    queue_position: int = 0  # jobs that go first, plus one; 0 when not waiting
    waiting_seconds: float | None = None  # expected until it starts; None: not known
    download_done_bytes: int = 0
    download_total_bytes: int = 0
    features_done: int = 0
    features_total: int = 0
    features_per_second: float | None = None
    epoch: int = 0  # the epoch that is running (or the last one), 1 for the first
    epochs: int = 0  # planned; 0 before the training has started
    batch: int = 0  # batches finished in this epoch
    batches: int = 0  # in this epoch; 0 when not known
    running_loss: float | None = None  # of the running epoch, nats per picture
    seconds_left: float | None = None  # estimate until the end; None: not known
    classifier_epoch: int = 0  # the epoch whose classifier answers in Try; 0: none yet

    @property
    def state(self) -> RunState:
        """waiting, running, finished, stopped or failed."""
        return self.record.state

    @property
    def is_over(self) -> bool:
        """Nothing will change any more."""
        return self.record.state in ("finished", "stopped", "failed")
