"""Following a run: one watcher a tab, until the run is over, whatever else cannot be shown."""

import asyncio
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from tests.pictures import jpeg
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining
from tlapp.data.dataset import Dataset
from tlapp.training.config import TrainConfig
from tlapp.ui.panels.choices import remember
from tlapp.ui.panels.following import follow
from tlapp.ui.session import Page
from tlapp.ui.text import trying as words
from tlapp.ui.watchers import Watchers
from tlapp.workspace import VisitorState, new_visitor


class Tab:
    """An open page of the visitor with a training under way."""

    def __init__(self, page: Page, token: str, name: str = "tab") -> None:
        self._request: Any = SimpleNamespace(session_hash=name)
        self._updates: Any = follow(page, token, self._request)

    async def update(self) -> tuple[Any, ...]:
        """What the page is told next: run view, train, stop, predictions, results."""
        told: tuple[Any, ...] = await asyncio.wait_for(anext(self._updates), PATIENCE_SECONDS)
        return told

    async def ends(self) -> bool:
        """Whether the watcher ends instead of telling more."""
        try:
            await self.update()
        except StopAsyncIteration:
            return True
        return False

    async def close(self) -> None:
        await self._updates.aclose()


@pytest.fixture
def run_id(page: Page, token: str, dataset: Dataset, steps: StepTraining) -> str:
    """A training of the visitor, waiting for its first step."""
    owner = page.owner_of(token)
    run_id = page.workspace.trainings.start(owner, dataset, TrainConfig())
    page.workspace.visitors.change(owner, lambda _: VisitorState(run_id=run_id))
    return run_id


def _run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


def test_a_tabs_later_watcher_ends_the_earlier_one(page: Page, token: str, run_id: str) -> None:
    async def scenario() -> None:
        first, second = Tab(page, token), Tab(page, token)
        await first.update()
        await second.update()
        assert await first.ends()
        assert len(page.watchers) == 1
        await second.close()
        assert len(page.watchers) == 0

    _run(scenario())


def test_the_watchers_of_other_tabs_and_visitors_go_on(
    page: Page, token: str, run_id: str, steps: StepTraining
) -> None:
    async def scenario() -> None:
        first, other = Tab(page, token), Tab(page, token, "other")
        await first.update()
        await other.update()
        stranger = Tab(page, new_visitor())
        assert (await stranger.update())[0].state == "empty"
        steps.step()
        assert not await first.ends()
        assert not await other.ends()
        await first.close()
        await other.close()

    _run(scenario())


def _visible(update: tuple[Any, ...]) -> set[str]:
    """The buttons that the page shows after this update."""
    names = ("train", "stop", "go-on", "fine-tune")
    return {name for name, change in zip(names, update[1:5], strict=True) if change["visible"]}


def test_a_run_is_followed_to_its_end_and_no_longer(
    page: Page, token: str, run_id: str, steps: StepTraining
) -> None:
    async def scenario() -> None:
        tab = Tab(page, token)
        update = await tab.update()
        assert _visible(update) == {"stop"}
        steps.step(2)
        while len(update[0].epochs.train) < 2:
            update = await tab.update()
        steps.finish()
        while update[0].state != "finished":
            update = await tab.update()
        assert update[0].epochs.train == (1.0, 0.5)
        assert _visible(update) == {"train", "fine-tune"}
        assert "held-out pictures are right" in update[6]
        assert await tab.ends()
        assert len(page.watchers) == 0

    _run(scenario())


def test_a_run_is_followed_though_the_chosen_backbone_cannot_answer_yet(
    page: Page, token: str, run_id: str, steps: StepTraining
) -> None:
    tried = page.workspace.visitors.prepare([("a.jpg", jpeg())])
    owner = page.owner_of(token)
    page.workspace.visitors.keep_test_pictures(owner, tried)
    remember(page, owner, TrainConfig(backbone="resnet18"))  # not downloaded

    async def scenario() -> None:
        tab = Tab(page, token)
        assert (await tab.update())[5].empty == words.NO_WEIGHTS_TO_ANSWER
        steps.step()
        update = await tab.update()
        while not update[0].epochs.train:
            update = await tab.update()
        assert update[5].pictures[0].classes
        await tab.close()

    _run(scenario())


def test_a_tab_is_forgotten_with_its_last_watcher() -> None:
    watchers = Watchers()
    woken = []
    with watchers.begin(("run", "owner", "tab")) as first:
        first.wake = lambda: woken.append("first")
        with (
            watchers.begin(("race", "owner", "tab")),
            watchers.begin(("run", "owner", "tab")) as second,
        ):
            assert (first.is_newest, second.is_newest, woken) == (False, True, ["first"])
        assert len(watchers) == 0
    assert len(watchers) == 0
