"""Trainings: from the wish to train to a run in the queue, on disk and on the page.

A run is in `_active` from its submission until its record on disk says that it is over; from then
on the disk answers.
"""

import threading
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.catalog import find_card
from tlapp.backbones.weights import DownloadEvent, WeightsStore
from tlapp.classifier import Classifier
from tlapp.errors import NotFoundError, RunError, refused_by_disk
from tlapp.experiments.turns import LaneEnded, in_turns
from tlapp.jobs.job import JobEnd
from tlapp.jobs.queue import JobQueue
from tlapp.runs.record import RunRecord, RunState
from tlapp.runs.recorder import RunRecorder
from tlapp.runs.store import RunStore
from tlapp.settings import Limits
from tlapp.stopping import ShouldStop
from tlapp.training.config import TrainConfig
from tlapp.training.events import TrainingEvent
from tlapp.training.loss import rank
from tlapp.training.session import train
from tlapp.training.task import Start, TrainJob
from tlapp.workspace.classifiers import KeptClassifiers, load_kept
from tlapp.workspace.earlier import make_start, next_phases
from tlapp.workspace.estimates import note_event, total_seconds
from tlapp.workspace.lane import RACE, TRAINING, Lane, is_turn_over
from tlapp.workspace.live import LiveRun, LiveTracker, live_from_record
from tlapp.workspace.plan import (
    TrainingPlan,
    check_phases,
    check_plan,
    ended_phases,
    free_name,
    new_record,
    stop_message,
    training_job,
)
from tlapp.workspace.shelf import BackboneShelf


class Trainings:
    """The runs of all visitors. Every method may be called from any thread."""

    def __init__(
        self,
        runs: RunStore,
        shelf: BackboneShelf,
        weights: WeightsStore,
        cache: FeatureCache,
        queue: JobQueue,
        limits: Limits,
    ) -> None:
        self._runs = runs
        self._shelf = shelf
        self._weights = weights
        self.cache = cache
        self._limits = limits
        self._queue = queue
        self._active: dict[str, Lane] = {}
        self._classifiers = KeptClassifiers()
        self._lock = threading.Lock()

    def check_start(
        self, owner: str, phases: Sequence[TrainConfig], continues: RunRecord | None = None
    ) -> None:
        """Refuse what `start` would refuse of these phases, before a plan is made of them, which
        takes time; `continues` is the run that is taken up. Raises BackboneError, TrainingError,
        JobError."""
        stages = self._shelf.sketch(phases[-1].backbone).stages
        check_phases(phases, stages, self._limits, ended=ended_phases(continues, phases))
        self._queue.check_room(owner)

    def start(self, owner: str, *plans: TrainingPlan, at_once: int = 1) -> tuple[str, ...]:
        """Put trainings in the queue as one job; their run ids.

        Several take turns, at most `at_once` of them begun at a time. Raises TrainingError,
        JobError, and ServerError when the disk refuses; then none is started.
        """
        for plan in plans:
            check_plan(plan, self._shelf.sketch(plan.config.backbone).stages, self._limits)
        lanes: list[Lane] = []
        taken = {record.name for record in self.list(owner)}
        with ExitStack() as undo:
            for plan in plans:
                lanes.append(self._open(owner, plan, taken))
                taken.add(lanes[-1].recorder.record.name)
                undo.callback(self._undo, lanes[-1].run_id)
            job = self._queue.submit(
                owner,
                lambda should_stop: self._lanes_events(lanes, at_once, should_stop),
                lambda told: self._on_event(*told),
                what=RACE if plans[0].race_id else TRAINING,
                on_end=lambda end: self._on_end(lanes, end),
                expected_seconds=total_seconds([plan.expected_seconds for plan in plans]),
                uses=frozenset().union(*(plan.uses for plan in plans)),
            )
            undo.pop_all()
        for active in lanes:
            active.job = job
        self._make_room(owner, len(lanes))
        return tuple(active.run_id for active in lanes)

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
            raise refused_by_disk(error, "this training cannot start") from error
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
        card = find_card(plan.config.backbone)
        if plan.config.pretrained and not self._weights.is_ready(card):
            yield from self._weights.fetch(card, should_stop)
        if should_stop():
            return None
        config = plan.config
        backbone = self._shelf.get(card.name, pretrained=config.pretrained, seed=config.seed)
        return training_job(plan, backbone)

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
                job_seconds=snapshot.seconds,
                job_seconds_left=snapshot.seconds_left,
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
        return self._classifiers.get(
            run_id, lambda: load_kept(self._runs.folder(run_id), self._weights, self._shelf)
        )

    def next_phases(self, run_id: str, phase: TrainConfig | None) -> tuple[TrainConfig, ...]:
        """The phases of a run that takes this one up (`earlier.next_phases`). Raises RunError."""
        return next_phases(self.record(run_id), self._runs.folder(run_id), phase)

    def change(self, run_id: str, *, name: str | None = None, pinned: bool | None = None) -> None:
        """Rename a run, with a number where another has the name, or pin it. RunError: busy."""
        record = self.record(run_id)
        if not record.is_over:
            raise RunError(
                "This training is not over yet.", hint="Wait for its end, then change it."
            )
        if name is not None:
            others = {each.name for each in self.list(record.owner) if each.run_id != run_id}
            record = replace(record, name=free_name(name, others))
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
        if self._queue.uses(run_id):
            raise RunError("Something under way needs this run.", hint="Wait until it is over.")
        self._runs.delete(run_id)
        self._forget(run_id)
        self._classifiers.forget(run_id)

    def uses(self, dataset_id: str) -> bool:
        """Whether something that waits or runs needs this data set."""
        return self._queue.uses(dataset_id)

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
            job = replace(job, start=self._take_up(active))
            yield from train(job, cache=self.cache, should_stop=should_stop)

    def _take_up(self, active: Lane) -> Start | None:
        """Where the training starts when it takes up an earlier run."""
        plan, earlier = active.plan, active.plan.continues
        if earlier is None:
            return None
        best = self.classifier(earlier.run_id)
        start, rows = make_start(earlier, self._runs.folder(earlier.run_id), best, plan.phases)
        active.recorder.take_up(rows, (max(rows, key=rank).epoch, best))
        active.tracker.set_record(active.recorder.record)
        return start

    def _on_event(self, active: Lane, event: Any) -> None:
        if not isinstance(event, LaneEnded):
            active.take_in(event)
            note_event(self._shelf, active.plan, event)
        elif event.error is not None:
            end = JobEnd(state="failed", message=str(event.error), hint=event.error.hint)
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
            state = "stopped"  # the training itself told that it was stopped
        message = end.message or stop_message(active.recorder.record, state, end, self._limits)
        try:
            active.recorder.end(state, message=message, hint=end.hint)
        finally:  # when the disk refuses, the record in memory goes on to answer, as failed
            active.tracker.set_record(active.recorder.record)
        self._runs.release(run_id)
        if active.recorder.latest is not None:
            self._classifiers.keep(run_id, active.recorder.latest[1])
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
