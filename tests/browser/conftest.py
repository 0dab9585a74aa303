"""A real Chromium for the tests in this folder, and tabs of it that fail on what should not be."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.browser.drop_page import DropPage, new_context, opened_tab, served_drop_page
from tests.browser.tab import Tab
from tests.chromium import NO_CHROMIUM, chromium_flags, find_chromium
from tests.patience import STEP_MS
from tests.server import AppServer

WIDE = (1440, 900)
PHONE = (390, 844)

OpenTab = Callable[..., Tab]

expect.set_options(timeout=STEP_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as found on this machine. Without one the tests fail; they are not skipped.

    One a module and not one for all: while it is open, Playwright's event loop is the thread's
    running one, and no later test could start its own.
    """
    path = find_chromium()
    if path is None:
        pytest.fail(NO_CHROMIUM)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=chromium_flags())
        yield opened
        opened.close()


@pytest.fixture
def open_tab(browser: Browser, app_server: AppServer) -> Iterator[OpenTab]:
    """Opens tabs of new visitors; when the test ends, whatever went wrong in one fails it."""
    tabs: list[Tab] = []

    def open_one(
        path: str = "/",
        *,
        size: tuple[int, int] = WIDE,
        dark: bool = False,
        server: AppServer = app_server,
        visitor: Tab | None = None,
    ) -> Tab:
        """A tab on the server's page. `visitor`: another tab whose browser storage it shares."""
        if visitor is None:
            context = browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                locale="en-GB",
                reduced_motion="reduce",
                color_scheme="dark" if dark else "light",
                permissions=["camera", "clipboard-read", "clipboard-write"],
            )
        else:
            context = visitor.page.context
        context.set_default_timeout(STEP_MS)
        tab = Tab(page=context.new_page())
        tab.watch()
        tabs.append(tab)
        theme = "?__theme=dark" if dark else "?__theme=light"
        tab.page.goto(server.url + path + theme, wait_until="domcontentloaded")
        return tab

    yield open_one
    problems = [problem for tab in tabs for problem in tab.unexpected_problems()]
    for tab in tabs:
        tab.page.context.close()
    assert not problems, "Seen in the browser:\n" + "\n".join(problems)


@pytest.fixture(scope="session")
def screenshot_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: the folder named by TLAPP_SCREENSHOTS, or a temporary one."""
    wanted = os.environ.get("TLAPP_SCREENSHOTS")
    folder = Path(wanted) if wanted else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def drop_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DropPage]:
    """A page with nothing but the two drop zones, one for each test file."""
    with served_drop_page(tmp_path_factory.mktemp("uploads")) as page:
        yield page


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Shared by the tabs of one test file: the page's scripts are loaded once."""
    opened = new_context(browser)
    yield opened
    opened.close()


@pytest.fixture
def tab(context: BrowserContext, drop_page: DropPage) -> Iterator[Tab]:
    """A fresh tab on the drop zones' page."""
    with opened_tab(context, drop_page) as opened:
        yield opened
