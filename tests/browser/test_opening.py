"""A page that opens, or cannot, says so, and not that what was left here is gone."""

from collections.abc import Iterator
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Route, expect
from playwright.sync_api import Page as BrowserPage

from tests.browser.conftest import OpenTab
from tests.browser.journey import IMPORT_MS, run_status, wait_until_open
from tests.browser.tab import Tab
from tlapp.settings import Settings
from tlapp.ui import wiring
from tlapp.ui.layout import TAB_IS_SEEN, build_page
from tlapp.ui.page import Page
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
    @wraps(wiring.open_page)
    def fail(*sent: Any) -> Any:
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


@pytest.fixture
def seen_page(browser: Browser) -> Iterator[BrowserPage]:
    """An empty page that counts how often it is told that it was seen, with a clock set by hand."""
    page = browser.new_page()
    page.clock.install()
    page.evaluate(
        """script => {
          window.seen = 0;
          new Function("trigger", script)(() => { window.seen += 1; });
        }""",
        TAB_IS_SEEN,
    )
    yield page
    page.close()


def test_a_tab_that_comes_into_sight_too_soon_catches_up_a_little_later(
    seen_page: BrowserPage,
) -> None:
    """It rests 3 s between two looks; what was asked for meanwhile is not forgotten."""
    for is_looked_at, milliseconds, seen in (
        (True, 2_900, 0),
        (True, 200, 1),
        (True, 2_000, 1),
        (True, 2_000, 2),
        (False, 20_000, 2),
        (True, 1, 3),
    ):
        if is_looked_at:
            seen_page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
        seen_page.clock.run_for(milliseconds)
        assert seen_page.evaluate("() => window.seen") == seen
