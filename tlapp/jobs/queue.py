"""The queue: one worker, first come first served, one job an owner, bounded.

The worker's thread starts with the first job and outlives every error of a job. The lock guards
the list of waiting jobs and who runs; foreign code is always called outside it.
"""

import math
import threading
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from tlapp.errors import JobError
from tlapp.jobs.guard import failure_of
from tlapp.jobs.job import Job, JobEnd, JobPlan, JobSnapshot, StopReason
from tlapp.jobs.memory import give_back_memory
from tlapp.messages import Message, counted_message, message
from tlapp.settings import MINUTE, Limits
from tlapp.stopping import ShouldStop

Event = TypeVar("Event")

_JOB: Final = message("job")


class JobQueue:
    """Runs jobs one at a time. Every method may be called from any thread."""

    def __init__(
        self,
        limits: Limits,
        *,
        name: str = "jobs",
        budget_seconds: float | None = None,
        address_of: Callable[[str], str | None] = lambda owner: None,
    ) -> None:
        """`budget_seconds` of wall time for each job; None: that of a training.

        `address_of(owner)` is where an owner comes from, whose jobs have a share of the places;
        None: not known.
        """
        self._limits = limits
        self._name = name
        self._budget_seconds = limits.training_seconds if budget_seconds is None else budget_seconds
        self._address_of = address_of
        self._waiting: list[Job] = []
        self._running: Job | None = None
        self._changed = threading.Condition()
        self._worker: threading.Thread | None = None
        self._is_closed = False

    def submit(
        self,
        owner: str,
        make_events: Callable[[ShouldStop], Iterator[Event]],
        on_event: Callable[[Event], None],
        *,
        what: Message = _JOB,
        on_end: Callable[[JobEnd], None] = lambda end: None,
        expected_seconds: float | None = None,
        uses: frozenset[str] = frozenset(),
    ) -> Job:
        """Put a job at the end of the queue; `what` and `uses`: see `JobPlan`.

        The worker calls `make_events(should_stop)` when its turn comes, `on_event` for each event,
        and `on_end` once. Raises JobError when the owner has a job already or the queue is full.
        """
        plan = JobPlan(
            make_events=make_events,
            on_event=on_event,
            on_end=on_end,
            what=what,
            expected_seconds=expected_seconds,
            budget_seconds=self._budget_seconds,
            uses=uses,
        )
        job = Job(owner, plan)
        with self._changed:
            self._check_room(owner)
            self._waiting.append(job)
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._worker.start()
            self._changed.notify_all()
        return job

    def check_room(self, owner: str) -> None:
        """Raise JobError when `submit` would: before a job is made ready, which takes time."""
        with self._changed:
            self._check_room(owner)

    def stop(self, job: Job) -> None:
        """Ask a job to stop; one that still waits is over at once. Harmless when it is over."""
        self._stop(job, "asked")

    def snapshot(self, job: Job) -> JobSnapshot:
        """The job at this moment, with its place in the queue."""
        with self._changed:
            place = self._waiting.index(job) if job in self._waiting else None
            return JobSnapshot(
                job_id=job.job_id,
                owner=job.owner,
                state=job.state,
                position=0 if place is None else place + 1,
                waiting_seconds=None if place is None else self._seconds_before(place),
                seconds=job.seconds(),
                seconds_left=job.expected_seconds_left(),
                end=job.end,
            )

    def job_of(self, owner: str) -> Job | None:
        """The owner's job that waits or runs."""
        with self._changed:
            return self._job_of(owner)

    def uses(self, identifier: str) -> bool:
        """Whether a job that waits or runs needs this."""
        with self._changed:
            return any(identifier in job.plan.uses for job in self._jobs())

    def is_idle(self) -> bool:
        """Nothing waits or runs, and something could."""
        with self._changed:
            return not (self._is_closed or self._running or self._waiting)

    def close(self, timeout_seconds: float = 10.0) -> None:
        """Stop everything and wait so long for the worker. No job is taken afterwards."""
        with self._changed:
            self._is_closed = True
            jobs = self._jobs()
            worker = self._worker
            self._changed.notify_all()
        for job in jobs:
            self._stop(job, "closed")
        if worker is not None:
            worker.join(timeout_seconds)

    def _stop(self, job: Job, reason: StopReason) -> None:
        job.ask_to_stop(reason)
        with self._changed:
            was_waiting = job in self._waiting
            if was_waiting:
                self._waiting.remove(job)
        if was_waiting:
            self._end(job, JobEnd(state="stopped", stop_reason=reason))
            self._tell_waiting()

    def _check_room(self, owner: str) -> None:
        if self._is_closed:
            raise JobError(
                message("The program is about to end."),
                hint=message("Start it again, then try again."),
            )
        job = self._job_of(owner)
        if job is not None:
            raise JobError(
                message("Your {what} is waiting already.", what=job.plan.what)
                if job.state == "waiting"
                else message("Your {what} is running already.", what=job.plan.what),
                hint=message("Wait until it is over, or stop it; then start the next one."),
            )
        count = len(self._waiting)
        if count >= self._limits.waiting_jobs:
            raise JobError(
                counted_message(
                    "{count} job is waiting; that is as many as this machine takes.",
                    "{count} jobs are waiting; that is as many as this machine takes.",
                    count=count,
                ),
                hint=_try_again(self._seconds_before(count)),
            )
        self._check_share(self._address_of(owner))

    def _check_share(self, address: str | None) -> None:
        """Raise JobError when this address has as many waiting jobs as one may have."""
        if address is None:
            return
        places = [
            place
            for place, job in enumerate(self._waiting)
            if self._address_of(job.owner) == address
        ]
        if len(places) >= self._limits.waiting_jobs_of_address:
            seconds = self._seconds_before(places[0]) if places else None
            raise JobError(
                counted_message(
                    "{count} job from your network is waiting; the other places are kept for "
                    "others.",
                    "{count} jobs from your network are waiting; the other places are kept for "
                    "others.",
                    count=len(places),
                ),
                hint=_try_again(seconds),
            )

    def _job_of(self, owner: str) -> Job | None:
        return next((job for job in self._jobs() if job.owner == owner), None)

    def _jobs(self) -> list[Job]:
        return [*([self._running] if self._running else []), *self._waiting]

    def _seconds_before(self, place: int) -> float | None:
        """Expected seconds until the waiting job at `place` starts; None: not known."""
        ahead = [*([self._running] if self._running else []), *self._waiting[:place]]
        seconds = [job.expected_seconds_left() for job in ahead]
        known = [value for value in seconds if value is not None]
        return sum(known) if len(known) == len(seconds) else None

    def _work(self) -> None:
        while self._work_once():
            give_back_memory()

    def _work_once(self) -> bool:
        """Run the next job, as soon as there is one; False when the queue is closed. Nothing holds
        the job afterwards."""
        with self._changed:
            while not self._waiting and not self._is_closed:
                self._changed.wait()
            if not self._waiting:
                return False
            job = self._waiting.pop(0)
            self._running = job
            job.mark_started()
        self._tell_waiting()
        self._end(job, self._drive(job))
        return True

    def _drive(self, job: Job) -> JobEnd:
        """Run the job's generator to its end, whatever it does."""

        def follow() -> None:
            for event in job.plan.make_events(job.should_stop):
                job.plan.on_event(event)
                self._tell(job)

        self._tell(job)
        failure = failure_of(follow)
        if failure is not None:
            return failure
        reason = job.stop_reason()
        return JobEnd(state="stopped" if reason else "finished", stop_reason=reason)

    def _end(self, job: Job, end: JobEnd) -> None:
        failure = failure_of(lambda: job.plan.on_end(end))
        with self._changed:
            if self._running is job:
                self._running = None
            job.mark_over(end if failure is None else failure)
        self._tell(job)

    def _tell(self, job: Job) -> None:
        for listener in job.listeners():
            failure_of(listener)

    def _tell_waiting(self) -> None:
        with self._changed:
            waiting = tuple(self._waiting)
        for job in waiting:
            self._tell(job)


def _try_again(seconds: float | None) -> Message:
    if seconds is None:
        return message("Try again in a few minutes.")
    minutes = max(1, math.ceil(seconds / MINUTE))
    return message("Try again in about {minutes} min.", minutes=minutes)
