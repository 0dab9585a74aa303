"""A page that opens, or cannot, says so, and not that what was left here is gone."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Route, expect

from tests.browser.conftest import OpenTab
from tests.browser.journey import IMPORT_MS, run_status, wait_until_open
from tests.browser.tab import Tab
from tlapp.settings import Settings
from tlapp.ui import wiring
from tlapp.ui.panels.train_panel import TrainPanel
from tlapp.ui.session import Page
from tlapp.ui.shell import build_page
from tlapp.workspace import Workspace

pytestmark = pytest.mark.browser


def test_a_page_that_opens_does_not_say_that_there_is_nothing(open_tab: OpenTab) -> None:
    tab = open_tab()
    wait_until_open(tab)
    is_held = True

    def hold(route: Route) -> None:
        if is_held:
            waiting.append(route)
        else:
            route.continue_()

    waiting: list[Route] = []
    tab.page.route("**/queue/join*", hold)
    tab.reload()
    expect(run_status(tab)).to_contain_text("looks for what you left here", timeout=IMPORT_MS)
    expect(tab.page.locator("#run-view")).not_to_contain_text("bring pictures")
    is_held = False
    for route in waiting:
        with suppress(Error):  # the page that went may have asked as well
            route.continue_()
    wait_until_open(tab)
    expect(run_status(tab)).to_contain_text("First bring pictures")


def test_a_page_that_cannot_open_says_what_to_do(
    browser: Browser, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(page: Page, train_panel: TrainPanel, token: str) -> Any:
        raise RuntimeError("A defect of ours.")

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    monkeypatch.setattr(wiring, "open_page", fail)
    workspace = Workspace(settings)
    blocks = build_page(Page(workspace=workspace, settings=settings))
    try:
        _, url, _ = blocks.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
        tab = Tab(page=browser.new_page())
        tab.page.goto(url, wait_until="domcontentloaded")
        expect(run_status(tab)).to_contain_text("reload the page", timeout=IMPORT_MS)
        assert not tab.page.evaluate("document.documentElement.classList.contains('tl-open')")
        tab.page.close()
    finally:
        blocks.close(verbose=False)
        workspace.close()
