"""The queue: order, bounds, stopping, time limits, and a worker that survives everything."""

import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import pytest

from tests.patience import PATIENCE_SECONDS
from tlapp.errors import JobError, TrainingError
from tlapp.jobs.job import Job, JobEnd
from tlapp.jobs.queue import JobQueue
from tlapp.messages import message
from tlapp.settings import LOCAL_LIMITS, PUBLIC_LIMITS, Limits


@pytest.fixture
def queue() -> Iterator[JobQueue]:
    queue = JobQueue(replace(LOCAL_LIMITS, waiting_jobs=3))
    yield queue
    queue.close()


class Gate:
    """Work that yields once, then waits until it is opened or stopped."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.began = threading.Event()

    def __call__(self, should_stop: Callable[[], bool]) -> Iterator[str]:
        yield "began"
        self.began.set()
        while not self.opened.wait(0.005):
            if should_stop():
                yield "stopped"
                return
        yield "ended"


def ignore(event: object) -> None:
    """For events that do not matter."""


def _submit_gate(queue: JobQueue, owner: str) -> tuple[Job, Gate]:
    gate = Gate()
    return queue.submit(owner, gate, ignore), gate


def test_a_job_runs_and_its_events_arrive_in_order(queue: JobQueue) -> None:
    events: list[int] = []
    ends: list[JobEnd] = []
    job = queue.submit("a", lambda should_stop: iter(range(5)), events.append, on_end=ends.append)
    assert job.wait(PATIENCE_SECONDS)
    assert events == [0, 1, 2, 3, 4]
    assert [end.state for end in ends] == ["finished"]
    assert queue.snapshot(job).state == "finished"


def test_jobs_run_one_at_a_time_first_come_first_served(queue: JobQueue) -> None:
    first, gate = _submit_gate(queue, "a")
    order: list[str] = []
    second = queue.submit("b", lambda should_stop: iter("b"), order.append)
    third = queue.submit("c", lambda should_stop: iter("c"), order.append)
    assert gate.began.wait(PATIENCE_SECONDS)
    assert [queue.snapshot(job).position for job in (first, second, third)] == [0, 1, 2]
    assert queue.snapshot(second).state == "waiting"
    gate.opened.set()
    assert third.wait(PATIENCE_SECONDS)
    assert order == ["b", "c"]


def test_a_second_job_of_the_same_owner_is_refused(queue: JobQueue) -> None:
    _, gate = _submit_gate(queue, "a")
    with pytest.raises(JobError, match=r"Your job is (waiting|running) already") as refused:
        queue.submit("a", lambda should_stop: iter(()), ignore)
    assert refused.value.hint
    gate.opened.set()


def test_the_owner_may_come_again_as_soon_as_the_job_is_over(queue: JobQueue) -> None:
    for _ in range(20):
        job = queue.submit("a", lambda should_stop: iter(()), ignore)
        assert job.wait(PATIENCE_SECONDS)


def test_a_full_queue_says_how_many_wait_and_when_to_come_back(queue: JobQueue) -> None:
    gate = Gate()
    queue.submit("0", gate, ignore, expected_seconds=100.0)
    assert gate.began.wait(PATIENCE_SECONDS)
    for owner in "123":
        queue.submit(owner, lambda should_stop: iter(()), ignore, expected_seconds=100.0)
    with pytest.raises(JobError, match="3 jobs are waiting") as refused:
        queue.submit("4", lambda should_stop: iter(()), ignore)
    assert refused.value.hint.value("minutes") == 7
    gate.opened.set()


def test_stopping_a_running_job_ends_it_and_tells_so(queue: JobQueue) -> None:
    ends: list[JobEnd] = []
    gate = Gate()
    job = queue.submit("a", gate, ignore, on_end=ends.append)
    assert gate.began.wait(PATIENCE_SECONDS)
    queue.stop(job)
    assert job.wait(PATIENCE_SECONDS)
    assert ends == [JobEnd(state="stopped", stop_reason="asked")]


def test_stopping_a_waiting_job_ends_it_at_once_and_never_starts_it(queue: JobQueue) -> None:
    _, gate = _submit_gate(queue, "a")
    ends: list[JobEnd] = []
    started: list[object] = []
    job = queue.submit(
        "b", lambda should_stop: iter(started.append(1) or ()), ignore, on_end=ends.append
    )
    queue.stop(job)
    assert job.wait(0)
    assert ends == [JobEnd(state="stopped", stop_reason="asked")]
    gate.opened.set()
    last = queue.submit("c", lambda should_stop: iter(()), ignore)
    assert last.wait(PATIENCE_SECONDS)
    assert not started


def test_stopping_twice_and_after_the_end_is_harmless(queue: JobQueue) -> None:
    ends: list[JobEnd] = []
    job = queue.submit("a", lambda should_stop: iter(()), ignore, on_end=ends.append)
    assert job.wait(PATIENCE_SECONDS)
    queue.stop(job)
    queue.stop(job)
    assert [end.state for end in ends] == ["finished"]


def test_the_time_limit_ends_a_job_as_stopped() -> None:
    queue = JobQueue(replace(LOCAL_LIMITS, training_seconds=0.05))

    def endless(should_stop: Callable[[], bool]) -> Iterator[int]:
        for number in count():
            yield number
            if should_stop():
                return

    job = queue.submit("a", endless, ignore)
    assert job.wait(PATIENCE_SECONDS)
    assert job.end == JobEnd(state="stopped", stop_reason="time")
    queue.close()


def test_a_queue_may_have_a_time_limit_of_its_own() -> None:
    queue = JobQueue(replace(LOCAL_LIMITS, training_seconds=0.0), budget_seconds=1000.0)
    job = queue.submit("a", lambda should_stop: iter(()), ignore)
    assert job.wait(PATIENCE_SECONDS)
    assert job.end == JobEnd(state="finished")
    queue.close()


@pytest.mark.parametrize(
    "error", [ValueError("bad"), MemoryError(), SystemExit(3), OSError(28, "No space left")]
)
@pytest.mark.parametrize("place", ["make_events", "first", "later", "on_event", "on_end"])
def test_whatever_breaks_the_job_fails_and_the_worker_lives(
    queue: JobQueue, error: BaseException, place: str
) -> None:
    def make_events(should_stop: Callable[[], bool]) -> Iterator[str]:
        if place == "make_events":
            raise error
        return events()

    def events() -> Iterator[str]:
        if place == "first":
            raise error
        yield "one"
        if place == "later":
            raise error

    def on_event(event: str) -> None:
        if place == "on_event":
            raise error

    def on_end(end: JobEnd) -> None:
        if place == "on_end":
            raise error

    job = queue.submit("a", make_events, on_event, on_end=on_end)
    assert job.wait(PATIENCE_SECONDS)
    end = job.end
    assert end is not None
    assert end.state == "failed"
    assert end.message.value("incident")
    assert end.hint
    assert "Traceback" not in str(end.message)
    following = queue.submit("a", lambda should_stop: iter(()), ignore)
    assert following.wait(PATIENCE_SECONDS)
    assert following.state == "finished"


def test_an_error_for_people_keeps_its_words(queue: JobQueue) -> None:
    what, hint = message("Learning rate too high."), message("Try 0.001.")

    def events(should_stop: Callable[[], bool]) -> Iterator[None]:
        raise TrainingError(what, hint=hint)
        yield

    job = queue.submit("a", events, ignore)
    assert job.wait(PATIENCE_SECONDS)
    assert job.end == JobEnd(state="failed", message=what, hint=hint)


def test_listeners_hear_every_event_and_the_end_until_they_leave(queue: JobQueue) -> None:
    gate = Gate()
    job = queue.submit("a", gate, ignore)
    heard: list[str] = []
    leave = job.add_listener(lambda: heard.append(job.state))
    assert gate.began.wait(PATIENCE_SECONDS)
    job.add_listener(lambda: 1 / 0)  # a listener that breaks harms nobody
    gate.opened.set()
    assert job.wait(PATIENCE_SECONDS)
    last = queue.submit("b", lambda should_stop: iter(()), ignore)
    assert last.wait(PATIENCE_SECONDS)
    assert heard[-1] == "finished"
    before = len(heard)
    leave()
    leave()
    assert len(heard) == before


def test_waiting_jobs_hear_that_they_have_moved_up(queue: JobQueue) -> None:
    _, gate = _submit_gate(queue, "a")
    _, second_gate = _submit_gate(queue, "b")
    third, third_gate = _submit_gate(queue, "c")
    moved = threading.Event()
    third.add_listener(moved.set)
    gate.opened.set()
    assert moved.wait(PATIENCE_SECONDS)
    second_gate.opened.set()
    third_gate.opened.set()
    assert third.wait(PATIENCE_SECONDS)


def test_the_wait_is_the_sum_of_what_goes_first(queue: JobQueue) -> None:
    gate = Gate()
    queue.submit("a", gate, ignore, expected_seconds=1000.0)
    assert gate.began.wait(PATIENCE_SECONDS)
    second = queue.submit("b", lambda should_stop: iter(()), ignore, expected_seconds=50.0)
    third = queue.submit("c", lambda should_stop: iter(()), ignore)
    assert queue.snapshot(second).waiting_seconds == pytest.approx(1000.0, abs=PATIENCE_SECONDS)
    assert queue.snapshot(third).waiting_seconds == pytest.approx(1050.0, abs=PATIENCE_SECONDS)
    gate.opened.set()


def test_closing_stops_everything_and_takes_nothing_more() -> None:
    queue = JobQueue(LOCAL_LIMITS)
    first, gate = _submit_gate(queue, "a")
    second, _ = _submit_gate(queue, "b")
    assert gate.began.wait(PATIENCE_SECONDS)
    queue.close()
    assert first.end == second.end == JobEnd(state="stopped", stop_reason="closed")
    with pytest.raises(JobError):
        queue.submit("c", lambda should_stop: iter(()), ignore)


def test_what_a_job_needs_is_known_until_it_is_over(queue: JobQueue) -> None:
    gate = Gate()
    job = queue.submit("a", gate, ignore, uses=frozenset({"pictures"}))
    waiting = queue.submit("b", Gate(), ignore, uses=frozenset({"run"}))
    assert queue.uses("pictures")
    assert queue.uses("run")
    assert not queue.uses("other")
    queue.stop(waiting)
    assert not queue.uses("run")
    gate.opened.set()
    assert job.wait(PATIENCE_SECONDS)
    assert not queue.uses("pictures")


def test_a_job_that_is_over_holds_nothing_of_its_work(queue: JobQueue) -> None:
    class Large:
        """Stands for a network."""

    large = Large()
    seen = weakref.ref(large)

    def work(should_stop: Callable[[], bool], kept: Large = large) -> Iterator[int]:
        yield id(kept)

    job = queue.submit("a", work, ignore)
    assert job.wait(PATIENCE_SECONDS)
    follower = queue.submit("a", lambda should_stop: iter(()), ignore)
    assert follower.wait(PATIENCE_SECONDS)  # the worker has left the first one behind
    del large, work
    assert seen() is None
    assert queue.snapshot(job).state == "finished"


def test_one_address_cannot_take_all_waiting_places() -> None:
    limits = replace(LOCAL_LIMITS, waiting_jobs=4, waiting_jobs_of_address=2)
    queue = JobQueue(limits, address_of=lambda owner: owner[0] if owner[0].isdigit() else None)
    try:
        gate = Gate()
        queue.submit("1-running", gate, ignore, expected_seconds=100.0)
        assert gate.began.wait(PATIENCE_SECONDS)
        for owner in ("1-a", "1-b"):
            queue.submit(owner, lambda should_stop: iter(()), ignore, expected_seconds=100.0)
        with pytest.raises(JobError, match="2 jobs from your network") as refused:
            queue.submit("1-c", lambda should_stop: iter(()), ignore)
        assert refused.value.hint.value("minutes") == 2  # then the first of them starts
        for owner in ("2-a", "unknown"):
            queue.submit(owner, lambda should_stop: iter(()), ignore)
        gate.opened.set()
    finally:
        queue.close()


@pytest.mark.parametrize("limits", [LOCAL_LIMITS, PUBLIC_LIMITS], ids=["own", "public"])
def test_a_class_of_thirty_behind_one_address_may_wait(limits: Limits) -> None:
    assert limits.waiting_jobs_of_address <= limits.waiting_jobs
    if limits is PUBLIC_LIMITS:
        assert 30 <= limits.waiting_jobs_of_address < limits.waiting_jobs
        assert limits.datasets_of_address >= 30 * limits.datasets
