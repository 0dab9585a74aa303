"""What a widget in a closed place was told is there when the place is opened, late or soon."""

import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.browser.conftest import OpenTab
from tests.browser.journey import (
    TRAIN_MS,
    drop_folder,
    look_at,
    look_closer,
    press_train,
    reload,
    set_field,
    wait_for_epoch,
    wait_until_over,
)
from tests.browser.served import served
from tests.browser.tab import Tab
from tests.patience import PATIENCE_SECONDS
from tests.pictures import class_folder
from tlapp.training.config import TrainConfig
from tlapp.ui.blocks import AppBlocks
from tlapp.ui.panels.panel import Update
from tlapp.ui.widgets.rate_chart import RateChart, RateChartValue

pytestmark = pytest.mark.browser

EPOCHS = "3"
STREAM = "/queue/data"  # Gradio's, open while an event of the page is under way


def _open_settings(tab: Tab) -> None:
    tab.page.locator("#settings").get_by_role("button", name="Settings").click()


def _reasons(tab: Tab) -> Locator:
    """Why the rate that was found is the one to take."""
    return tab.page.locator("#rate-chart .tl-rates-why")


def _bring_everything(tab: Tab, folder: Path) -> None:
    """A visit in which every closed place gets something to show."""
    drop_folder(tab, class_folder(folder, ("dots", "stripes"), per_class=12))
    set_field(tab, "epochs", EPOCHS)
    press_train(tab)
    wait_until_over(tab)
    tab.page.locator("#rate-start").click()
    expect(_reasons(tab)).to_contain_text("Take ", timeout=TRAIN_MS)
    look_closer(tab, "Classic mistakes")
    mistakes = tab.page.locator("#mistake-view")
    mistakes.get_by_role("button", name="Red and blue swapped").click()
    mistakes.get_by_role("button", name="About as many").click()
    expect(mistakes.locator(".tl-mis-answer")).to_contain_text("without it", timeout=TRAIN_MS)
    look_closer(tab, "Freeze race")
    tab.page.get_by_role("button", name="Start the race").click()
    expect(tab.page.locator("#race-view .tl-race-lanes li")).to_have_count(5)
    tab.page.get_by_role("button", name="Stop the race").click()
    expect(tab.page.locator("#train")).to_be_enabled(timeout=TRAIN_MS)


def _expect_everything(tab: Tab, *, epochs: str = EPOCHS) -> None:
    """Open every closed place and find in it what was left there."""
    page = tab.page
    look_closer(tab, "Compare runs")
    expect(page.locator("#runs tbody tr").first).to_contain_text("Rename")
    expect(page.locator("#runs .tl-runs-line").first).to_be_visible()
    look_closer(tab, "Freeze race")
    expect(page.locator("#race-view .tl-race-lanes li")).to_have_count(5)
    expect(page.locator("#race-start")).to_have_text("Start the race")
    look_closer(tab, "Classic mistakes")
    mistakes = page.locator("#mistake-view")
    expect(mistakes.get_by_role("button", name="Red and blue swapped")).to_be_visible()
    expect(mistakes.locator(".tl-mis-answer")).to_contain_text("without it")
    look_closer(tab, "Results")
    _open_settings(tab)
    expect(_reasons(tab)).to_contain_text("Take ")
    expect(page.locator("#rate-start")).to_be_visible()
    expect(page.locator("#epochs input")).to_have_value(epochs)


class _Streams:
    """The streams by which the page is told things, and which end when there is no more to tell."""

    def __init__(self, tab: Tab) -> None:
        self._page = tab.page
        self._open: set[Request] = set()
        self._page.on("request", self._begin)
        self._page.on("requestfinished", self._end)
        self._page.on("requestfailed", self._end)  # the page itself breaks a stream off

    def _begin(self, request: Request) -> None:
        if STREAM in request.url:
            self._open.add(request)

    def _end(self, request: Request) -> None:
        self._open.discard(request)

    def wait_until_all_is_told(self) -> None:
        """Wait until the watcher has ended. AssertionError after long patience."""
        expect(self._page.locator("#run-view .tl-root")).to_have_attribute("data-state", "finished")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._open:
            assert time.monotonic() < deadline, "The page is told things without end."
            self._page.wait_for_timeout(50)  # events are handled meanwhile


def _act_elsewhere(tab: Tab) -> None:
    """Events that draw other parts of the page, and say nothing of what is in closed places."""
    ladder = tab.page.locator("#ladder")
    for preset, learns in (("Last stage", 2), ("Last two", 3)):
        ladder.get_by_role("button", name=preset).click()
        expect(ladder.locator(".tl-learns")).to_have_count(learns)
    ladder.get_by_role("switch", name="Freeze the backbone").click()
    expect(ladder.locator(".tl-learns")).to_have_count(1)


def _status(elem_id: str, page: Page) -> Locator:
    return page.locator(f"#{elem_id} .tl-rates-status")


@pytest.fixture(scope="module")
def small_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page with one widget in a closed accordion, one in a tab behind another."""
    first, second = (RateChart(render=False, elem_id=name) for name in ("first", "second"))
    said = gr.HTML("", render=False, elem_id="said")
    quiet = {"show_progress": "hidden", "api_visibility": "private"}

    def tell() -> Iterator[Update]:
        yield {first: RateChartValue(status="First.")}
        yield {second: RateChartValue(status="Not yet.", search="a")}
        yield {second: RateChartValue(status="Second.")}
        yield {said: "All is told."}

    def tell_nothing() -> Iterator[Update]:
        yield from ()

    def build() -> gr.Blocks:
        with AppBlocks() as blocks:
            with gr.Accordion("Closed", open=False):
                first.render()
            with gr.Tabs():
                with gr.Tab("In front"):
                    said.render()
                    button = gr.Button("Tell")
                    silent = gr.Button("Tell nothing")
                    silent.click(tell_nothing, None, [first, second, said, button], **quiet).then(
                        lambda: "Nothing is told.", None, said, **quiet
                    )
                    button.click(tell, None, [first, second, said, button], **quiet)
                with gr.Tab("Behind", render_children=True):
                    second.render()
        return blocks

    with served(build, tmp_path_factory.mktemp("gradio")) as url:
        yield url


@pytest.mark.parametrize("presses", [("Tell",), ("Tell", "Tell nothing")], ids=" ".join)
def test_an_update_that_leaves_a_widget_alone_takes_nothing_from_it(
    small_page: str, browser: Browser, presses: tuple[str, ...]
) -> None:
    page = browser.new_page()
    page.goto(small_page)
    for press in presses:
        page.get_by_role("button", name=press, exact=True).click()
        last = "All is told." if press == "Tell" else "Nothing is told."
        expect(page.locator("#said")).to_have_text(last)
    page.get_by_role("button", name="Closed").click()
    expect(_status("first", page)).to_have_text("First.")
    page.get_by_role("tab", name="Behind").click()
    expect(_status("second", page)).to_have_text("Second.")
    page.get_by_role("tab", name="In front").click()
    expect(page.get_by_role("button", name="Tell", exact=True)).to_be_visible()
    page.close()


@pytest.mark.timeout(600)
def test_closed_places_keep_what_they_were_told(open_tab: OpenTab, tmp_path: Path) -> None:
    tab = open_tab()
    streams = _Streams(tab)
    _bring_everything(tab, tmp_path / "pictures")
    reload(tab)
    _expect_everything(tab)  # before the page has been told everything
    reload(tab)
    streams.wait_until_all_is_told()
    _expect_everything(tab)
    reload(tab)
    streams.wait_until_all_is_told()
    _act_elsewhere(tab)
    look_at(tab)
    _act_elsewhere(tab)
    streams.wait_until_all_is_told()
    _expect_everything(tab, epochs=str(TrainConfig().epochs))  # as the ladder set them


@pytest.mark.timeout(600)
def test_closed_places_keep_what_they_were_told_while_a_training_goes_on(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    """A watcher that tells of each epoch says nothing of what does not change."""
    tab = open_tab()
    _bring_everything(tab, tmp_path / "pictures")
    set_field(tab, "epochs", "1000")
    set_field(tab, "batch-size", "1")
    press_train(tab)
    reload(tab)
    wait_for_epoch(tab, wait_for_epoch(tab, 1) + 3)
    _expect_everything(tab, epochs="1000")
    tab.page.locator("#stop").click()
    wait_until_over(tab)
