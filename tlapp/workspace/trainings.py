"""Trainings: from settings and a data set to a run in the queue, on disk and on the page.

A run is in `_active` from its submission until its record on disk says that it is over; from then
on the disk answers.
"""

import threading
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.weights import DownloadEvent
from tlapp.classifier import Classifier
from tlapp.data.dataset import Dataset, DatasetStore
from tlapp.errors import NotFoundError, RunError
from tlapp.experiments.turns import LaneEnded, in_turns
from tlapp.jobs.job import Job, JobEnd
from tlapp.jobs.queue import JobQueue
from tlapp.messages import ENGLISH, NOTHING, Message, message
from tlapp.runs.curves import CurvesKind, curves
from tlapp.runs.live import LiveRun, LiveTracker, live_from_record
from tlapp.runs.record import RunRecord, RunState
from tlapp.runs.recorder import RunRecorder
from tlapp.runs.store import RunStore
from tlapp.settings import Limits
from tlapp.stopping import ShouldStop
from tlapp.training.config import TrainConfig
from tlapp.training.events import EpochFinished, TrainingEvent, TrainingFinished
from tlapp.training.loss import rank
from tlapp.training.presets import phases_of
from tlapp.training.session import train
from tlapp.training.task import Start, TrainJob
from tlapp.workspace.estimates import total_seconds
from tlapp.workspace.models import Models
from tlapp.workspace.plan import (
    RACE,
    TRAINING,
    TrainingPlan,
    check_phases,
    check_plan,
    check_same_pictures,
    ended_phases,
    free_name,
    make_start,
    new_record,
    next_phases,
    of_run,
    refused_start,
    stop_message,
    training_job,
)
from tlapp.workspace.visitors import Changes, Unsubscribe


@dataclass(eq=False)
class Lane:
    """A run that waits or runs in this process."""

    plan: TrainingPlan
    recorder: RunRecorder
    tracker: LiveTracker
    has_finished: bool = False  # its training said that it went to its end
    job: Job | None = None  # several lanes may have the same one

    @property
    def run_id(self) -> str:
        return self.recorder.record.run_id

    def is_of(self, owner: str) -> bool:
        """Whether it is this owner's."""
        return self.recorder.record.owner == owner

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


class Trainings:
    """The runs of all visitors. Every method may be called from any thread."""

    def __init__(
        self,
        runs: RunStore,
        store: DatasetStore,
        models: Models,
        cache: FeatureCache,
        queue: JobQueue,
        changes: Changes,
        limits: Limits,
    ) -> None:
        """`changes` is told whatever happens to a run."""
        self._runs = runs
        self._store = store
        self._models = models
        self.cache = cache
        self._queue = queue
        self._changes = changes
        self._limits = limits
        self._active: dict[str, Lane] = {}
        self._lock = threading.Lock()

    def start(self, owner: str, dataset: Dataset, *phases: TrainConfig, name: str = "") -> str:
        """Put a training of one phase or more in the queue and return its run id.

        Settings with `head_epochs` are two phases. The data set is taken as it is now; weights that
        are not here yet are downloaded first. Raises DataError (cannot be trained on),
        TrainingError (settings over the limits), BackboneError, JobError (queue full, or this owner
        has something that waits or runs), ServerError (the disk refuses). What can be told from the
        settings is refused before anything is computed.
        """
        expanded = tuple(phase for config in phases for phase in phases_of(config))
        self.check_start(owner, expanded)
        return self.submit(owner, self.plan(dataset, expanded, name=name))[0]

    def resume(self, record: RunRecord, dataset: Dataset, *, name: str = "") -> str:
        """Go on where a run was stopped, as if it never had been; the id of the run that does.

        It is called `name`, or like the earlier one with a number. Raises what `start` raises, and
        RunError when the run cannot be resumed or the pictures have changed since.
        """
        return self._start_after(record, dataset, None, name)

    def fine_tune(
        self, record: RunRecord, dataset: Dataset, phase: TrainConfig, *, name: str = ""
    ) -> str:
        """Go on from a run's best epoch with one more phase, on that run's backbone; the id of the
        run that does. Names and errors are those of `resume`."""
        return self._start_after(record, dataset, of_run(record, phases_of(phase)[-1]), name)

    def _start_after(
        self, record: RunRecord, dataset: Dataset, phase: TrainConfig | None, name: str
    ) -> str:
        phases = next_phases(record, self._runs.folder(record.run_id), phase)
        self.check_start(record.owner, phases, record)
        check_same_pictures(record, dataset)
        plan = self.plan(dataset, phases, name=name or record.name)
        return self.submit(record.owner, replace(plan, continues=record))[0]

    def check_start(
        self, owner: str, phases: Sequence[TrainConfig], continues: RunRecord | None = None
    ) -> None:
        """Refuse what `submit` would refuse of these phases, before a plan is made of them, which
        takes time; `continues` is the run that is resumed. Raises BackboneError, TrainingError,
        JobError."""
        stages = self._models.sketch(phases[-1].backbone).stages
        check_phases(phases, stages, self._limits, ended=ended_phases(continues, phases))
        self._queue.check_room(owner)

    def plan(self, dataset: Dataset, phases: tuple[TrainConfig, ...], *, name: str) -> TrainingPlan:
        """The data set as it is now, these phases, and the time that they will take."""
        return TrainingPlan(
            dataset=dataset,
            split=dataset.split,
            picture_of=self._store.pictures(dataset),
            phases=phases,
            name=name,
            expected_seconds=self._models.estimates.seconds(dataset, phases),
        )

    def submit(self, owner: str, *plans: TrainingPlan, at_once: int = 1) -> tuple[str, ...]:
        """Put trainings in the queue as one job; their run ids.

        Several take turns, at most `at_once` of them begun at a time. Raises TrainingError,
        JobError, and ServerError when the disk refuses; then none is started.
        """
        for plan in plans:
            check_plan(plan, self._models.sketch(plan.config.backbone).stages, self._limits)
        lanes: list[Lane] = []
        taken = {record.name for record in self.records(owner)}
        with ExitStack() as undo:
            for plan in plans:
                lanes.append(self._open(owner, plan, taken))
                taken.add(lanes[-1].recorder.record.name)
                undo.callback(self._undo, lanes[-1].run_id)
            job = self._queue.submit(
                owner,
                lambda should_stop: self._lanes_events(lanes, at_once, should_stop),
                lambda told: self._on_event(*told),
                what=plans[0].what,
                on_end=lambda end: self._on_end(lanes, end),
                expected_seconds=total_seconds([plan.expected_seconds for plan in plans]),
                uses=frozenset().union(*(plan.uses for plan in plans)),
            )
            undo.pop_all()
        for lane in lanes:
            lane.job = job
        job.add_listener(lambda: self._changes.tell(owner))
        self._make_room(owner, len(lanes))
        self._changes.tell(owner)
        return tuple(lane.run_id for lane in lanes)

    def _undo(self, run_id: str) -> None:
        self._forget(run_id)
        self._runs.delete(run_id)

    def _open(self, owner: str, plan: TrainingPlan, taken: Collection[str]) -> Lane:
        """A run that waits, under a name that none of these is."""
        record = new_record(owner, plan, taken)
        try:
            folder = self._runs.create(record)
        except OSError as error:
            with suppress(NotFoundError):  # there is no folder even
                self._runs.delete(record.run_id)
            raise refused_start(error) from error
        active = Lane(
            plan=plan,
            recorder=RunRecorder(folder, record),
            tracker=LiveTracker(record),
        )
        with self._lock:
            self._active[record.run_id] = active
        return active

    def make_job(
        self, plan: TrainingPlan, should_stop: ShouldStop
    ) -> Generator[DownloadEvent, None, TrainJob | None]:
        """What is to be trained, with its backbone, which is downloaded first if it is not here.

        None: stopped. Raises BackboneError.
        """
        backbone = yield from self._models.bring(plan.config, should_stop)
        return None if backbone is None else training_job(plan, backbone)

    def stop(self, run_id: str) -> None:
        """Ask a run to stop. Harmless when it is over."""
        active = self._find(run_id)
        if active is not None and active.job is not None:
            self._queue.stop(active.job)

    def record(self, run_id: str) -> RunRecord:
        """The run's record at this moment. Raises NotFoundError."""
        active = self._find(run_id)
        return self._runs.record(run_id) if active is None else active.recorder.record

    def records(self, owner: str) -> tuple[RunRecord, ...]:
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
                job_seconds=snapshot.seconds,
                job_seconds_left=snapshot.seconds_left,
            )
        return replace(live, can_go_on=live.state == "stopped" and folder.has_state())

    def listen(self, run_id: str, callback: Callable[[], object]) -> Unsubscribe:
        """Call `callback` (from the worker's thread; it must be quick) at every change of `live`,
        until the returned function is called.

        Subscribe first and read `live` after it: then no change is missed. For a run that is over
        it is never called.
        """
        active = self._find(run_id)
        if active is None or active.job is None:
            return lambda: None
        return active.job.add_listener(callback)

    def wait(self, run_id: str, timeout_seconds: float | None) -> bool:
        """Wait until a run is over; False when the time ran out first."""
        active = self._find(run_id)
        return active is None or active.job is None or active.job.wait(timeout_seconds)

    def classifier(self, run_id: str) -> Classifier:
        """The newest epoch's while running, the best one afterwards. Raises NotFoundError, RunError
        (none yet, or it is damaged)."""
        active = self._find(run_id)
        if active is not None:
            if active.recorder.latest is None:
                raise RunError(
                    message("This training has not finished its first epoch yet."),
                    hint=message("Wait a moment, then try again."),
                )
            return active.recorder.latest[1]
        return self._models.classifier(self._runs.folder(run_id))

    def curves(self, run_id: str, kind: CurvesKind, language: str = ENGLISH) -> bytes:
        """The run's curves as a file's content, with words of this language. Raises RunError when
        there is no epoch yet."""
        return curves(self.record(run_id), kind, language)

    def folder(self, run_id: str) -> Path:
        """Where the run is on disk (`RunFolder` reads it). Raises NotFoundError."""
        return self._runs.folder(run_id).path

    def change(self, run_id: str, *, name: str | None = None, pinned: bool | None = None) -> None:
        """Rename a run, with a number where another has the name, or keep it when older ones make
        room. Raises RunError while it is busy."""
        record = self.record(run_id)
        if not record.is_over:
            raise RunError(
                message("This training is not over yet."),
                hint=message("Wait for its end, then change it."),
            )
        if name is not None:
            others = {each.name for each in self.records(record.owner) if each.run_id != run_id}
            record = replace(record, name=free_name(name, others))
        record = record if pinned is None else replace(record, is_pinned=pinned)
        self._runs.folder(run_id).write(record)
        self._changes.tell(record.owner)

    def delete(self, run_id: str) -> None:
        """Remove a run and its model. Raises RunError while it waits or runs, NotFoundError."""
        record = self.record(run_id)
        if self._find(run_id) is not None and not record.is_over:
            raise RunError(
                message("This training is not over yet."),
                hint=message("Stop it first, then remove it."),
            )
        if self._queue.uses(run_id):
            raise RunError(
                message("Something under way needs this run."),
                hint=message("Wait until it is over."),
            )
        self._runs.delete(run_id)
        self._forget(run_id)
        self._models.forget_classifier(run_id)
        self._changes.tell(record.owner)

    def forget(self, owner: str) -> None:
        """Remove all runs of an owner who will not come back."""
        for record in self.records(owner):
            with suppress(NotFoundError, RunError):  # somebody else removed it, or it just began
                self.delete(record.run_id)

    def under_way(self, owner: str) -> Message:
        """What of the owner's waits or runs, as they call it; nothing: they may begin. Quick: no
        record is read.

        A training is over when `live` shows it so: its record says it a moment earlier, while the
        end is written, and the queue holds its job a moment longer.
        """
        with self._lock:
            lanes = [lane for lane in self._active.values() if lane.is_of(owner)]
        if going := [lane for lane in lanes if not lane.tracker.live.is_over]:
            return going[0].plan.what
        job = self._queue.job_of(owner)
        return NOTHING if job is None or job.plan.what in (RACE, TRAINING) else job.plan.what

    def is_busy(self, owner: str) -> bool:
        """Whether the queue holds something of this owner's."""
        return self._queue.job_of(owner) is not None

    def close(self, timeout_seconds: float) -> None:
        """Stop everything, which may take so long; the best epochs are kept."""
        self._queue.close(timeout_seconds)
        self._runs.close()

    def _lanes_events(
        self, lanes: Sequence[Lane], at_once: int, should_stop: ShouldStop
    ) -> Iterator[tuple[Lane, Any]]:
        """The events of all lanes, each with the lane it belongs to."""
        begin = [partial(self._events, active, should_stop) for active in lanes]
        for index, event in in_turns(begin, at_once=at_once, is_turn_over=is_turn_over):
            yield lanes[index], event

    def _events(
        self, active: Lane, should_stop: ShouldStop
    ) -> Iterator[TrainingEvent | DownloadEvent]:
        active.recorder.start()
        active.tracker.set_record(active.recorder.record)
        job = yield from self.make_job(active.plan, should_stop)
        if job is not None:
            job = replace(job, start=self._start_of(active))
            yield from train(job, cache=self.cache, should_stop=should_stop)

    def _start_of(self, active: Lane) -> Start | None:
        """Where the training starts when it resumes an earlier run."""
        plan, earlier = active.plan, active.plan.continues
        if earlier is None:
            return None
        best = self.classifier(earlier.run_id)
        start, rows = make_start(earlier, self._runs.folder(earlier.run_id), best, plan.phases)
        active.recorder.resume(rows, (max(rows, key=rank).epoch, best))
        active.tracker.set_record(active.recorder.record)
        return start

    def _on_event(self, active: Lane, event: Any) -> None:
        if not isinstance(event, LaneEnded):
            active.take_in(event)
            self._models.estimates.note_event(active.plan.dataset, active.plan.phases, event)
        elif event.error is not None:
            end = JobEnd(state="failed", message=event.error.what, hint=event.error.hint)
            self._end(active, end)
        elif active.has_finished:  # else it was stopped, and the job's end says why
            self._end(active, JobEnd(state="finished"))

    def _on_end(self, lanes: Sequence[Lane], end: JobEnd) -> None:
        """The job is over; lanes that ended before it stay as they are."""
        for active in lanes:
            if not active.recorder.record.is_over:
                self._end(active, end)

    def _end(self, active: Lane, end: JobEnd) -> None:
        run_id = active.run_id
        state: RunState = "finished" if active.has_finished else end.state
        if state == "finished" and not active.has_finished:
            state = "stopped"  # the training itself said that it was stopped
        why = end.message or stop_message(active.recorder.record, state, end, self._limits)
        try:
            active.recorder.end(state, why=why, hint=end.hint)
        finally:  # when the disk refuses, the record in memory goes on to answer, as failed
            active.tracker.set_record(active.recorder.record)
        self._runs.release(run_id)
        if active.recorder.latest is not None:
            self._models.keep_classifier(run_id, active.recorder.latest[1])
        self._forget(run_id)

    def _forget(self, run_id: str) -> None:
        with self._lock:
            self._active.pop(run_id, None)

    def _find(self, run_id: str) -> Lane | None:
        with self._lock:
            return self._active.get(run_id)

    def _make_room(self, owner: str, count: int) -> None:
        """Remove the owner's oldest runs, so that so many more are within the limit."""
        runs = self._runs.list(owner)
        over = [record for record in runs if record.is_over and not record.is_pinned]
        for record in over[max(0, self._limits.runs - count) :]:
            with suppress(NotFoundError, RunError):  # somebody else removed it, or it is needed
                self.delete(record.run_id)
