"""The steps of a visit to the page, each done by hand and waited for by what is then to be seen."""

import re
import time
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser.tab import Tab
from tests.patience import PATIENCE_MS, PATIENCE_SECONDS, STEP_MS
from tests.server import AppServer

IMPORT_MS = STEP_MS
TRAIN_MS = PATIENCE_MS  # behind another visitor's training, on a busy machine

FOLDER_ZONE = "#folder-drop .tl-drop"
PICTURE_ZONE = "#picture-drop .tl-drop"


def wait_until_open(tab: Tab) -> None:
    """Wait until the page knows its visitor and takes what is brought."""
    expect(tab.page.locator(FOLDER_ZONE)).to_be_visible(timeout=IMPORT_MS)
    tab.page.wait_for_function("() => document.documentElement.classList.contains('tl-open')")


def run_status(tab: Tab) -> Locator:
    """The one sentence that says how the training is."""
    return tab.page.locator("#run-view .tl-run-status")


def drop_folder(tab: Tab, folder: Path) -> None:
    """Drop a folder of class folders and wait until its classes are shown."""
    wait_until_open(tab)
    tab.drop_files(FOLDER_ZONE, [folder])
    expect(tab.page.locator("#class-list")).to_contain_text("pictures in", timeout=IMPORT_MS)


def class_names(tab: Tab) -> list[str]:
    """The classes as the page lists them."""
    return tab.page.locator("#class-list .tl-cl-name").all_inner_texts()


def look_at(tab: Tab) -> None:
    """Come back to a tab that was out of sight. (Without a screen no tab ever is.)"""
    tab.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")


def look_closer(tab: Tab, heading: str) -> None:
    """Choose one of the tabs below the zones."""
    tab.page.get_by_role("tab", name=heading).click()


def set_field(tab: Tab, elem_id: str, value: str) -> None:
    """Fill a field of the settings, opening them when they are closed."""
    field = tab.page.locator(f"#{elem_id} input")
    if not field.is_visible():
        tab.page.locator("#settings").get_by_role("button", name="Settings").click()
    field.fill(value)
    field.press("Tab")


def reload(tab: Tab) -> None:
    """Reload the page and wait until it is of use again."""
    tab.reload()
    wait_until_open(tab)


def press_train(tab: Tab) -> None:
    """Press Train and wait until the page says something else of the run than before.

    Stop may be there too shortly to be seen: with features in the cache a run takes under a second.
    """
    before = run_status(tab).inner_text()
    tab.page.locator("#train").click()
    expect(run_status(tab)).not_to_have_text(before, timeout=TRAIN_MS)


def wait_for_epoch(tab: Tab, least: int) -> int:
    """Wait until the page tells of this epoch or a later one; which it is."""
    tab.page.wait_for_function(
        """least => {
          const said = document.querySelector('#run-view .tl-run-status')?.textContent ?? '';
          return Number(/Epoch (\\d+)/.exec(said)?.[1] ?? 0) >= least;
        }""",
        arg=least,
        timeout=TRAIN_MS,
    )
    return epoch_shown(tab)


def runs_on_disk(server: AppServer) -> set[Path]:
    """The folders of all runs that the server keeps, whoever's they are."""
    return {path.parent for path in server.home.glob("runs/*/run.json")}


def wait_for_epochs_on_disk(server: AppServer, count: int) -> None:
    """Wait until the trainings of this server have brought so many epochs more, unseen by a page.
    AssertionError after long patience."""

    def epochs() -> int:
        return sum(
            path.read_bytes().count(b"\n") for path in server.home.glob("runs/*/epochs.jsonl")
        )

    wanted, deadline = epochs() + count, time.monotonic() + PATIENCE_SECONDS
    while epochs() < wanted:
        assert time.monotonic() < deadline, "Nothing is trained any more."
        time.sleep(0.05)


def epoch_shown(tab: Tab) -> int:
    """The epoch that the page tells of; 0: none."""
    found = re.search(r"Epoch (\d+)", run_status(tab).inner_text())
    return int(found[1]) if found else 0


def wait_until_over(tab: Tab) -> None:
    """Wait until the training has ended and can be started anew."""
    over = re.compile("finished|stopped|failed")
    expect(tab.page.locator("#run-view .tl-root")).to_have_attribute(
        "data-state", over, timeout=TRAIN_MS
    )
    expect(tab.page.locator("#train")).to_be_visible(timeout=TRAIN_MS)
    expect(tab.page.locator("#stop")).to_be_hidden()


def curve_points(tab: Tab) -> int:
    """How many points the longest curve on the page has."""
    points: int = tab.page.evaluate(
        """() => Math.max(0, ...[...document.querySelectorAll('#run-view svg path')]
          .map(line => (line.getAttribute('d')?.match(/[\\d.]+[ ,][\\d.]+/g) ?? []).length))"""
    )
    return points


def drop_test_pictures(tab: Tab, paths: list[Path]) -> None:
    """Drop test pictures and wait until each has its answer."""
    tab.drop_files(PICTURE_ZONE, paths)
    expect(tab.page.locator("#predictions .tl-pr-item")).to_have_count(
        len(paths), timeout=IMPORT_MS
    )


def answers(tab: Tab) -> dict[str, list[tuple[str, str]]]:
    """Picture name -> its classes with their probabilities as shown, most probable first.

    Read in one go: while a training goes on, the rows change places.
    """
    shown = tab.page.evaluate(
        """() => [...document.querySelectorAll('#predictions .tl-pr-item')].map(item => [
          item.querySelector('.tl-pr-name').innerText,
          [...item.querySelectorAll('.tl-pr-row')].map(row => [
            row.querySelector('.tl-pr-class').innerText,
            row.querySelector('.tl-pr-percent').innerText,
          ]),
        ])"""
    )
    return {name: [(each, percent) for each, percent in rows] for name, rows in shown}
