"""Lanes that take turns."""

from collections.abc import Callable, Iterator

import pytest

from tlapp.errors import TrainingError
from tlapp.experiments.turns import LaneEnded, in_turns
from tlapp.messages import NOTHING, verbatim


class Clock:
    """Stands still while nobody turns it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


CLOCK = Clock()


@pytest.fixture(autouse=True)
def _lanes_take_the_time_that_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tlapp.experiments.turns.time.perf_counter", CLOCK)


def lane(
    name: str, epochs: int, *, seconds: float = 0.001, fails: bool = False
) -> Callable[[], Iterator[str]]:
    def events() -> Iterator[str]:
        for epoch in range(epochs):
            CLOCK.seconds += seconds
            yield f"{name} batch"
            yield f"{name} epoch {epoch}"
        if fails:
            raise TrainingError(verbatim(f"{name} failed"), hint=NOTHING)

    return events


def told(*lanes: Callable[[], Iterator[str]], at_once: int = 9) -> list[tuple[int, object]]:
    return list(in_turns(lanes, at_once=at_once, is_turn_over=lambda event: "epoch" in event))


def test_whoever_has_used_the_least_time_goes_on() -> None:
    events = told(lane("slow", 2, seconds=0.05), lane("quick", 4))
    names = [event for _, event in events if isinstance(event, str) and "epoch" in event]
    assert names == ["slow epoch 0", *(f"quick epoch {n}" for n in range(4)), "slow epoch 1"]


def test_a_turn_is_not_cut_within_an_epoch() -> None:
    events = [event for _, event in told(lane("a", 3), lane("b", 3)) if isinstance(event, str)]
    for before, after in zip(events[::2], events[1::2], strict=True):
        assert before.split()[0] == after.split()[0]
        assert (before.split()[1], after.split()[1]) == ("batch", "epoch")


def test_one_lane_is_told_as_it_is() -> None:
    assert told(lane("a", 1)) == [(0, "a batch"), (0, "a epoch 0")]


def test_one_at_a_time_is_one_after_the_other() -> None:
    order = [index for index, event in told(lane("a", 3), lane("b", 3), at_once=1)]
    assert order == sorted(order)


def test_a_lane_that_fails_ends_alone() -> None:
    events = told(lane("bad", 1, fails=True), lane("good", 2, seconds=0.01))
    ends = [(index, event) for index, event in events if isinstance(event, LaneEnded)]
    assert [(index, str(end.error)) for index, end in ends] == [(0, "bad failed")]
    assert (1, "good epoch 1") in events


def test_the_last_lane_fails_as_the_whole() -> None:
    with pytest.raises(TrainingError, match="bad failed"):
        told(lane("good", 1), lane("bad", 2, seconds=0.01, fails=True))
