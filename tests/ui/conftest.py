"""A page without a server: actions are called with a visit, and panels are asked what they draw."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

import gradio as gr
import pytest

from tests.workspace.conftest import (  # noqa: F401  # fixtures are found by their names
    dataset,
    small_folder,
    steps,
    workspace,
)
from tlapp.settings import Settings
from tlapp.ui.layout import lay_out
from tlapp.ui.page import Page
from tlapp.ui.panels.panel import Panel
from tlapp.ui.table import Panels
from tlapp.workspace import Workspace, new_visitor, owner_of

Result = TypeVar("Result")
Built = TypeVar("Built", bound=Panel)
KEY = "the-key-of-this-machine"


@pytest.fixture
def page(workspace: Workspace, settings: Settings) -> Page:  # noqa: F811  # a fixture as above
    return Page(workspace=workspace, settings=settings, key=KEY)


@pytest.fixture
def token() -> str:
    """What the visitor of these tests sends."""
    return new_visitor()


@pytest.fixture
def owner(token: str) -> str:
    """Who that is; `dataset` is theirs."""
    return owner_of(token)


@pytest.fixture
def panels(page: Page) -> Panels:
    """Every panel of the page, with its components. `built` makes a single one sooner."""
    panels = Panels(page)
    with gr.Blocks():
        lay_out(panels)
    return panels


def built(panel: Built) -> Built:
    """The panel with its components."""
    with gr.Blocks():
        panel.build()
    return panel


class _NoWaiting(selectors.DefaultSelector):
    """Waits for nothing: its clock jumps to the next moment at which something is to be done."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is not None:
            self.seconds += timeout
        return ready


class QuickLoop(asyncio.SelectorEventLoop):
    """An event loop in which sleeping takes no time. Only for coroutines that use no threads."""

    def __init__(self) -> None:
        self._no_waiting = _NoWaiting()
        super().__init__(self._no_waiting)

    def time(self) -> float:
        return self._no_waiting.seconds


def run_quickly(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The coroutine's result, on a `QuickLoop`."""
    loop = QuickLoop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
