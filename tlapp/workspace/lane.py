"""One run of this process: its plan, its record, and what is to be seen of it at the moment."""

from dataclasses import dataclass

from tlapp.backbones.weights import DownloadEvent
from tlapp.jobs.job import Job
from tlapp.runs.recorder import RunRecorder
from tlapp.training.events import EpochFinished, TrainingEvent, TrainingFinished
from tlapp.workspace.live import LiveTracker
from tlapp.workspace.plan import TrainingPlan

RACE, TRAINING = "freeze race", "training"  # what their owner calls several lanes, and one


@dataclass(eq=False)
class Lane:
    """A run that waits or runs in this process."""

    plan: TrainingPlan
    recorder: RunRecorder
    tracker: LiveTracker
    has_finished: bool = False  # its training told that it went to its end
    job: Job | None = None  # several lanes may have the same one

    @property
    def run_id(self) -> str:
        return self.recorder.record.run_id

    def take_in(self, event: TrainingEvent | DownloadEvent) -> None:
        """Record what this event says, and show it."""
        self.has_finished = self.has_finished or isinstance(event, TrainingFinished)
        if not isinstance(event, DownloadEvent):
            self.recorder.on_event(event)
        self.tracker.on_event(event)
        self.tracker.set_record(self.recorder.record)


def is_turn_over(event: TrainingEvent | DownloadEvent) -> bool:
    """Whether another lane may go on: the seconds of an epoch are its own."""
    return isinstance(event, EpochFinished)
