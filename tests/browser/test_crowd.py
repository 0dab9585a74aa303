"""A person whose address is over its share reads words, and when to try again."""

import uuid
from contextlib import ExitStack

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.journey import IMPORT_MS, wait_until_open
from tests.server import LOCAL_HTTP, AppServer
from tlapp.ui.door.crowd import Shares

pytestmark = pytest.mark.browser


def test_a_page_that_is_refused_says_in_words_when_to_try_again(
    open_tab: OpenTab, app_server: AppServer
) -> None:
    tab = open_tab()
    tab.expect("429")
    wait_until_open(tab)
    with ExitStack() as held:
        client = held.enter_context(
            httpx.Client(base_url=app_server.url, **LOCAL_HTTP, limits=httpx.Limits())
        )
        for _ in range(Shares().listeners):
            path = f"/gradio_api/heartbeat/{uuid.uuid4().hex}"
            held.enter_context(client.stream("GET", path))
        tab.page.locator("#try-samples").click()
        expect(tab.page.get_by_test_id("toast-body").first).to_contain_text(
            "or try again in 15 s", timeout=IMPORT_MS
        )
    tab.reload()
    wait_until_open(tab)
