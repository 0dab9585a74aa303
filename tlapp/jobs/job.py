"""One job: a generator of events, driven by the queue's worker, watched and stopped from anywhere.

States: waiting -> running -> finished | stopped | failed, or waiting -> stopped. A job's `on_end`
has been called before anybody can see that the job is over.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from tlapp.messages import NOTHING, Message
from tlapp.stopping import ShouldStop

JobState = Literal["waiting", "running", "finished", "stopped", "failed"]
StopReason = Literal[
    "",  # it was not stopped
    "asked",  # somebody pressed stop
    "time",  # its time is up
    "closed",  # the program is ending
]
Listener = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class JobEnd:
    """How a job ended."""

    state: Literal["finished", "stopped", "failed"]
    stop_reason: StopReason = ""
    message: Message = NOTHING  # why it failed
    hint: Message = NOTHING  # what to do about it


@dataclass(frozen=True, kw_only=True)
class JobPlan:
    """What a job does; its parts are called by the worker alone, one after the other."""

    what: Message  # as its owner calls it: "training"
    make_events: Callable[[ShouldStop], Iterator[Any]]
    on_event: Callable[[Any], None]
    on_end: Callable[[JobEnd], None]
    expected_seconds: float | None = None  # None: not known
    budget_seconds: float | None = None  # wall time; None: no limit
    uses: frozenset[str] = frozenset()  # ids of what must not be removed before it is over

    def without_work(self) -> "JobPlan":
        """What is still asked for when the job is over; what it worked on is let go."""
        return replace(
            self, make_events=lambda _: iter(()), on_event=lambda _: None, on_end=lambda _: None
        )


@dataclass(frozen=True, kw_only=True)
class JobSnapshot:
    """A job at one moment."""

    job_id: str
    owner: str
    state: JobState
    position: int  # 1: the next to run; 0: not waiting
    waiting_seconds: float | None  # expected until it starts; None: not known
    seconds: float  # wall time since it started
    seconds_left: float | None  # expected until it is over, once it has started; None: not known
    end: JobEnd | None  # None until it is over


class Job:
    """A handle on a job. Every method may be called from any thread."""

    def __init__(
        self, owner: str, plan: JobPlan, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.job_id = secrets.token_urlsafe(16)
        self.owner = owner
        self.plan = plan
        self.end: JobEnd | None = None
        self._clock = clock
        self._started: float | None = None
        self._stop_reason: StopReason = ""
        self._over = threading.Event()
        self._listeners: dict[object, Listener] = {}
        self._lock = threading.Lock()

    @property
    def state(self) -> JobState:
        """Where the job is."""
        if self.end is not None:
            return self.end.state
        return "waiting" if self._started is None else "running"

    def ask_to_stop(self, reason: StopReason = "asked") -> None:
        """Let `should_stop` say yes from now on; the first reason counts."""
        self._stop_reason = self._stop_reason or reason

    def should_stop(self) -> bool:
        """Whether somebody asked to stop, or the job's time is up. Cheap: ask at every batch."""
        return self.stop_reason() != ""

    def stop_reason(self) -> StopReason:
        """Why the job should stop; "": it should not."""
        if self._stop_reason:
            return self._stop_reason
        budget = self.plan.budget_seconds
        is_late = self._started is not None and budget is not None and self.seconds() > budget
        return "time" if is_late else ""

    def seconds(self) -> float:
        """Wall time since the job started; 0 while it waits."""
        return 0.0 if self._started is None else self._clock() - self._started

    def expected_seconds_left(self) -> float | None:
        """Expected wall time until it is over; None: not known."""
        expected = self.plan.expected_seconds
        return None if expected is None else max(0.0, expected - self.seconds())

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait until the job is over; False when the time ran out first."""
        return self._over.wait(timeout_seconds)

    def add_listener(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` at every change, from the worker's thread; returns how to end that."""
        key = object()
        with self._lock:
            self._listeners[key] = listener

        def remove() -> None:
            with self._lock:
                self._listeners.pop(key, None)

        return remove

    def listeners(self) -> tuple[Listener, ...]:
        """Everybody who listens at this moment."""
        with self._lock:
            return tuple(self._listeners.values())

    def mark_started(self) -> None:
        """For the queue: the job runs now."""
        self._started = self._clock()

    def mark_over(self, end: JobEnd) -> None:
        """For the queue: the job is over."""
        self.end = end
        self.plan = self.plan.without_work()
        self._over.set()
