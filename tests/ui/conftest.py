"""A page without a server: its handlers are called as Gradio would call them."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from tests.workspace.conftest import (  # noqa: F401  # fixtures are found by their names
    dataset,
    owner,
    small_folder,
    steps,
    workspace,
)
from tlapp.settings import Settings
from tlapp.ui.session import Page
from tlapp.workspace import Workspace, new_visitor

Result = TypeVar("Result")
KEY = "the-key-of-this-machine"


@pytest.fixture
def page(workspace: Workspace, settings: Settings) -> Page:  # noqa: F811  # a fixture as above
    return Page(workspace=workspace, settings=settings, key=KEY)


@pytest.fixture
def token(page: Page) -> str:
    return new_visitor()


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
