"""Experiments of all visitors: jobs whose outcome is looked at, and not kept on disk.

An experiment is a generator of values, each of which is the whole of what is known by then.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tlapp.errors import NotFoundError
from tlapp.jobs.job import Job, JobState
from tlapp.jobs.queue import JobQueue
from tlapp.stopping import ShouldStop

MOST_KEPT = 200  # of all visitors; a value takes some 100 kB at most


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One experiment at one moment."""

    experiment_id: str
    kind: str
    state: JobState
    value: Any  # the newest one; None: nothing is known yet
    position: int = 0  # 1: the next to run; 0: not waiting
    message: str = ""  # why it failed, as plain text
    hint: str = ""  # what to do about it

    @property
    def is_over(self) -> bool:
        """Nothing will change any more."""
        return self.state not in ("waiting", "running")


class _Values:
    """Holds the newest value of an experiment."""

    def __init__(self, first: Any) -> None:
        self.newest = first

    def take(self, value: Any) -> None:
        self.newest = value


@dataclass(frozen=True, eq=False)
class _Kept:
    owner: str
    kind: str
    job: Job
    values: _Values


class Experiments:
    """The newest experiment of each kind and visitor. Any thread may call any method."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def start(
        self,
        owner: str,
        kind: str,
        make_values: Callable[[ShouldStop], Iterator[Any]],
        *,
        what: str = "experiment",
        first: Any = None,
        expected_seconds: float | None = None,
        uses: frozenset[str] = frozenset(),
    ) -> str:
        """Put an experiment in the queue, in place of the owner's earlier one of this kind; `what`
        is how its owner calls it.

        Returns its id; its value is `first` until it runs. Raises JobError (queue full, or the
        owner has something under way).
        """
        values = _Values(first)
        job = self._queue.submit(
            owner,
            make_values,
            values.take,
            what=what,
            expected_seconds=expected_seconds,
            uses=uses,
        )
        experiment_id = secrets.token_urlsafe(24)
        with self._lock:
            for earlier in [key for key, kept in self._kept.items() if _is_of(kept, owner, kind)]:
                del self._kept[earlier]
            self._kept[experiment_id] = _Kept(owner, kind, job, values)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return experiment_id

    def forget(self, owner: str) -> None:
        """Let go of what is the owner's."""
        with self._lock:
            for key in [key for key, kept in self._kept.items() if kept.owner == owner]:
                del self._kept[key]

    def newest(self, owner: str, kind: str) -> str | None:
        """The id of the owner's experiment of this kind; None: there is none."""
        with self._lock:
            return next(
                (key for key, kept in self._kept.items() if _is_of(kept, owner, kind)), None
            )

    def is_going(self, owner: str, kind: str) -> bool:
        """Whether the owner's experiment of this kind waits or runs."""
        with self._lock:
            return any(
                _is_of(kept, owner, kind) and kept.job.end is None for kept in self._kept.values()
            )

    def look(self, experiment_id: str) -> Experiment:
        """The experiment at this moment. Raises NotFoundError."""
        kept = self._find(experiment_id)
        snapshot = self._queue.snapshot(kept.job)
        return Experiment(
            experiment_id=experiment_id,
            kind=kept.kind,
            state=snapshot.state,
            value=kept.values.newest,
            position=snapshot.position,
            message=snapshot.end.message if snapshot.end else "",
            hint=snapshot.end.hint if snapshot.end else "",
        )

    def listen(self, experiment_id: str, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` at every change, until the returned function is called."""
        return self._find(experiment_id).job.add_listener(callback)

    def stop(self, experiment_id: str) -> None:
        """Ask it to stop. Harmless when it is over."""
        self._queue.stop(self._find(experiment_id).job)

    def wait(self, experiment_id: str, timeout_seconds: float | None) -> bool:
        """Wait until it is over; False when the time ran out first."""
        return self._find(experiment_id).job.wait(timeout_seconds)

    def _find(self, experiment_id: str) -> _Kept:
        with self._lock:
            kept = self._kept.get(experiment_id)
        if kept is None:
            raise NotFoundError("This experiment is not here any more.", hint="Start it again.")
        return kept


def _is_of(kept: _Kept, owner: str, kind: str) -> bool:
    return (kept.owner, kept.kind) == (owner, kind)
