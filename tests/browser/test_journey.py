"""The main job in a real browser: drop a folder, train, watch, reload, stop, drop test pictures."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.journey import (
    FOLDER_ZONE,
    IMPORT_MS,
    TRAIN_MS,
    answers,
    class_names,
    curve_points,
    drop_folder,
    drop_test_pictures,
    epoch_shown,
    look_at,
    look_closer,
    press_train,
    reload,
    run_status,
    runs_on_disk,
    set_field,
    wait_for_epoch,
    wait_for_epochs_on_disk,
    wait_until_open,
    wait_until_over,
)
from tests.pictures import BROKEN, UNUSUAL, class_folder, jpeg, zip_entries, zip_folder
from tests.server import AppServer

pytestmark = pytest.mark.browser


@pytest.fixture
def test_pictures(tmp_path: Path) -> list[Path]:
    """One picture of each class, none of which is learned from."""
    paths = [tmp_path / f"new-{index}.jpg" for index in range(3)]
    for index, path in enumerate(paths):
        path.write_bytes(jpeg(index, 900 + index))
    return paths


def test_from_a_dropped_folder_to_probabilities_with_a_reload_on_the_way(
    open_tab: OpenTab, tmp_path: Path, test_pictures: list[Path]
) -> None:
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "my pictures", per_class=20))
    assert class_names(tab) == ["checks", "dots", "stripes"]
    expect(tab.page.locator("#class-list img").first).to_be_visible()

    set_field(tab, "epochs", "1000")
    set_field(tab, "batch-size", "1")  # slow enough to be watched
    press_train(tab)
    wait_for_epoch(tab, 2)
    few = curve_points(tab)
    wait_for_epoch(tab, 2 * max(few, 3))
    assert curve_points(tab) > few

    before = epoch_shown(tab)
    reload(tab)
    after = wait_for_epoch(tab, before)
    assert curve_points(tab) >= before
    assert class_names(tab) == ["checks", "dots", "stripes"]
    wait_for_epoch(tab, after + 1)  # it goes on

    drop_test_pictures(tab, test_pictures)  # while it trains
    assert {name for name, _ in answers(tab)["new-0.jpg"]} == {"checks", "dots", "stripes"}

    tab.page.locator("#stop").click()
    wait_until_over(tab)
    expect(run_status(tab)).to_contain_text(re.compile("stop", re.IGNORECASE))
    said = answers(tab)
    assert [said[path.name][0][0] for path in test_pictures] == ["stripes", "dots", "checks"]
    assert all(shown.endswith("%") for classes in said.values() for _, shown in classes)
    expect(tab.page.locator("#results")).to_contain_text("held-out pictures are right")


def test_what_is_clicked_while_the_page_opens_is_not_lost_to_nobody(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    """The zones take nothing before the page knows whose it would be."""
    tab = open_tab()
    tab.page.wait_for_selector("#folder-drop .tl-drop", state="attached")
    blocked = tab.page.evaluate(
        """() => document.documentElement.classList.contains('tl-open')
          || getComputedStyle(document.querySelector('.tl-zones')).pointerEvents === 'none'"""
    )
    assert blocked
    drop_folder(tab, class_folder(tmp_path / "pictures", per_class=3))


def test_closing_the_tab_stops_nothing(open_tab: OpenTab, tmp_path: Path) -> None:
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "pictures", per_class=20))
    set_field(tab, "epochs", "1000")
    set_field(tab, "batch-size", "1")
    press_train(tab)
    before = wait_for_epoch(tab, 3)
    again = open_tab(visitor=tab)
    tab.page.close()
    wait_for_epoch(again, before + 3)
    again.page.locator("#stop").click()
    wait_until_over(again)


def test_a_broken_line_stops_no_training_and_the_page_catches_up(
    open_tab: OpenTab, app_server: AppServer, tmp_path: Path
) -> None:
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "pictures", per_class=20))
    set_field(tab, "epochs", "1000")
    set_field(tab, "batch-size", "1")
    press_train(tab)
    before = wait_for_epoch(tab, 2)
    tab.expect("Failed to (load|fetch)|ERR_INTERNET_DISCONNECTED|errored out|AbortError")
    tab.page.context.set_offline(True)
    wait_for_epochs_on_disk(app_server, 3)  # the line is down for so long
    tab.page.context.set_offline(False)
    wait_for_epoch(tab, before + 5)
    tab.page.locator("#stop").click()
    wait_until_over(tab)


def test_pressing_train_twice_starts_one_training(
    open_tab: OpenTab, app_server: AppServer, tmp_path: Path
) -> None:
    before = runs_on_disk(app_server)
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "pictures", per_class=20))
    set_field(tab, "epochs", "1000")
    set_field(tab, "batch-size", "1")
    expect(tab.page.locator("#train")).to_be_enabled()
    # Within one moment: the second press of a slow double click falls on Stop, which has taken
    # Train's place by then.
    tab.page.locator("#train").evaluate("(button) => { button.click(); button.click(); }")
    wait_for_epoch(tab, 2)
    tab.page.locator("#stop").click()
    wait_until_over(tab)
    expect(tab.page.locator("#stop")).to_be_hidden()
    assert len(runs_on_disk(app_server) - before) == 1


def test_before_any_training_the_untouched_network_answers(
    open_tab: OpenTab, test_pictures: list[Path]
) -> None:
    tab = open_tab()
    wait_until_open(tab)
    drop_test_pictures(tab, test_pictures)
    assert all(len(classes) >= 3 for classes in answers(tab).values())
    expect(tab.page.locator("#predictions")).to_contain_text("ImageNet")


def test_the_sample_pictures_train_with_the_defaults(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.page.get_by_role("button", name="Use the sample pictures").click()
    expect(tab.page.locator("#class-list")).to_contain_text("pictures in")
    press_train(tab)
    wait_until_over(tab)
    expect(tab.page.locator("#results")).to_contain_text("held-out pictures are right")
    for kind in ("PNG", "SVG", "CSV"):
        with tab.page.expect_download() as download:
            tab.page.locator("#results").get_by_role("link", name=kind).click()
        assert download.value.suggested_filename.endswith(kind.lower())


def test_a_zip_without_pictures_is_refused_and_what_was_there_stays(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "pictures"))
    empty = zip_entries(tmp_path / "letters.zip", [("cats/letter.txt", b"Dear cat")])
    tab.drop_files(FOLDER_ZONE, [empty])
    expect(tab.page.locator("#data")).to_contain_text("No pictures")
    assert class_names(tab) == ["checks", "dots", "stripes"]


def test_a_file_that_only_has_the_name_of_a_zip_is_refused_in_words(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    tab = open_tab()
    wait_until_open(tab)
    wrong = tmp_path / "pictures.zip"
    wrong.write_bytes(b"Rar!\x1a\x07\x00" + b"x" * 500)
    tab.drop_files(FOLDER_ZONE, [wrong])
    expect(tab.page.locator("#data")).to_contain_text("zip")
    expect(tab.page.locator("#data").get_by_role("alert")).to_be_visible()


def test_a_dropped_zip_and_a_dropped_folder_bring_the_same(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    folder = class_folder(tmp_path / "pictures", per_class=3)
    tab = open_tab()
    tab_with_zip = open_tab()
    drop_folder(tab, folder)
    wait_until_open(tab_with_zip)
    tab_with_zip.drop_files(FOLDER_ZONE, [zip_folder(folder, tmp_path / "pictures.zip")])
    expect(tab_with_zip.page.locator("#class-list")).to_contain_text("pictures in")
    assert class_names(tab_with_zip) == class_names(tab)


def test_a_nested_folder_with_junk_and_damaged_files_is_sorted_out(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    folder = tmp_path / "bag"
    class_folder(folder / "train", ("cats", "dogs"), per_class=6)
    class_folder(folder / "val", ("cats", "dogs"), per_class=2, first_seed=50)
    for name in (".DS_Store", "Thumbs.db", "._1.jpg"):
        (folder / "train" / "cats" / name).write_bytes(b"\x00\x05\x16\x07")
    for name, make in UNUSUAL.items():
        (folder / "train" / "dogs" / name).write_bytes(make())
    for name in ("empty.jpg", "text.jpg", "half.jpg"):
        (folder / "train" / "cats" / name).write_bytes(BROKEN[name]())
    tab = open_tab()
    drop_folder(tab, folder)
    assert class_names(tab) == ["cats", "dogs"]
    listing = tab.page.locator("#class-list")
    expect(listing).to_contain_text("3")
    assert ".DS_Store" not in listing.inner_text()


def test_names_that_are_code_are_shown_as_text(open_tab: OpenTab, tmp_path: Path) -> None:
    names = ("<img src=x onerror=alert(1)>", "${alert(1)}", "{{value}}")
    tab = open_tab()
    tab.page.on("dialog", lambda dialog: tab.problems.append(f"dialog: {dialog.message}"))
    archive = zip_entries(
        tmp_path / "names.zip",
        [
            (f"{name}/{number}.jpg", jpeg(index, number))
            for index, name in enumerate(names)
            for number in range(4)
        ],
    )
    wait_until_open(tab)
    tab.drop_files(FOLDER_ZONE, [archive])
    expect(tab.page.locator("#class-list")).to_contain_text("pictures in")
    assert set(class_names(tab)) == set(names)
    set_field(tab, "epochs", "3")
    press_train(tab)
    wait_until_over(tab)
    picture = tmp_path / "new.jpg"
    picture.write_bytes(jpeg(0, 900))
    drop_test_pictures(tab, [picture])
    assert {name for name, _ in answers(tab)["new.jpg"]} == set(names)
    expect(tab.page.locator("#results")).to_contain_text(names[0])


def test_the_toggle_changes_what_learns(open_tab: OpenTab, tmp_path: Path) -> None:
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "pictures"))
    ladder = tab.page.locator("#ladder")
    switch = ladder.get_by_role("switch", name="Freeze the backbone")
    expect(switch).to_be_checked()
    expect(ladder).to_contain_text("3,843")  # 1280 x 3 weights and 3 biases
    expect(ladder).to_contain_text("1280")
    switch.click()
    expect(switch).not_to_be_checked()
    expect(ladder).not_to_contain_text("3,843 of")


def test_how_long_an_epoch_takes_is_measured_before_the_first(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "pictures", per_class=6))
    ladder = tab.page.locator("#ladder")
    ladder.get_by_role("button", name="Last stage").click()
    expect(ladder.locator(".tl-learns")).to_have_count(2)
    set_field(tab, "batch-size", "7")  # small batches, as nobody else here
    expect(ladder).to_contain_text("an epoch, as measured here", timeout=TRAIN_MS)
    expect(tab.page.locator("#train")).to_be_enabled()


def test_the_settings_are_found_again_after_a_reload(open_tab: OpenTab, tmp_path: Path) -> None:
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "pictures"))
    ladder = tab.page.locator("#ladder")
    ladder.get_by_role("button", name="Last two").click()
    expect(ladder.locator(".tl-learns")).to_have_count(3)
    expect(ladder.get_by_role("button", name="Last two")).to_have_attribute("aria-pressed", "true")
    before = ladder.locator(".tl-lad-rate").last.inner_text()
    set_field(tab, "epochs", "4")
    set_field(tab, "learning-rate", "0.005")
    expect(ladder.locator(".tl-lad-rate").last).not_to_have_text(before)  # the server knows
    expect(ladder.get_by_role("button", name="Last two")).to_have_attribute("aria-pressed", "false")
    reload(tab)
    expect(ladder.locator(".tl-learns")).to_have_count(3)
    tab.page.locator("#settings").get_by_role("button", name="Settings").click()
    expect(tab.page.locator("#epochs input")).to_have_value("4")
    expect(tab.page.locator("#learning-rate input")).to_have_value("0.005")


def test_a_field_says_itself_why_it_cannot_hold_a_value(open_tab: OpenTab, tmp_path: Path) -> None:
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "pictures", per_class=3))
    expect(tab.page.locator("#train")).to_be_enabled(timeout=IMPORT_MS)
    batch, epochs = tab.page.locator("#batch-size"), tab.page.locator("#epochs")
    set_field(tab, "batch-size", "0")
    set_field(tab, "epochs", "20000")
    expect(batch).to_contain_text("The batch size cannot be 0. Choose a whole number")
    expect(epochs).to_contain_text("cannot be 20000. Choose a whole number from 1 to 1,000.")
    expect(batch.locator("input")).to_have_value("0")
    set_field(tab, "epochs", "")
    expect(epochs).to_contain_text("Left empty, it is 30")
    tab.page.get_by_role("button", name="Back to the defaults").click()
    expect(batch).to_contain_text("Pictures per step.")
    expect(epochs.locator("input")).to_have_value("30")


def test_a_head_is_fine_tuned_and_its_curve_goes_on(open_tab: OpenTab, tmp_path: Path) -> None:
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "pictures", ("dots", "stripes"), per_class=8))
    set_field(tab, "epochs", "4")
    press_train(tab)
    wait_until_over(tab)
    ladder = tab.page.locator("#ladder")
    ladder.get_by_role("button", name="Last stage").click()
    expect(ladder.locator(".tl-learns")).to_have_count(2)
    set_field(tab, "epochs", "2")
    tab.page.get_by_role("button", name="Fine-tune").click()
    expect(tab.page.locator(".tl-run-phase")).to_have_count(2, timeout=TRAIN_MS)
    expect(tab.page.locator("#gain-sentence")).to_contain_text("95 % interval", timeout=TRAIN_MS)
    expect(tab.page.get_by_role("button", name="Fine-tune")).to_be_hidden()
    moved = ladder.locator(".tl-lad-moved:not(:empty)")
    expect(moved).to_have_count(1)  # of the stage that learned
    expect(moved).to_contain_text("%")
    expect(ladder).to_contain_text("still names the same ImageNet object")
    above = tab.page.evaluate(
        """() => [...document.querySelectorAll("#run-view figure")].every((figure) => {
          const box = (node) => node.getBoundingClientRect();
          const words = [...figure.querySelectorAll("text")];
          const word = words.find((each) => each.textContent === "more stages learn");
          const lines = [...figure.querySelectorAll(".tl-run-grid")].map((line) => box(line).top);
          return box(word).bottom <= Math.min(...lines) + 1;
        })"""
    )
    assert above, "The word of the phase stands in the curves."


def test_two_runs_are_compared_renamed_kept_and_shown_again(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "pictures", ("dots", "stripes"), per_class=8))
    for epochs in ("3", "5"):
        set_field(tab, "epochs", epochs)
        press_train(tab)
        wait_until_over(tab)
    look_closer(tab, "Compare runs")
    runs = tab.page.locator("#runs")
    expect(runs.locator("tbody tr")).to_have_count(2)
    expect(runs.locator(".tl-runs-line")).to_have_count(2)
    under, over = runs.locator(".tl-runs-line path").evaluate_all(
        "paths => paths.map((path) => getComputedStyle(path).strokeDasharray)"
    )
    assert under == "none" != over  # where they are equal, both are seen
    differing = runs.locator(".tl-runs-differences")
    expect(differing).to_contain_text("Epochs")
    expect(differing.locator("tr")).to_have_count(2)  # the names, and the one thing that differs
    longest = runs.locator(".tl-runs-line path").first.get_attribute("d")
    runs.get_by_role("button", name="Over seconds").click()
    expect(runs.locator(".tl-runs-line path").first).not_to_have_attribute("d", longest or "")
    older = runs.locator("tbody tr").nth(1)
    older.get_by_text("Rename").click()
    field = runs.get_by_role("textbox")
    field.fill("Three epochs")
    field.press("Enter")
    expect(older).to_contain_text("Three epochs")
    older.get_by_text("Keep").click()
    expect(older).to_contain_text("kept")
    older.get_by_text("Show", exact=True).click()
    expect(older).to_contain_text("on the page")
    expect(
        tab.page.locator("#run-view .tl-run-axis").get_by_text("3", exact=True).first
    ).to_be_visible()
    older.get_by_text("Use settings").click()
    expect(tab.page.locator("#epochs input")).to_have_value("3")
    newer = runs.locator("tbody tr").first
    newer.get_by_text("Remove").click()
    expect(runs.locator("tbody tr")).to_have_count(2)
    newer.get_by_text("Really remove it?").click()
    expect(runs.locator("tbody tr")).to_have_count(1)


def test_a_freeze_race_draws_five_curves_and_ends_in_a_sentence(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "pictures", ("dots", "stripes"), per_class=6))
    other = open_tab(visitor=tab)
    wait_until_open(other)
    look_closer(tab, "Freeze race")
    tab.page.get_by_role("button", name="Start the race").click()
    race = tab.page.locator("#race-view")
    expect(race.locator(".tl-race-lanes li")).to_have_count(5)
    look_at(other)  # it was open before
    look_closer(other, "Freeze race")
    expect(other.page.locator("#race-view .tl-race-lanes li")).to_have_count(5)
    expect(other.page.get_by_role("button", name="Stop the race")).to_be_visible()
    expect(other.page.locator("#train")).to_be_disabled()
    expect(other.page.locator("#next-step")).to_contain_text("freeze race is under way")
    other.page.close()
    expect(race.get_by_role("status")).to_contain_text("The race is on")
    reload(tab)
    look_closer(tab, "Freeze race")
    expect(race.locator(".tl-race-lanes li")).to_have_count(5)
    expect(tab.page.locator("#train")).to_be_disabled()
    expect(race.get_by_role("status")).to_have_text("The race is over.", timeout=TRAIN_MS)
    expect(tab.page.locator("#train")).to_be_enabled()
    lines = race.locator(".tl-runs-line").evaluate_all(
        """lines => lines.map((line) => [
          Number(line.querySelector("circle").getAttribute("cy")),
          line.querySelector("path").getAttribute("d").split(/[ML]/).slice(1)
            .map((point) => Number(point.split(" ")[1])),
        ])"""
    )
    assert len(lines) == 5
    for dot, heights in lines:  # the dot stands where the figure beside the lane is reached
        assert dot == pytest.approx(min(heights), abs=0.1)
    expect(race.locator(".tl-race-note").first).to_contain_text("best: epoch")
    verdict = re.compile("is in front|are level")
    expect(race.locator(".tl-race-verdict")).to_contain_text(verdict)
    look_closer(tab, "Compare runs")
    expect(tab.page.locator("#runs tbody tr")).to_have_count(5)
    look_closer(tab, "Freeze race")
    expect(tab.page.get_by_role("button", name="Start the race")).to_be_enabled()


def test_a_mistake_is_guessed_made_and_explained_and_found_again(
    open_tab: OpenTab, tmp_path: Path
) -> None:
    tab = open_tab()
    drop_folder(tab, class_folder(tmp_path / "pictures", ("dots", "stripes"), per_class=12))
    look_closer(tab, "Classic mistakes")
    view = tab.page.locator("#mistake-view")
    choice = view.get_by_role("button", name="Red and blue swapped")
    expect(choice).to_be_disabled()
    press_train(tab)
    wait_until_over(tab)
    choice.click()
    expect(view).to_contain_text("as OpenCV does")
    expect(view.locator(".tl-mis-bars li")).to_have_count(0)
    view.get_by_role("button", name="About as many").click()
    expect(view.locator(".tl-mis-answer")).to_contain_text("without it", timeout=TRAIN_MS)
    views = view.get_by_role("img")
    expect(views).to_have_count(2)
    right, wrong = (views.nth(index).get_attribute("src") for index in (0, 1))
    assert right != wrong
    expect(view.locator(".tl-mis-bars li")).to_have_count(2)

    view.get_by_role("button", name="Labels shuffled").click()
    expect(view.locator(".tl-mis-answer")).not_to_contain_text("without it")
    view.get_by_role("button", name="No better than guessing").click()
    expect(view.locator(".tl-mis-answer")).to_contain_text("learned from", timeout=TRAIN_MS)
    expect(view.locator(".tl-runs-line")).to_have_count(2)
    view.get_by_role("button", name="Labels shuffled").click()
    expect(view.get_by_role("button", name="No better than guessing")).to_be_visible()
    reload(tab)
    look_closer(tab, "Classic mistakes")
    expect(view.locator(".tl-mis-answer")).to_contain_text("learned from", timeout=TRAIN_MS)
    expect(view.locator(".tl-runs-line")).to_have_count(2)
    assert all(line.get_attribute("d") for line in view.locator(".tl-runs-line path").all())
    expect(run_status(tab)).to_contain_text("held-out pictures are right")


def test_two_visitors_do_not_see_each_other(open_tab: OpenTab, tmp_path: Path) -> None:
    first, second = open_tab(), open_tab()
    drop_folder(first, class_folder(tmp_path / "first", ("ants", "bees")))
    drop_folder(second, class_folder(tmp_path / "second", ("cows", "dogs")))
    for tab in (first, second):
        reload(tab)
        expect(tab.page.locator("#class-list")).to_contain_text("pictures in")
    assert class_names(first) == ["ants", "bees"]
    assert class_names(second) == ["cows", "dogs"]
