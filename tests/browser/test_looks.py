"""Everyone can read the page, at every size: contrast, nothing cut off, nothing that jumps."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, WIDE, OpenTab
from tests.browser.journey import (
    drop_folder,
    drop_test_pictures,
    press_train,
    wait_until_open,
    wait_until_over,
)
from tests.browser.tab import Tab
from tests.pictures import class_folder, jpeg

pytestmark = pytest.mark.browser

RULES = (
    "color-contrast",
    "button-name",
    "link-name",
    "label",
    "image-alt",
    "aria-valid-attr-value",
)


def _look(tab: Tab, name: str, folder: Path) -> None:
    """Take a screenshot, then hold the page against the rules."""
    tab.page.evaluate("() => document.fonts.ready")
    tab.page.screenshot(path=folder / f"{name}.png", full_page=True)
    assert tab.accessibility_failures(RULES) == [], name
    assert tab.overflow_pixels() == 0, f"{name}: the page is wider than the window"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_every_state_of_the_page_is_readable(
    size: tuple[int, int],
    dark: bool,
    open_tab: OpenTab,
    tmp_path: Path,
    screenshot_folder: Path,
) -> None:
    kind = f"{'dark' if dark else 'light'}-{'phone' if size == PHONE else 'wide'}"
    tab = open_tab(size=size, dark=dark)
    wait_until_open(tab)
    expect(tab.page.locator("#ladder").get_by_role("switch")).to_be_visible()
    _look(tab, f"{kind}-1-empty", screenshot_folder)
    drop_folder(tab, class_folder(tmp_path / "pictures", per_class=12))
    tab.page.wait_for_function(  # the button lights up a frame after it can be pressed
        "() => { const train = document.querySelector('#train');"
        " return !train.disabled && getComputedStyle(train).opacity === '1'; }"
    )
    _look(tab, f"{kind}-2-imported", screenshot_folder)
    press_train(tab)
    wait_until_over(tab)
    paths = [tmp_path / f"new-{index}.jpg" for index in range(3)]
    for index, path in enumerate(paths):
        path.write_bytes(jpeg(index, 900))
    drop_test_pictures(tab, paths)
    _look(tab, f"{kind}-3-tried", screenshot_folder)


def test_the_three_zones_stand_side_by_side_on_a_wide_screen_and_stacked_on_a_phone(
    open_tab: OpenTab,
) -> None:
    places = {}
    for size in (WIDE, PHONE):
        tab = open_tab(size=size)
        wait_until_open(tab)
        boxes = [
            tab.page.locator(f"#{zone}").bounding_box() for zone in ("data", "train-zone", "try")
        ]
        assert all(boxes)
        places[size] = [(box["x"], box["y"]) for box in boxes if box]
    wide_x, wide_y = zip(*places[WIDE], strict=True)
    phone_x, phone_y = zip(*places[PHONE], strict=True)
    assert list(wide_x) == sorted(set(wide_x))
    assert max(wide_y) - min(wide_y) < 2
    assert max(phone_x) - min(phone_x) < 2
    assert list(phone_y) == sorted(set(phone_y))


def test_the_heading_of_no_zone_moves_while_a_training_goes_on(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "pictures", per_class=12))
    tab.page.evaluate(
        """() => {
          window.shifts = [];
          new PerformanceObserver(list => {
            for (const entry of list.getEntries()) {
              if (!entry.hadRecentInput) window.shifts.push(entry.value);
            }
          }).observe({type: 'layout-shift', buffered: false});
        }"""
    )
    press_train(tab)
    wait_until_over(tab)
    shift = tab.page.evaluate("() => window.shifts.reduce((sum, value) => sum + value, 0)")
    assert shift < 0.1  # web.dev's bound of what people perceive as still


def test_no_section_scrolls_sideways_whether_open_or_closed(open_tab: OpenTab) -> None:
    tab = open_tab()
    wait_until_open(tab)
    too_wide = """() => [...document.querySelectorAll('.gr-accordion')]
      .filter((section) => section.scrollWidth > section.clientWidth)
      .map((section) => section.id)"""
    sections = tab.page.locator(".gr-accordion > button")
    assert sections.count() >= 2
    assert tab.page.evaluate(too_wide) == []
    for section in sections.all():
        section.click()
        expect(section).to_have_class(re.compile("open"))
    assert tab.page.evaluate(too_wide) == []


def test_nothing_glides_for_those_who_asked_for_less_motion(open_tab: OpenTab) -> None:
    tab = open_tab()
    wait_until_open(tab)
    longest = tab.page.evaluate(
        """() => Math.max(...[...document.querySelectorAll('.tl-card, .tl-card *')].flatMap(node =>
          getComputedStyle(node).transitionDuration.split(',').map(parseFloat)))"""
    )
    assert longest < 0.001  # seconds


def test_all_controls_are_reached_with_the_tab_key(open_tab: OpenTab, tmp_path: Path) -> None:
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "pictures"))
    reached = set()
    for _ in range(80):
        tab.page.keyboard.press("Tab")
        reached.add(
            tab.page.evaluate(
                """() => document.activeElement?.closest(
                  '#folder-drop, #class-list, #backbones, #ladder, #train, #picture-drop')?.id"""
            )
        )
    wanted = {"folder-drop", "class-list", "backbones", "ladder", "train", "picture-drop"}
    assert wanted <= reached
