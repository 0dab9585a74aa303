"""Open tabs: rounds that miss nothing, one watcher each, and only what has changed is drawn."""

import asyncio
import threading
from collections.abc import Callable
from itertools import pairwise

import gradio as gr
import pytest
from gradio.blocks import Block

from tests.ui.conftest import run_quickly
from tlapp.ui.page import Page
from tlapp.ui.panels.panel import Update
from tlapp.ui.tabs import SILENCE_SECONDS, UPDATE_SECONDS, Tabs, rounds_of_news
from tlapp.ui.visit import Visit
from tlapp.workspace import new_visitor


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
        async with rounds_of_news(source.listen) as changes:
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
        async with rounds_of_news(source.listen) as changes:
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
        async with rounds_of_news(source.listen) as changes:
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
        async with rounds_of_news(Source().listen) as changes:
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
        async with rounds_of_news(source.listen) as changes:
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
        async with rounds_of_news(listen) as changes:
            async for _ in changes:
                rounds += 1
                if rounds == 2:
                    break
                threading.Thread(target=kept[0]).start()
        return rounds

    assert asyncio.run(follow()) == 2
    kept[0]()


class Noted:
    """A panel that shows which data set is in use."""

    def __init__(self) -> None:
        self.component = gr.HTML(render=False)

    def build(self) -> None:
        """Nothing: the component is there."""

    @property
    def outputs(self) -> tuple[Block, ...]:
        return (self.component,)

    def view(self, visit: Visit) -> str | None:
        return visit.state.dataset_id

    def render(self, visit: Visit) -> Update:
        return {self.component: visit.state.dataset_id}


class Still(Noted):
    """A panel that always shows the same."""

    def view(self, visit: Visit) -> None:
        return None


@pytest.fixture
def noted() -> tuple[Noted, Still]:
    return Noted(), Still()


def test_only_what_a_tab_does_not_have_yet_is_drawn(
    page: Page, token: str, noted: tuple[Noted, Still]
) -> None:
    tabs, (changing, still) = Tabs(), noted
    assert set(tabs.show_changed(page.visit(token, "tab"), noted)) == {
        changing.component,
        still.component,
    }
    assert tabs.show_changed(page.visit(token, "tab"), noted) == {}
    page.visit(token).keep(dataset_id="d")
    assert tabs.show_changed(page.visit(token, "tab"), noted) == {changing.component: "d"}
    page.visit(token).keep(dataset_id="e")
    assert tabs.show(page.visit(token, "tab"), [changing]) == {changing.component: "e"}
    assert tabs.show_changed(page.visit(token, "tab"), noted) == {}, "it has been shown already"


def test_every_tab_and_every_visitor_is_shown_what_they_do_not_have(
    page: Page, token: str, noted: tuple[Noted, Still]
) -> None:
    tabs = Tabs()
    page.visit(token).keep(dataset_id="d")
    tabs.show(page.visit(token, "tab"), noted)
    assert len(tabs.show_changed(page.visit(token, "other"), noted)) == 2
    stranger = tabs.show_changed(page.visit(new_visitor(), "tab"), noted)
    assert list(stranger.values()) == [None, None]


def test_a_tab_that_is_forgotten_is_drawn_anew(
    page: Page, token: str, noted: tuple[Noted, Still]
) -> None:
    tabs = Tabs()
    tabs.show(page.visit(token, "tab"), noted)
    tabs.show(page.visit(token, "other"), noted)
    tabs.forget(page.visit(token, "tab"))
    tabs.forget(page.visit(token, "unknown"))
    assert len(tabs.show_changed(page.visit(token, "tab"), noted)) == 2
    assert tabs.show_changed(page.visit(token, "other"), noted) == {}


def test_what_somebody_else_draws_while_it_is_sent_is_drawn_again(
    page: Page, token: str, noted: tuple[Noted, Still]
) -> None:
    """Nobody knows which of both the tab has got last."""
    tabs, (changing, still) = Tabs(), noted
    before = page.visit(token, "tab")
    drawn = tabs.draw_changed(before, noted)
    page.visit(token).keep(dataset_id="d")
    tabs.show(page.visit(token, "tab"), noted)
    assert tabs.has_all(before, noted)
    tabs.note_sent(before, drawn)
    assert (tabs.has_all(before, noted), tabs.has_all(before, [still])) == (False, True)
    again = tabs.draw_changed(page.visit(token, "tab"), noted)
    assert again.update == {changing.component: "d"}
    tabs.note_sent(before, again)
    assert tabs.draw_changed(page.visit(token, "tab"), noted).update == {}


def test_what_tabs_have_is_not_kept_without_end(
    page: Page, token: str, noted: tuple[Noted, Still], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tlapp.ui.tabs.MOST_TABS", 3)
    tabs = Tabs()
    for number in range(4):
        tabs.show(page.visit(token, str(number)), noted)
    assert tabs.show_changed(page.visit(token, "1"), noted) == {}
    assert len(tabs.show_changed(page.visit(token, "0"), noted)) == 2
    assert tabs.show_changed(page.visit(token, "1"), noted) == {}, "it was asked for lately"
    assert len(tabs.show_changed(page.visit(token, "2"), noted)) == 2


def test_a_later_watcher_of_a_tab_ends_the_earlier_one_and_no_other(page: Page, token: str) -> None:
    tabs, source = Tabs(), Source()

    async def follow(tab: str, ended: list[str], name: str) -> None:
        async with tabs.rounds(page.visit(token, tab), source.listen) as changes:
            async for _ in changes:
                pass
        ended.append(name)

    async def scenario() -> None:
        ended: list[str] = []
        first = asyncio.create_task(follow("tab", ended, "first"))
        other = asyncio.create_task(follow("other", ended, "other"))
        await asyncio.sleep(1)
        assert (len(tabs), ended) == (2, [])
        second = asyncio.create_task(follow("tab", ended, "second"))
        await first
        assert asyncio.get_running_loop().time() < 2, "it is woken"
        await asyncio.sleep(2 * SILENCE_SECONDS)
        assert (len(tabs), ended) == (2, ["first"])
        for task in (second, other):
            task.cancel()
        await asyncio.gather(second, other, return_exceptions=True)
        assert (len(tabs), source.wakes) == (0, [])

    run_quickly(scenario())
