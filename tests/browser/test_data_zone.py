"""The Data zone of the whole page: previews, what is left out, and taking a change back."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.journey import (
    FOLDER_ZONE,
    IMPORT_MS,
    class_names,
    drop_folder,
    reload,
    wait_until_open,
)
from tests.pictures import class_folder

pytestmark = pytest.mark.browser


def test_a_fresh_folder_is_previewed_unedited_and_discarding_takes_all_lines_back(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    tab = open_tab()
    line = tab.page.locator(FOLDER_ZONE).locator(".tl-drop-line")
    drop_folder(tab, class_folder(tmp_path / "one", per_class=5))
    expect(line).to_contain_text("15 files sent.")
    tab.page.get_by_role("button", name="Edit classes").click()
    drop_folder(tab, class_folder(tmp_path / "two", ("bees", "ants"), per_class=5))
    expect(tab.page.locator("#class-list")).to_contain_text("bees", timeout=IMPORT_MS)
    expect(tab.page.get_by_role("button", name="Edit classes")).to_be_visible()
    expect(tab.page.locator("[data-action]")).to_have_count(0)
    tab.page.get_by_role("button", name="Discard").click()
    expect(line).to_have_text("one sub-folder per class, or a zip")
    expect(tab.page.locator("#data-message")).to_have_text("")


def test_with_classes_on_the_page_choosing_a_folder_is_not_the_main_button(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    tab = open_tab()
    choose = tab.page.get_by_role("button", name="Choose a folder")
    other = tab.page.get_by_role("button", name="Choose a zip")
    colour = "(button) => getComputedStyle(button).backgroundColor"
    assert choose.evaluate(colour) != other.evaluate(colour)
    drop_folder(tab, class_folder(tmp_path / "one", per_class=5))
    assert choose.evaluate(colour) == other.evaluate(colour)
    tab.page.get_by_role("button", name="Discard").click()
    expect(tab.page.locator(".tl-cl-row")).to_have_count(0)
    assert choose.evaluate(colour) != other.evaluate(colour)


def test_using_the_pictures_takes_the_drop_zones_line_back(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    tab = open_tab()
    line = tab.page.locator(FOLDER_ZONE).locator(".tl-drop-line")
    drop_folder(tab, class_folder(tmp_path / "one", per_class=5))
    expect(line).to_contain_text("15 files sent.")
    tab.page.locator("#accept-data").click()
    expect(line).to_have_text("one sub-folder per class, or a zip")


def test_files_that_stayed_in_the_browser_are_listed_with_the_others(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    tab = open_tab()
    folder = class_folder(tmp_path / "set", per_class=5)
    (folder / "dots" / "bad.jpg").write_bytes(b"")
    (folder / "dots" / "notes.txt").write_text("not a picture")
    drop_folder(tab, folder)
    tab.page.get_by_text("2 files were left out.").click()
    rows = tab.page.locator("#class-list .tl-cl-skipped-list li")
    expect(rows).to_have_text(
        [
            "set/dots/notes.txt is not a picture we can read (JPG, PNG, WebP, GIF, BMP, TIFF).",
            "set/dots/bad.jpg is empty.",
        ]
    )


def test_a_merge_is_taken_back_after_the_page_was_loaded_again(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "set", per_class=5))
    before = class_names(tab)
    tab.page.locator("#accept-data").click()
    expect(tab.page.locator("#accept-data")).to_be_hidden()
    tab.page.get_by_role("button", name="Edit classes").click()
    tab.page.get_by_role("button", name="Merge dots into another class").click()
    tab.page.get_by_role("button", name="Merge", exact=True).click()
    expect(tab.page.locator(".tl-cl-name")).to_have_count(2)
    reload(tab)
    wait_until_open(tab)
    undo = tab.page.get_by_role("button", name="Undo", exact=True)
    undo.click()
    expect(tab.page.locator(".tl-cl-name")).to_have_count(3)
    assert class_names(tab) == before
    expect(undo).to_be_hidden()
