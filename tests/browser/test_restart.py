"""The server is killed and started again under an open page."""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.journey import (
    class_names,
    drop_folder,
    drop_test_pictures,
    press_train,
    run_status,
    set_field,
    wait_for_epoch,
    wait_until_open,
)
from tests.patience import PATIENCE_MS
from tests.pictures import class_folder, jpeg
from tests.server import free_port, running_server

pytestmark = pytest.mark.browser

RESTART_MS = PATIENCE_MS


def wait_until_kept(home: Path, setting: str) -> None:
    """Wait until the server has written this down for its one visitor."""
    deadline = time.monotonic() + RESTART_MS / 1000
    while time.monotonic() < deadline:
        if any(setting in path.read_text() for path in (home / "visitors").glob("*.json")):
            return
        time.sleep(0.05)
    raise AssertionError(f"{setting} was not kept.")


def test_the_page_comes_back_by_itself_with_all_that_was_on_it(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    picture = tmp_path / "new.jpg"
    picture.write_bytes(jpeg())
    port = free_port()
    with running_server(tmp_path / "server", port=port) as server:
        tab = open_tab(server=server)
        drop_folder(tab, class_folder(tmp_path / "pictures", per_class=20))
        set_field(tab, "epochs", "1000")
        set_field(tab, "batch-size", "1")
        press_train(tab)
        drop_test_pictures(tab, [picture])
        wait_for_epoch(tab, 2)
        set_field(tab, "seed", "7")
        wait_until_kept(server.home, '"seed": 7')
        tab.expect("Failed to (load|fetch)|errored out|Connection|network error|AbortError")
        server.kill()
        expect(run_status(tab)).to_contain_text("No answer from tlapp", timeout=RESTART_MS)
    with running_server(tmp_path / "server", port=port) as server:
        expect(run_status(tab)).to_contain_text(
            "The program ended during this training", timeout=RESTART_MS
        )
        wait_until_open(tab)
        assert class_names(tab) == ["checks", "dots", "stripes"]
        expect(tab.page.locator("#predictions .tl-pr-item")).to_have_count(1)
        expect(tab.page.locator("#predictions")).to_contain_text(re.compile("checks|dots|stripes"))
        expect(tab.page.locator("#train")).to_be_enabled()
        tab.page.locator("#settings").get_by_role("button", name="Settings").click()
        for field, value in (("epochs", "1000"), ("batch-size", "1"), ("seed", "7")):
            expect(tab.page.locator(f"#{field} input")).to_have_value(value)
        server.kill()
        tab.page.locator("#train").click()  # nothing trains, so nothing was awaited
        expect(run_status(tab)).to_contain_text("No answer from tlapp", timeout=RESTART_MS)
