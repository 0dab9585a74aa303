"""The page in the pseudo-language: every text of the catalogue stands in brackets and is a third
longer, so that what was forgotten and what is cut off can be seen."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.bracketed import cut_off, texts, words_outside
from tests.browser.conftest import OpenTab
from tests.browser.journey import (
    FOLDER_ZONE,
    IMPORT_MS,
    PICTURE_ZONE,
    TRAIN_MS,
    look_closer,
    press_train,
    set_field,
    wait_for_epoch,
    wait_until_open,
    wait_until_over,
)
from tests.browser.tab import Tab
from tests.pictures import BROKEN, class_folder, jpeg, zip_entries
from tests.server import AppServer, running_server
from tlapp.backbones.catalog import CARDS
from tlapp.messages import PSEUDO

pytestmark = pytest.mark.browser

SIZES = ((1280, 900), (390, 844))
OWN = ("owndots", "ownstripes")
# What is not of the catalogue, and stands on the page all the same.
ALLOWED = (
    re.compile(r"\bown[\w.-]*"),  # a person's own: classes, files and runs are called so here
    re.compile(r"\b(patches|rosettes|splashes|spots|stripes)\b(-\d\.jpg)?"),  # of the samples
    *(re.compile(re.escape(card.title)) for card in CARDS),  # proper names
    re.compile(r"\b(AdamW|SGD)\b"),
    # Gradio's own, which go by the browser's language: of its sliders, and of its toasts
    re.compile(r"number input for|range slider for|Reset to default value|^\s*Close\s*$"),
)
NAMES = "span.tl-pr-class"  # names of classes only: ImageNet's, before any training


@dataclass
class Walk:
    """What was seen on the way."""

    tab: Tab
    outside: dict[str, str] = field(default_factory=dict)  # what is said outside of brackets: where
    hidden: dict[str, str] = field(default_factory=dict)  # what is cut off: where

    @property
    def page(self) -> Page:
        return self.tab.page

    def look(self, state: str) -> None:
        """Read the page as it is in this state, wide and on a phone."""
        for place, text in texts(self.page):
            if NAMES not in place and words_outside(text, ALLOWED):
                self.outside.setdefault(f"{place}: {text.strip()[:200]}", state)
        for width, height in reversed(SIZES):
            self.page.set_viewport_size({"width": width, "height": height})
            for each in cut_off(self.page):
                self.hidden.setdefault(each, f"{state}, {width} pixels wide")
        print(state, flush=True)

    def problems(self) -> str:
        """All that was found, with the state in which it was seen first."""
        found = (*self.outside.items(), *self.hidden.items())
        return "\n".join(f"{state} | {what}" for what, state in found)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """A server that cannot download anything, and finds a damaged file in its home."""
    folder = tmp_path_factory.mktemp("language")
    (folder / "home").mkdir()
    (folder / "home" / "speeds.json").write_text("torn {", "utf-8")
    nowhere = {"https_proxy": "http://127.0.0.1:9"}  # where nobody listens
    with running_server(folder, environment=nowhere) as server:
        yield server


@pytest.fixture
def walk(open_tab: OpenTab, server: AppServer) -> Iterator[Walk]:
    """A walk on a page in the pseudo-language; what it has found fails the test."""
    tab = open_tab(server=server, size=SIZES[0])
    tab.page.goto(f"{server.url}/?lang={PSEUDO}", wait_until="domcontentloaded")
    wait_until_open(tab)
    walk = Walk(tab)
    yield walk
    assert not walk.problems(), walk.problems()


def bring(tab: Tab, folder: Path, class_count: int) -> None:
    """Drop a folder and wait until its classes are shown."""
    tab.drop_files(FOLDER_ZONE, [folder])
    expect(tab.page.locator("#class-list .tl-cl-row")).to_have_count(class_count, timeout=IMPORT_MS)


def own_folder(folder: Path, per_class: int = 8) -> Path:
    """A folder of a person's own names."""
    class_folder(folder, OWN, per_class=per_class)
    for path in folder.rglob("*.jpg"):
        path.rename(path.with_name(f"own-{path.name}"))
    return folder


def test_a_page_without_pictures_is_in_the_chosen_language(
    walk: Walk, server: AppServer, tmp_path: Path
) -> None:
    page, tab = walk.page, walk.tab
    assert page.evaluate("document.documentElement.lang") == "en-XA"
    page.locator("#local-folder button").first.click()
    page.locator("#settings button").first.click()
    page.locator("#limits summary").click()
    expect(page.locator("#damages li").first).to_be_visible()
    walk.look("nothing there")
    for heading in ("Compare runs", "Freeze race", "Classic mistakes", "Results"):
        look_closer(tab, heading)
        walk.look(f"nothing under {heading}")
    page.goto(server.url, wait_until="domcontentloaded")  # the choice is kept
    wait_until_open(tab)
    assert page.evaluate("document.documentElement.lang") == "en-XA"
    empty, wrong, note = (tmp_path / f"own.{end}" for end in ("empty.zip", "wrong.zip", "txt"))
    empty.write_bytes(b"")
    wrong.write_bytes(b"Rar!\x1a\x07\x00" + b"x" * 500)
    note.write_text("Dear cat", "utf-8")
    letters = zip_entries(tmp_path / "own.letters.zip", [("owncats/own.txt", b"Dear cat")])
    for paths in ([empty], [wrong, letters], [note], [letters], [wrong]):
        before = page.locator("#data").inner_text()
        tab.drop_files(FOLDER_ZONE, paths)
        expect(page.locator("#data")).not_to_have_text(before, use_inner_text=True)
        expect(page.locator("#folder-drop").get_by_role("button", name="Cancel")).to_be_hidden()
        walk.look(f"dropped {[path.name for path in paths]}")
    tab.drop_files(PICTURE_ZONE, [note])
    expect(page.locator(PICTURE_ZONE)).to_contain_text("That is not a picture")
    walk.look("no picture")


def test_backbones_and_samples_are_in_the_chosen_language(walk: Walk) -> None:
    page = walk.page
    cards = page.locator("#backbones")
    cards.get_by_role("button", name="All 16 backbones").click()
    walk.look("all backbones")
    cards.get_by_role("button", name="Download").first.click()
    expect(cards.locator(".tl-failed").first).to_be_visible(timeout=IMPORT_MS)
    walk.look("a download that failed")
    page.get_by_role("button", name="Use the sample pictures").click()
    expect(page.locator("#class-list .tl-cl-row")).not_to_have_count(0, timeout=IMPORT_MS)
    walk.look("samples")
    page.locator("#try-samples").click()
    expect(page.locator("#predictions .tl-pr-item")).not_to_have_count(0, timeout=IMPORT_MS)
    walk.look("answers before any training")


def test_what_was_found_in_pictures_is_in_the_chosen_language(walk: Walk, tmp_path: Path) -> None:
    page, listing = walk.page, walk.page.locator("#class-list")
    folder = own_folder(tmp_path / "ownset")
    class_folder(folder, ("ownfew",), per_class=2)
    for name, make in BROKEN.items():
        (folder / OWN[0] / f"own-{name}").write_bytes(make())
    (folder / OWN[0] / "own.txt").write_text("Dear cat", "utf-8")
    same = next((folder / OWN[1]).iterdir()).read_bytes()
    (folder / OWN[0] / "own-same.jpg").write_bytes(same)
    bring(walk.tab, folder, 3)
    listing.locator("summary").first.click()
    walk.look("findings and skipped files")
    page.locator("#accept-data").click()
    expect(page.locator("#data-decision")).to_be_hidden()
    page.locator("#split button").first.click()
    listing.get_by_role("button", name="Edit classes").click()
    walk.look("classes to edit")
    for action in ("Rename", "Merge", "Remove"):
        listing.get_by_role("button", name=f"{action} ownfew").click()
        walk.look(f"a class to {action}")
        listing.get_by_role("button", name="Cancel").click()
    listing.get_by_role("button", name="Remove ownfew").click()
    listing.locator(".tl-cl-ask .tl-danger").click()
    expect(listing.locator(".tl-cl-row")).to_have_count(2, timeout=IMPORT_MS)
    walk.look("edited classes")


def test_a_training_is_in_the_chosen_language(
    walk: Walk, open_tab: OpenTab, server: AppServer, tmp_path: Path
) -> None:
    page, tab = walk.page, walk.tab
    folder = own_folder(tmp_path / "ownset", 16)
    bring(tab, folder, 2)
    other = open_tab(server=server)
    wait_until_open(other)
    bring(other, folder, 2)
    set_field(other, "epochs", "1000")
    set_field(other, "batch-size", "1")
    press_train(other)
    wait_for_epoch(other, 1)
    press_train(tab)
    walk.look("waiting")
    page.locator("#stop").click()
    wait_until_over(tab)
    walk.look("stopped while it waited")
    other.page.locator("#stop").click()
    wait_until_over(other)
    for name, value in (("epochs", "1000"), ("batch-size", "1")):
        set_field(tab, name, value)
    press_train(tab)
    wait_for_epoch(tab, 2)
    walk.look("running")
    page.locator("#stop").click()
    wait_until_over(tab)
    walk.look("stopped")
    set_field(tab, "epochs", "0")
    set_field(tab, "batch-size", "100000")
    expect(page.locator("#epochs")).to_contain_text("cannot be 0")
    walk.look("settings that cannot be")
    page.locator("#train").click()
    expect(page.get_by_test_id("toast-body").first).to_be_visible(timeout=IMPORT_MS)
    walk.look("a refusal over the page")
    page.locator("#reset-settings").click()
    expect(page.locator("#epochs input")).to_have_value("30")
    set_field(tab, "learning-rate", "1e15")
    press_train(tab)
    wait_until_over(tab)
    walk.look("failed")


def test_results_are_in_the_chosen_language(walk: Walk, tmp_path: Path) -> None:
    page, tab = walk.page, walk.tab
    bring(tab, own_folder(tmp_path / "ownset"), 2)
    set_field(tab, "epochs", "3")
    press_train(tab)
    wait_until_over(tab)
    walk.look("finished")
    broken = tmp_path / "own-broken.jpg"
    broken.write_bytes(jpeg()[:200])
    sound = tmp_path / "own-new.jpg"
    sound.write_bytes(jpeg(0, 900))
    tab.drop_files(PICTURE_ZONE, [sound, broken])
    expect(page.locator("#predictions .tl-pr-item")).to_have_count(2, timeout=IMPORT_MS)
    walk.look("answers")
    page.locator("#ladder").get_by_role("button", name="Last stage").click()
    expect(page.locator("#ladder .tl-learns")).to_have_count(2)
    walk.look("the last stage learns")
    set_field(tab, "epochs", "2")
    page.locator("#fine-tune").click()
    expect(page.locator(".tl-run-phase")).to_have_count(2, timeout=TRAIN_MS)
    expect(page.locator("#gain-sentence")).to_contain_text("interval", timeout=TRAIN_MS)
    walk.look("fine-tuned")
    look_closer(tab, "Compare runs")
    for box in page.locator("#runs tbody input[type=checkbox]").all():
        box.check()
    walk.look("runs compared")
    runs = page.locator("#runs tbody tr").first
    runs.get_by_text("Rename").click()
    walk.look("a run to rename")
    page.keyboard.press("Escape")
    runs.get_by_text("Remove").click()
    walk.look("a run to remove")


def test_experiments_are_in_the_chosen_language(walk: Walk, tmp_path: Path) -> None:
    page, tab = walk.page, walk.tab
    bring(tab, own_folder(tmp_path / "ownset"), 2)
    page.locator("#settings button").first.click()
    page.locator("#rate-start").click()
    expect(page.locator("#rate-use")).to_be_visible(timeout=TRAIN_MS)
    walk.look("a rate that was found")
    set_field(tab, "epochs", "3")
    press_train(tab)
    wait_until_over(tab)
    look_closer(tab, "Classic mistakes")
    view = page.locator("#mistake-view")
    walk.look("mistakes")
    view.get_by_role("button", name="Red and blue swapped").click()
    walk.look("a question")
    view.get_by_role("button", name="About as many").click()
    expect(view.locator(".tl-mis-answer")).to_contain_text("without it", timeout=TRAIN_MS)
    walk.look("a mistake that was made")
    look_closer(tab, "Freeze race")
    page.locator("#race-start").click()
    race = page.locator("#race-view")
    expect(race.locator(".tl-race-lanes li")).to_have_count(5)
    walk.look("a race")
    expect(race.get_by_role("status")).to_contain_text("The race is over", timeout=TRAIN_MS)
    walk.look("a race that is over")
