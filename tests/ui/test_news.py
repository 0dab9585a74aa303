"""Rounds of a loop that follows something: none missed, none too many, and it lets go."""

import asyncio
import threading
from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.ui.conftest import run_quickly
from tlapp.ui.news import SILENCE_SECONDS, UPDATE_SECONDS, news


class Source:
    """Something that changes; it knows who listens."""

    def __init__(self) -> None:
        self.wakes: list[Callable[[], object]] = []
        self.value = 0

    def listen(self, wake: Callable[[], object]) -> Callable[[], None]:
        self.wakes.append(wake)
        return lambda: self.wakes.remove(wake)

    def change(self) -> None:
        self.value += 1
        for wake in list(self.wakes):
            wake()


def test_the_first_round_comes_at_once_and_the_next_after_a_change() -> None:
    source = Source()

    async def follow() -> list[float]:
        loop = asyncio.get_running_loop()
        loop.call_later(3.0, source.change)
        times = []
        async with news(source.listen) as changes:
            async for _ in changes:
                times.append(loop.time())
                if len(times) == 2:
                    break
        return times

    first, second = run_quickly(follow())
    assert first == 0.0
    assert second == pytest.approx(3.0, abs=0.01)


def test_a_storm_of_changes_gives_four_rounds_a_second_and_the_last_value() -> None:
    source = Source()

    async def follow() -> list[tuple[float, int]]:
        loop = asyncio.get_running_loop()
        for step in range(1000):
            loop.call_later(step / 500, source.change)  # for two seconds
        rounds: list[tuple[float, int]] = []
        async with news(source.listen) as changes:
            async for _ in changes:
                rounds.append((loop.time(), source.value))
                if source.value == 1000:
                    break
        return rounds

    rounds = run_quickly(follow())
    times = [time for time, _ in rounds]
    assert min(b - a for a, b in pairwise(times)) >= UPDATE_SECONDS - 1e-6
    assert len(rounds) <= 2 / UPDATE_SECONDS + 2
    assert rounds[-1][1] == 1000


def test_a_change_during_a_round_is_not_missed() -> None:
    source = Source()

    async def follow() -> list[float]:
        loop = asyncio.get_running_loop()
        times = []
        async with news(source.listen) as changes:
            async for _ in changes:
                times.append(loop.time())
                if len(times) == 2:
                    break
                source.change()  # after the state was read
        return times

    assert run_quickly(follow())[1] == pytest.approx(UPDATE_SECONDS, abs=0.01)


def test_in_silence_there_is_a_round_all_the_same() -> None:
    async def follow() -> float:
        rounds = 0
        async with news(Source().listen) as changes:
            async for _ in changes:
                rounds += 1
                if rounds == 2:
                    break
        return asyncio.get_running_loop().time()

    assert run_quickly(follow()) == pytest.approx(UPDATE_SECONDS + SILENCE_SECONDS, abs=0.01)


@pytest.mark.parametrize("error", [None, ValueError])
def test_whoever_leaves_no_longer_listens(error: type[Exception] | None) -> None:
    source = Source()

    async def follow() -> None:
        async with news(source.listen) as changes:
            async for _ in changes:
                assert len(source.wakes) == 1
                if error is not None:
                    raise error
                break

    if error is None:
        run_quickly(follow())
    else:
        with pytest.raises(error):
            run_quickly(follow())
    assert source.wakes == []


def test_another_thread_may_wake_it_even_when_the_loop_has_ended() -> None:
    kept: list[Callable[[], object]] = []

    def listen(wake: Callable[[], object]) -> Callable[[], None]:
        kept.append(wake)
        return lambda: None

    async def follow() -> int:
        rounds = 0
        async with news(listen) as changes:
            async for _ in changes:
                rounds += 1
                if rounds == 2:
                    break
                threading.Thread(target=kept[0]).start()
        return rounds

    assert asyncio.run(follow()) == 2
    kept[0]()
