"""The learning-rate finder in a real browser: the chart alone, then from the press to the field."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PHONE, WIDE, OpenTab
from tests.browser.journey import TRAIN_MS, drop_folder, reload
from tests.browser.tab import Tab
from tests.browser.widget_page import (
    HOSTILE_NAMES,
    WidgetPage,
    push,
    rate_value,
    served_widget_page,
    widget_tab,
)
from tests.pictures import class_folder

pytestmark = pytest.mark.browser

RULES = (
    "color-contrast",
    "aria-allowed-attr",
    "aria-required-attr",
    "aria-valid-attr-value",
    "aria-input-field-name",
    "aria-progressbar-name",
)
FOUND = {"suggested": 0.0029, "mark": "suggested 0.0029", "why": "**Take 0.0029.** It falls there."}
MARK = "#rate-chart .tl-run-best-text"
CURVE = "#rate-chart .tl-run-line"


@pytest.fixture(scope="module")
def widget_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WidgetPage]:
    with served_widget_page(tmp_path_factory.mktemp("gradio")) as page:
        yield page


@pytest.fixture
def tab(browser: Browser, widget_page: WidgetPage) -> Iterator[Tab]:
    widget_page.values["rate_chart"] = rate_value(0)
    with widget_tab(browser, widget_page) as tab:
        push(tab, widget_page)
        yield tab


def _points(tab: Tab) -> int:
    """How many points the curve has."""
    path = tab.page.locator(CURVE).get_attribute("d") or ""
    return len(re.findall("[ML]", path))


def _wait_for_points(tab: Tab, count: int) -> None:
    tab.page.wait_for_function(
        "([curve, count]) => document.querySelector(curve).getAttribute('d').split(/[ML]/).length"
        " === count + 1",
        arg=[CURVE, count],
    )


def test_the_curve_grows_and_ends_with_the_suggestion(tab: Tab, widget_page: WidgetPage) -> None:
    expect(tab.page.locator("#rate-chart figure")).to_be_hidden()
    push(tab, widget_page, rate_chart=rate_value(30))
    _wait_for_points(tab, 30)
    expect(tab.page.locator(MARK)).to_be_hidden()
    expect(tab.page.get_by_role("progressbar", name="Steps")).to_have_attribute(
        "aria-valuenow", "30"
    )
    push(tab, widget_page, rate_chart=rate_value(100, **FOUND))
    _wait_for_points(tab, 100)
    expect(tab.page.locator(MARK)).to_have_text("suggested 0.0029")
    expect(tab.page.locator("#rate-chart .tl-rates-why b")).to_have_text("Take 0.0029.")
    line = tab.page.locator("#rate-chart .tl-run-best").bounding_box()
    plot = tab.page.locator("#rate-chart .tl-run-plot").bounding_box()
    assert line is not None
    assert plot is not None
    inner = plot["width"] - 40 - 10  # the axis of the losses is on the left
    place = (line["x"] + line["width"] / 2 - plot["x"] - 40) / inner
    assert place == pytest.approx((6 - 2.54) / 7, abs=0.02)  # 0.0029 is ten to the -2.54


def test_the_curve_is_read_with_the_arrow_keys(tab: Tab, widget_page: WidgetPage) -> None:
    push(tab, widget_page, rate_chart=rate_value(100, **FOUND))
    slider = tab.page.get_by_role("slider", name="Loss at each learning rate")
    slider.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "Rate 1e-6: loss 2.10")
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuenow", "2")
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "Rate 10: loss 0.100")
    expect(tab.page.locator("#rate-chart .tl-run-tip")).to_have_text("Rate 10: loss 0.100")


def test_the_end_is_spoken_at_once(tab: Tab, widget_page: WidgetPage) -> None:
    spoken = tab.page.locator("#rate-chart [role=status]")
    push(tab, widget_page, rate_chart=rate_value(30))
    expect(spoken).to_contain_text("Step 30 of 100.")
    push(tab, widget_page, rate_chart=rate_value(100, **FOUND))
    expect(spoken).to_have_text("Step 100 of 100. Take 0.0029. It falls there.")


@pytest.mark.parametrize("words", HOSTILE_NAMES)
def test_words_are_shown_as_they_are(words: str, tab: Tab, widget_page: WidgetPage) -> None:
    push(tab, widget_page, rate_chart=rate_value(100, **{**FOUND, "mark": words}))
    expect(tab.page.locator(MARK)).to_have_text(words)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_everyone_can_read_it(
    size: tuple[int, int], theme: str, browser: Browser, widget_page: WidgetPage
) -> None:
    with widget_tab(browser, widget_page, size=size, theme=theme) as tab:
        push(tab, widget_page, rate_chart=rate_value(60))
        assert tab.accessibility_failures(RULES) == []
        push(tab, widget_page, rate_chart=rate_value(100, **FOUND))
        assert tab.accessibility_failures(RULES) == []
        assert tab.overflow_pixels() == 0


def _open_settings(tab: Tab) -> None:
    tab.page.locator("#settings").get_by_role("button", name="Settings").click()


def test_one_press_finds_a_rate_and_another_takes_it(open_tab: OpenTab, tmp_path: Path) -> None:
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "pictures", per_class=12))
    _open_settings(tab)
    tab.page.locator("#rate-start").click()
    take = tab.page.locator("#rate-use")
    expect(take).to_be_visible(timeout=TRAIN_MS)
    why = tab.page.locator("#rate-chart .tl-rates-why")
    expect(why).to_contain_text("Take ")  # the button and the chart come by events of their own
    found = re.search(r"Take ([\d.e-]+?)\. ", why.inner_text())
    assert found is not None
    take.click()
    field = tab.page.locator("#learning-rate input")
    expect(field).to_have_value(found[1])
    expect(tab.page.locator("#ladder .tl-lad-sentence")).to_contain_text("learn")
    reload(tab)
    _open_settings(tab)
    expect(why).to_contain_text(found[0].strip())
    expect(field).to_have_value(found[1])
