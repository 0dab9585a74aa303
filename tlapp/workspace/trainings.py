"""Trainings: from the wish to train to a run in the queue, on disk and on the page.

A run is in `_active` from its submission until its record on disk says that it is over; from then
on the disk answers.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.catalog import find_card
from tlapp.backbones.weights import DownloadEvent, WeightsStore
from tlapp.classifier import Classifier, load_classifier
from tlapp.errors import JobError, NotFoundError, RunError
from tlapp.jobs.job import Job, JobEnd, ShouldStop
from tlapp.jobs.queue import JobQueue
from tlapp.runs.record import RunRecord, RunState
from tlapp.runs.recorder import RunRecorder
from tlapp.runs.store import RunStore
from tlapp.settings import Limits
from tlapp.training.config import TrainConfig
from tlapp.training.events import TrainingEvent, TrainingFinished
from tlapp.training.loss import rank
from tlapp.training.session import train
from tlapp.training.task import Start, TrainJob
from tlapp.workspace.earlier import make_start, next_phases
from tlapp.workspace.live import LiveRun, LiveTracker, live_from_record
from tlapp.workspace.plan import TrainingPlan, check_plan, new_record, stop_message
from tlapp.workspace.shelf import BackboneShelf

CLASSIFIERS_KEPT = 4  # of runs that are over, in memory; a trained backbone can be large


@dataclass(eq=False)
class _Active:
    """A run that waits or runs in this process."""

    dataset_id: str
    recorder: RunRecorder
    tracker: LiveTracker
    has_finished: bool = False  # its training told that it went to its end
    job: Job | None = None


class Trainings:
    """The runs of all visitors. Every method may be called from any thread."""

    def __init__(
        self,
        runs: RunStore,
        shelf: BackboneShelf,
        weights: WeightsStore,
        cache: FeatureCache,
        limits: Limits,
    ) -> None:
        self._runs = runs
        self._shelf = shelf
        self._weights = weights
        self._cache = cache
        self._limits = limits
        self._queue = JobQueue(limits, name="trainings")
        self._active: dict[str, _Active] = {}
        self._classifiers: OrderedDict[str, Classifier] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, owner: str, plan: TrainingPlan) -> str:
        """Put a training in the queue; its run id. Raises TrainingError, JobError."""
        check_plan(plan, self._shelf.sketch(plan.config.backbone).stages, self._limits)
        record = new_record(owner, plan)
        run = self._runs.create(record)
        active = _Active(
            dataset_id=plan.dataset.dataset_id,
            recorder=RunRecorder(run, record),
            tracker=LiveTracker(record),
        )
        with self._lock:
            self._active[record.run_id] = active
        try:
            active.job = self._queue.submit(
                owner,
                lambda should_stop: self._events(active, plan, should_stop),
                lambda event: _on_event(active, event),
                on_end=lambda end: self._on_end(record.run_id, active, end),
                expected_seconds=plan.expected_seconds,
            )
        except JobError:
            self._forget(record.run_id)
            self._runs.delete(record.run_id)
            raise
        self._make_room(owner)
        return record.run_id

    def stop(self, run_id: str) -> None:
        """Ask a run to stop. Harmless when it is over."""
        active = self._find(run_id)
        if active is not None and active.job is not None:
            self._queue.stop(active.job)

    def record(self, run_id: str) -> RunRecord:
        """The run's record at this moment. Raises NotFoundError."""
        active = self._find(run_id)
        return self._runs.record(run_id) if active is None else active.recorder.record

    def list(self, owner: str) -> tuple[RunRecord, ...]:
        """The owner's runs, newest first."""
        return tuple(
            record if (active := self._find(record.run_id)) is None else active.recorder.record
            for record in self._runs.list(owner)
        )

    def live(self, run_id: str) -> LiveRun:
        """The run at this moment. Raises NotFoundError."""
        active = self._find(run_id)
        folder = self._runs.folder(run_id)
        if active is None:
            live = live_from_record(folder.record(), folder.best_model_epoch())
        elif active.job is None:
            live = active.tracker.live
        else:
            snapshot = self._queue.snapshot(active.job)
            live = replace(
                active.tracker.live,
                queue_position=snapshot.position,
                waiting_seconds=snapshot.waiting_seconds,
            )
        return replace(live, can_go_on=live.state == "stopped" and folder.has_state())

    def listen(self, run_id: str, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` at every change, until the returned function is called."""
        active = self._find(run_id)
        if active is None or active.job is None:
            return lambda: None
        return active.job.add_listener(callback)

    def wait(self, run_id: str, timeout_seconds: float | None) -> bool:
        """Wait until a run is over; False when the time ran out first."""
        active = self._find(run_id)
        return active is None or active.job is None or active.job.wait(timeout_seconds)

    def classifier(self, run_id: str) -> Classifier:
        """The newest epoch's while running, the best one afterwards. RunError: none yet."""
        active = self._find(run_id)
        if active is not None:
            if active.recorder.latest is None:
                raise RunError(
                    "This training has not finished its first epoch yet.",
                    hint="Wait a moment, then try again.",
                )
            return active.recorder.latest[1]
        with self._lock:
            if run_id in self._classifiers:
                self._classifiers.move_to_end(run_id)
                return self._classifiers[run_id]
        return self._keep(run_id, self._load(run_id))

    def next_phases(self, run_id: str, phase: TrainConfig | None) -> tuple[TrainConfig, ...]:
        """The phases of a run that takes this one up (`earlier.next_phases`). Raises RunError."""
        return next_phases(self.record(run_id), self._runs.folder(run_id), phase)

    def change(self, run_id: str, *, name: str | None = None, pinned: bool | None = None) -> None:
        """Rename a run, or pin it. Raises RunError while it waits or runs, NotFoundError."""
        record = self.record(run_id)
        if not record.is_over:
            raise RunError(
                "This training is not over yet.", hint="Wait for its end, then change it."
            )
        record = record if name is None else replace(record, name=name)
        record = record if pinned is None else replace(record, is_pinned=pinned)
        self._runs.folder(run_id).write(record)

    def folder(self, run_id: str) -> Path:
        """The run's folder on disk. Raises NotFoundError."""
        return self._runs.folder(run_id).path

    def delete(self, run_id: str) -> None:
        """Remove a run. Raises RunError while it waits or runs, NotFoundError."""
        active = self._find(run_id)
        if active is not None and not active.recorder.record.is_over:
            raise RunError("This training is not over yet.", hint="Stop it first, then remove it.")
        self._runs.delete(run_id)
        self._forget(run_id)
        with self._lock:
            self._classifiers.pop(run_id, None)

    def uses(self, dataset_id: str) -> bool:
        """Whether a training that waits or runs needs this data set."""
        with self._lock:
            return any(
                active.dataset_id == dataset_id and not active.recorder.record.is_over
                for active in self._active.values()
            )

    def owner_is_busy(self, owner: str) -> bool:
        """Whether this owner has a training that waits or runs."""
        return self._queue.job_of(owner) is not None

    def is_idle(self) -> bool:
        """Nobody trains or waits."""
        return self._queue.is_idle()

    def close(self, timeout_seconds: float) -> None:
        """Stop everything, which may take so long; the best epochs are kept."""
        self._queue.close(timeout_seconds)
        self._runs.close()

    def _events(
        self, active: _Active, plan: TrainingPlan, should_stop: ShouldStop
    ) -> Iterator[TrainingEvent | DownloadEvent]:
        active.recorder.start()
        active.tracker.set_record(active.recorder.record)
        card = find_card(plan.config.backbone)
        if plan.config.pretrained and not self._weights.is_ready(card):
            yield from self._weights.fetch(card, should_stop)
        if should_stop():
            return
        backbone = self._shelf.get(
            card.name, pretrained=plan.config.pretrained, seed=plan.config.seed
        )
        job = TrainJob(
            images=plan.dataset.images,
            split=plan.split,
            picture_of=plan.picture_of,
            backbone=backbone,
            phases=plan.phases,
            start=self._take_up(active, plan),
        )
        yield from train(job, cache=self._cache, should_stop=should_stop)

    def _take_up(self, active: _Active, plan: TrainingPlan) -> Start | None:
        """Where the training starts when it takes up an earlier run."""
        earlier = plan.continues
        if earlier is None:
            return None
        best = self.classifier(earlier.run_id)
        start, rows = make_start(earlier, self._runs.folder(earlier.run_id), best, plan.phases)
        best_row = max(rows, key=rank)
        active.recorder.take_up(rows, (best_row.epoch, best))
        active.tracker.set_record(active.recorder.record)
        return start

    def _on_end(self, run_id: str, active: _Active, end: JobEnd) -> None:
        state: RunState = "finished" if active.has_finished else end.state
        if state == "finished" and not active.has_finished:
            state = "stopped"  # the training itself told that it was stopped
        message = end.message or stop_message(active.recorder.record, state, end, self._limits)
        try:
            active.recorder.end(state, message=message, hint=end.hint)
        finally:  # when the disk refuses, the record in memory goes on to answer, as failed
            active.tracker.set_record(active.recorder.record)
        self._runs.release(run_id)
        if active.recorder.latest is not None:
            self._keep(run_id, active.recorder.latest[1])
        self._forget(run_id)

    def _forget(self, run_id: str) -> None:
        with self._lock:
            self._active.pop(run_id, None)

    def _find(self, run_id: str) -> _Active | None:
        with self._lock:
            return self._active.get(run_id)

    def _load(self, run_id: str) -> Classifier:
        classifier = load_classifier(self._runs.folder(run_id).model_path(), self._weights)
        backbone = classifier.backbone
        if classifier.is_backbone_trained or not backbone.pretrained:
            return classifier
        return replace(classifier, backbone=self._shelf.get(backbone.card.name))

    def _keep(self, run_id: str, classifier: Classifier) -> Classifier:
        with self._lock:
            self._classifiers[run_id] = classifier
            self._classifiers.move_to_end(run_id)
            while len(self._classifiers) > CLASSIFIERS_KEPT:
                self._classifiers.popitem(last=False)
        return classifier

    def _make_room(self, owner: str) -> None:
        """Remove the owner's oldest runs, so that one more is within the limit."""
        runs = self._runs.list(owner)
        over = [record for record in runs if record.is_over and not record.is_pinned]
        for record in over[max(0, self._limits.runs - 1) :]:
            with suppress(NotFoundError, RunError):  # somebody else removed it
                self.delete(record.run_id)


def _on_event(active: _Active, event: TrainingEvent | DownloadEvent) -> None:
    active.has_finished = active.has_finished or isinstance(event, TrainingFinished)
    if not isinstance(event, DownloadEvent):
        active.recorder.on_event(event)
    active.tracker.on_event(event)
    active.tracker.set_record(active.recorder.record)
