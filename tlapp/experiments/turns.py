"""Several trainings in one worker, side by side: whoever has used the least time goes on."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tlapp.errors import TlappError


@dataclass(frozen=True, eq=False)
class LaneEnded:
    """A lane has nothing more to tell; the others go on."""

    error: TlappError | None  # why it could not go to its end


@dataclass(eq=False)
class _Lane:
    """A generator and the time spent in it."""

    index: int
    events: Iterator[Any]
    seconds: float = 0.0


def in_turns(
    lanes: Sequence[Callable[[], Iterator[Any]]],
    *,
    at_once: int,
    is_turn_over: Callable[[Any], bool],
) -> Iterator[tuple[int, Any]]:
    """The events of all lanes, each with its lane's index; `LaneEnded` while others go on.

    A lane keeps its turn until `is_turn_over` says so of an event; then the one that has used the
    least time has the next. At most `at_once` lanes are begun at a time: each holds a network. A
    `TlappError` ends its lane alone; that of the last one left is raised.
    """
    waiting = [(index, begin) for index, begin in enumerate(lanes)]
    running: list[_Lane] = []
    while running or waiting:
        while waiting and len(running) < at_once:
            index, begin = waiting.pop(0)
            running.append(
                _Lane(index, begin(), min((lane.seconds for lane in running), default=0.0))
            )
        lane = min(running, key=lambda each: each.seconds)
        ended = yield from _take_turn(lane, is_turn_over, is_last=len(running) == 1 and not waiting)
        if ended:
            running.remove(lane)
            if running or waiting:
                yield lane.index, ended


def _take_turn(
    lane: _Lane, is_turn_over: Callable[[Any], bool], *, is_last: bool
) -> Generator[tuple[int, Any], None, LaneEnded | None]:
    while True:
        began = time.perf_counter()
        try:
            event = next(lane.events)
        except StopIteration:
            return LaneEnded(None)
        except TlappError as error:
            if is_last:
                raise
            return LaneEnded(error)
        finally:
            lane.seconds += time.perf_counter() - began
        yield lane.index, event
        if is_turn_over(event):
            return None
