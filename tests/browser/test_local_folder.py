"""Reading a folder of this machine: for the page that the printed address opens, and no other."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.journey import IMPORT_MS, class_names, wait_until_open
from tests.browser.tab import Tab
from tests.pictures import class_folder
from tests.server import AppServer

pytestmark = pytest.mark.browser


def _read(tab: Tab, folder: Path) -> None:
    wait_until_open(tab)
    tab.page.locator("#local-folder").get_by_role("button").first.click()
    tab.page.locator("#local-path textarea, #local-path input").fill(str(folder))
    tab.page.locator("#read-path").click()


def _printed_path(server: AppServer) -> str:
    """What follows the host in the address that the server has printed."""
    printed = next(word for word in server.log.split() if word.startswith(server.url))
    parts = urlsplit(printed)
    return f"{parts.path}?{parts.query}&page="  # the tab puts its theme behind it


def test_the_printed_address_opens_a_page_that_reads_folders(
    open_tab: OpenTab, app_server: AppServer, tmp_path: Path
) -> None:
    folder = class_folder(tmp_path / "pictures", per_class=4)
    tab = open_tab(_printed_path(app_server))
    wait_until_open(tab)
    assert "key" not in tab.page.url
    _read(tab, folder)
    expect(tab.page.locator("#class-list")).to_contain_text("pictures in", timeout=IMPORT_MS)
    assert class_names(tab) == ["checks", "dots", "stripes"]


def test_another_page_is_told_which_address_to_open_and_reads_nothing(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    tab = open_tab()
    _read(tab, class_folder(tmp_path / "pictures", per_class=4))
    expect(tab.page.get_by_text("Open the address that tlapp printed")).to_be_visible()
    assert class_names(tab) == []
