"""Two visitors never see each other: every event of the page, sent with another visitor's ids."""

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from tests.pictures import class_folder, jpeg
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining, bring, wait_until
from tlapp.backbones.catalog import DEFAULT_BACKBONE
from tlapp.data.dataset import Dataset
from tlapp.errors import TlappError
from tlapp.training.config import TrainConfig
from tlapp.ui.page import Page
from tlapp.ui.panels.panel import Panel
from tlapp.ui.table import Panels, table, watched
from tlapp.ui.wiring import Row, carry_out, carry_out_stepwise, carry_out_waiting
from tlapp.workspace import RATE_FINDER, new_visitor, owner_of

MARK = "hid-den"  # in every name that the other visitor has given; no base64 has such a hyphen
TOKEN: Any = gr.BrowserState("", render=False)
# What tests elsewhere carry out, with a machine that trains: it has nothing to do with ids.
SLOW = ("measure_epoch",)


class Other:
    """A visitor with something of everything, seen once, so that all of it is in memory."""

    def __init__(
        self, page: Page, panels: Panels, folder: Path, steps: StepTraining, before: Dataset
    ) -> None:
        """The owner of `before` trains, so that whatever is begun afterwards waits."""
        self.token = new_visitor()
        self.owner = owner_of(self.token)
        self._page = page
        self._panels = [panel for group in watched(panels) for panel in group]
        workspace = page.workspace
        self.dataset = bring(workspace, self.owner, folder, name=f"{MARK} set")
        waiting = bring(workspace, self.owner, folder, name=f"{MARK} import")
        self.run = self._train(steps)
        tried = workspace.visitors.prepare([(f"{MARK}.jpg", jpeg())])
        workspace.visitors.keep_test_pictures(self.owner, tried)
        self.state: dict[str, object] = {
            "dataset_id": self.dataset.dataset_id,
            "pending_dataset_id": waiting.dataset_id,
            "run_id": self.run,
        }
        page.visit(self.token).keep(**self.state)
        workspace.trainings.start(before.owner, before, TrainConfig())
        self.search = workspace.experiments.start_rate_finder(
            self.owner, self.dataset, TrainConfig()
        )
        self.ids = (self.dataset.dataset_id, waiting.dataset_id, self.run, self.search)

    def _train(self, steps: StepTraining) -> str:
        trainings = self._page.workspace.trainings
        run_id = trainings.start(self.owner, self.dataset, TrainConfig(), name=f"{MARK} run")
        steps.step()
        wait_until(self._page.workspace, run_id, lambda live: len(live.record.epochs) == 1)
        steps.finish()
        assert trainings.wait(run_id, PATIENCE_SECONDS)
        steps.go_on()
        return run_id

    def has(self) -> tuple[object, ...]:
        """All that there is of this visitor, and all that the page shows them."""
        visit = self._page.visit(self.token, "tab")
        mine = self._page.workspace.of(self.owner)
        newest = self._page.workspace.experiments.newest(self.owner, RATE_FINDER)
        views = [panel.view(visit) for panel in self._panels]
        return visit.state, mine.datasets(), mine.runs(), newest, visit.test_pictures, views


@pytest.fixture
def other(
    page: Page, panels: Panels, tmp_path: Path, steps: StepTraining, dataset: Dataset
) -> Other:
    names = (f"{MARK}-dots", f"{MARK}-stripes")
    folder = class_folder(tmp_path / MARK, names, per_class=4)
    other = Other(page, panels, folder, steps, dataset)
    shown: list[Panel] = [panel for group in watched(panels) for panel in group]
    update = page.tabs.show(page.visit(other.token, "tab"), shown)
    assert MARK in repr(update), "the mark is to be seen where it may be"
    return other


def _said(other: Other) -> dict[str, object]:
    """Whatever an event may say, each value the other visitor's."""
    return {
        "run": other.run,
        "name": other.run,
        "stage": "stem",  # a refusal repeats what was sent
        "rate": 0.001,
        "outcome": other.run,
        "action": "remove",
        "index": 0,
        "class_name": f"{MARK}-dots",
    }


def _values(row: Row, token: str, other: Other) -> dict[Any, Any]:
    """What the page sends; every text that may be typed is an id of the other visitor's."""
    values: dict[Any, Any] = {TOKEN: token}
    for component in row.reads.components:
        value = getattr(component, "value", None)
        if isinstance(component, gr.Textbox):
            value = other.dataset.dataset_id
        special = {"backbones": DEFAULT_BACKBONE, "ladder": (), "picture-drop": []}
        values[component] = special.get(str(component.elem_id), value)
    return values


def _carry_out(page: Page, row: Row, token: str, other: Other) -> list[Any]:
    """What the event draws; a refusal draws nothing."""
    request: Any = SimpleNamespace(session_hash="tab", headers={})
    said = gr.EventData(None, _said(other))
    arguments = (page, row, TOKEN, _values(row, token, other), request, said)

    async def waiting() -> list[Any]:
        return [update async for update in carry_out_waiting(*arguments)]

    try:
        if inspect.isasyncgenfunction(row.action):
            return asyncio.run(waiting())
        if inspect.isgeneratorfunction(row.action):
            return list(carry_out_stepwise(*arguments))
        return [carry_out(*arguments)]
    except TlappError:
        return []


def _shows(drawn: object, other: Other) -> bool:
    """Whether anything of the other visitor's is in it."""
    said = repr(drawn)
    return MARK in said or any(identifier in said for identifier in other.ids)


def _comes_with_ids(page: Page, other: Other, folder: Path) -> str:
    """A visitor with nothing, whose state names what is another's."""
    token = new_visitor()
    page.visit(token).keep(**other.state)
    return token


def _comes_with_pictures(page: Page, other: Other, folder: Path) -> str:
    """A visitor with pictures of their own, so that more is carried out."""
    token = new_visitor()
    brought = bring(page.workspace, owner_of(token), folder)
    page.visit(token).keep(dataset_id=brought.dataset_id, run_id=other.run)
    return token


@pytest.mark.parametrize("comes", [_comes_with_ids, _comes_with_pictures])
def test_no_event_shows_or_changes_what_is_another_visitors(
    page: Page,
    panels: Panels,
    other: Other,
    small_folder: Path,
    comes: Callable[[Page, Other, Path], str],
) -> None:
    before, carried_out = other.has(), 0
    for row in table(panels):
        if row.name in SLOW:
            continue
        token = comes(page, other, small_folder)
        drawn = _carry_out(page, row, token, other)
        carried_out += bool(drawn)
        assert not _shows(drawn, other), row.name
        assert other.has() == before, row.name
        _end_what_was_begun(page, token)
    assert carried_out > 20, "most events are not refused"


def _end_what_was_begun(page: Page, token: str) -> None:
    workspace, owner = page.workspace, owner_of(token)
    for record in workspace.of(owner).runs():
        workspace.trainings.stop(record.run_id)
    search = workspace.experiments.newest(owner, RATE_FINDER)
    if search is not None:
        workspace.experiments.stop(search.experiment_id)


def test_no_panel_shows_what_is_another_visitors(
    page: Page, panels: Panels, other: Other, small_folder: Path
) -> None:
    """In the tab of the same name, too: what one of them has been shown, the other has not."""
    every = [panel for group in watched(panels) for panel in group]
    every += [panels.data, panels.backbones, panels.ladder, panels.settings]
    for comes in (_comes_with_ids, _comes_with_pictures):
        visit = page.visit(comes(page, other, small_folder), "tab")
        update = page.tabs.show_changed(visit, every)
        assert {panels.data.class_list, panels.training.run_view} <= set(update)
        assert not _shows(update, other)
