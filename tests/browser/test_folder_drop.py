"""The drop zone for a folder of labelled pictures, in a real browser with real folders."""

import io
import json
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.browser.drop_page import (
    FOLDER,
    MOST_IMAGE_BYTES,
    DropPage,
    drop_and_wait,
    hold_uploads,
    new_context,
    opened_tab,
    wait_for_line,
    wait_for_word,
    write_down_lines,
)
from tests.browser.tab import Tab
from tests.pictures import (
    BROKEN,
    ORIENTATION_TAG,
    camera_jpeg,
    class_folder,
    encoded,
    jpeg,
    pattern,
)
from tlapp.ui.widgets.folder_drop import NAMED_LEFT_OUT

pytestmark = pytest.mark.browser

HOSTILE_NAMES = (
    "Füße & naïve café",
    "帽子 😀",
    "we#ird %20&?;=",
    "<img src=x onerror=alert(1)>",
    "${alert(1)}",
    "{{constructor}}",
    "\"quoted\" 'name'",
    "CON",
    "trailing dot.",
    "-rf",
)


def test_a_dropped_folder_arrives_with_the_names_of_its_classes(
    tab: Tab, drop_page: DropPage, tmp_path: Path
) -> None:
    folder = class_folder(tmp_path / "coats", HOSTILE_NAMES, per_class=2, width=24, height=20)
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "no ending").write_bytes(jpeg())
    expected = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert drop_and_wait(tab, drop_page, folder) == expected
    assert drop_page.uploads[-1].name == "coats"
    assert drop_page.uploads[-1].left_out == ()
    wait_for_line(tab, FOLDER, "21 files sent.")


def test_several_folders_dropped_at_once_are_a_class_each(
    tab: Tab, drop_page: DropPage, pictures_folder: Path
) -> None:
    arrived = drop_and_wait(tab, drop_page, *sorted(pictures_folder.iterdir()))
    assert {name.split("/")[0] for name in arrived} == {"stripes", "dots", "checks"}
    assert len(arrived) == 24


def test_junk_stays_out_silently_and_other_files_are_named(
    tab: Tab, drop_page: DropPage, tmp_path: Path
) -> None:
    folder = class_folder(tmp_path / "set", per_class=1)
    for name in (".DS_Store", "._stripes-0.jpg", "Thumbs.db", "desktop.ini"):
        (folder / "dots" / name).write_bytes(b"junk")
    for hidden in ("__MACOSX", ".hidden"):
        (folder / hidden).mkdir()
        (folder / hidden / "x.jpg").write_bytes(jpeg())
    (folder / "notes.txt").write_text("not a picture")
    (folder / "dots" / "table.csv").write_text("1,2")
    (folder / "dots" / "big.jpg").write_bytes(bytes(MOST_IMAGE_BYTES + 1))
    (folder / "dots" / "big.xyz").write_bytes(bytes(2_000_000))
    (folder / "dots" / "small.xyz").write_bytes(b"unknown, so the server lists it")
    arrived = drop_and_wait(tab, drop_page, folder)
    assert sorted(name.split("/", 1)[1] for name in arrived) == [
        "checks/checks-0.jpg",
        "dots/dots-0.jpg",
        "dots/small.xyz",
        "stripes/stripes-0.jpg",
    ]
    assert dict(drop_page.uploads[-1].left_out) == {
        "set/notes.txt": "no_picture",
        "set/dots/table.csv": "no_picture",
        "set/dots/big.jpg": "too_large",
        "set/dots/big.xyz": "no_picture",
    }
    assert drop_page.uploads[-1].unnamed_count == 0
    wait_for_line(tab, FOLDER, "4 files stayed behind")


def test_files_that_only_look_like_pictures_reach_the_server_unchanged(
    tab: Tab, drop_page: DropPage, tmp_path: Path
) -> None:
    folder = class_folder(tmp_path / "set", per_class=1)
    broken = {name: make() for name, make in BROKEN.items()}
    for name, raw in broken.items():
        (folder / "dots" / name).write_bytes(raw)
    arrived = drop_and_wait(tab, drop_page, folder)
    assert {name: arrived[f"set/dots/{name}"] for name in broken} == broken


def test_the_folder_of_difficult_files_arrives_whole(
    tab: Tab, drop_page: DropPage, traps_folder: Path
) -> None:
    arrived = drop_and_wait(tab, drop_page, traps_folder)
    expected = {
        path.relative_to(traps_folder.parent).as_posix(): path.read_bytes()
        for path in traps_folder.rglob("*")
        if path.is_file() and path.name not in {".DS_Store", "Thumbs.db", "notes.txt"}
    }
    assert arrived == expected


def test_big_photos_are_shrunk_upright_and_damaged_ones_are_left_as_they_are(
    tab: Tab, drop_page: DropPage, tmp_path: Path
) -> None:
    folder = class_folder(tmp_path / "set", per_class=1)
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = 6  # stored lying on its side
    lying = Image.open(io.BytesIO(camera_jpeg(1, width=2400, height=1800)))
    (folder / "dots" / "lying.jpg").write_bytes(encoded(lying, exif=exif))
    clear = Image.new("RGBA", (1600, 1200), (0, 0, 0, 0))
    (folder / "dots" / "clear.png").write_bytes(encoded(clear, "PNG"))
    whole = encoded(pattern(4, 1, width=1300, height=1200), quality=98)
    cut = whole[: len(whole) * 2 // 3]
    (folder / "dots" / "cut.jpg").write_bytes(cut)
    (folder / "dots" / "modern.avif").write_bytes(encoded(pattern(2, 2), "AVIF"))
    arrived = drop_and_wait(tab, drop_page, folder)

    upright = Image.open(io.BytesIO(arrived["set/dots/lying.jpg"]))
    assert upright.size == (512, 683)
    assert not upright.getexif()
    on_white = Image.open(io.BytesIO(arrived["set/dots/clear.png"]))
    assert on_white.format == "JPEG"
    assert on_white.getpixel((5, 5)) == (255, 255, 255)
    assert arrived["set/dots/cut.jpg"] == cut
    assert Image.open(io.BytesIO(arrived["set/dots/modern.avif"])).format in {"AVIF", "JPEG"}


def test_twelve_hundred_files_show_their_progress(
    tab: Tab, drop_page: DropPage, tmp_path: Path
) -> None:
    raw = jpeg(width=48, height=40)
    for class_name in ("a", "b", "c", "d"):
        (tmp_path / "many" / class_name).mkdir(parents=True)
        for number in range(300):
            (tmp_path / "many" / class_name / f"{number}.jpg").write_bytes(raw)
    write_down_lines(tab.page, FOLDER)
    arrived = drop_and_wait(tab, drop_page, tmp_path / "many")
    assert len(arrived) == 1_200
    assert set(arrived.values()) == {raw}
    seen = tab.page.evaluate("window.seenLines")
    assert any(heading == "1,200 pictures in 4 folders" for heading, *_ in seen)
    assert any(line.startswith("Reading and shrinking") for _, line, *_ in seen)
    assert any(line.startswith("Sending") and "1,200 pictures, " in line for _, line, *_ in seen)
    places = {int(place) for *_, place, _ in seen if place}
    assert len(places) > 2
    assert places <= set(range(101))
    assert any("Sending 0 of 1,200 pictures" in spoken for *_, spoken in seen)


def test_a_zip_of_ones_own_arrives_as_it_is(
    tab: Tab, drop_page: DropPage, pictures_zip: Path
) -> None:
    drop_and_wait(tab, drop_page, pictures_zip)
    assert drop_page.zips[-1] == pictures_zip.read_bytes()
    assert drop_page.uploads[-1].name == "pictures"


def test_folder_and_zip_can_be_chosen_with_the_keyboard(
    tab: Tab, drop_page: DropPage, pictures_folder: Path, pictures_zip: Path
) -> None:
    count = len(drop_page.zips)
    tab.page.on("filechooser", lambda chooser: None)  # from now on no chooser opens unseen
    tab.page.get_by_role("button", name="Choose a folder").focus()
    with tab.page.expect_file_chooser() as folder_chooser:
        tab.page.keyboard.press("Enter")
    folder_chooser.value.set_files(pictures_folder)
    wait_for_word(tab, f"zip {count + 1}")
    assert len(drop_page.newest_zip()) == 24
    assert all(name.startswith("pictures/") for name in drop_page.newest_zip())

    tab.page.keyboard.press("Tab")
    with tab.page.expect_file_chooser() as zip_chooser:
        tab.page.keyboard.press("Space")
    zip_chooser.value.set_files(pictures_zip)
    wait_for_word(tab, f"zip {count + 2}")
    assert drop_page.zips[-1] == pictures_zip.read_bytes()


def test_the_sample_button_asks_for_the_sample_pictures(tab: Tab, drop_page: DropPage) -> None:
    tab.page.get_by_role("button", name="Use the sample pictures").click()
    wait_for_word(tab, f"sample {drop_page.samples or 1}")
    assert drop_page.samples >= 1


def test_a_file_that_misses_the_zone_does_not_replace_the_page(
    tab: Tab, drop_page: DropPage, pictures_zip: Path
) -> None:
    tab.page.set_viewport_size({"width": 1000, "height": 900})
    tab.drop_files("main", [pictures_zip])
    tab.page.evaluate("() => new Promise(requestAnimationFrame)")
    assert tab.page.url.startswith(drop_page.url)
    assert tab.page.locator(FOLDER).is_visible()


def test_nothing_jumps_when_work_begins(
    tab: Tab, drop_page: DropPage, pictures_folder: Path
) -> None:
    hold_uploads(tab)
    before = tab.page.locator(FOLDER).bounding_box()
    tab.drop_files(FOLDER, [pictures_folder])
    wait_for_line(tab, FOLDER, "Sending")
    assert tab.page.locator(FOLDER).bounding_box() == before
    tab.page.get_by_role("button", name="Cancel").click()
    wait_for_line(tab, FOLDER, "Stopped")


def test_the_same_zip_sent_twice_is_two_files_that_nobody_can_guess(
    tab: Tab, drop_page: DropPage, pictures_zip: Path
) -> None:
    """Uploads of all visitors share one folder, by content and name; the receiver removes them."""
    drop_and_wait(tab, drop_page, pictures_zip)
    drop_and_wait(tab, drop_page, pictures_zip)
    first, second = (Path(upload.path).name for upload in drop_page.uploads[-2:])
    assert first != second
    assert len(first) >= 32 + len(".zip")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 700), (390, 844)])
def test_both_zones_look_right(
    browser: Browser,
    drop_page: DropPage,
    pictures_folder: Path,
    screenshot_folder: Path,
    theme: str,
    size: tuple[int, int],
) -> None:
    context = new_context(browser, size)
    with closing(context), opened_tab(context, drop_page, theme=theme) as tab:
        shot = f"drop-{theme}-{size[0]}"
        assert tab.accessibility_failures(("color-contrast", "label", "button-name")) == []
        assert tab.overflow_pixels() == 0
        tab.page.screenshot(path=screenshot_folder / f"{shot}-idle.png")
        hold_uploads(tab)
        tab.drop_files(FOLDER, [pictures_folder])
        wait_for_line(tab, FOLDER, "Sending")
        rules = ("color-contrast", "aria-progressbar-name", "aria-allowed-attr")
        assert tab.accessibility_failures(rules) == []
        tab.page.screenshot(path=screenshot_folder / f"{shot}-busy.png")
        tab.page.get_by_role("button", name="Cancel").click()
        wait_for_line(tab, FOLDER, "Stopped")
        tab.drop_files(FOLDER, [next(pictures_folder.rglob("*.jpg"))])
        wait_for_line(tab, FOLDER, "no class yet")
        assert tab.accessibility_failures() == []
        tab.page.screenshot(path=screenshot_folder / f"{shot}-refused.png")


def test_the_page_description_knows_the_value(drop_page: DropPage) -> None:
    described = httpx.get(f"{drop_page.url}gradio_api/info")
    assert described.status_code == 200
    assert "take_zip" in json.dumps(described.json())


def test_very_many_files_that_stay_behind_are_named_in_part_and_counted(
    tab: Tab, drop_page: DropPage, tmp_path: Path
) -> None:
    folder = class_folder(tmp_path / "set", per_class=1)
    for number in range(NAMED_LEFT_OUT + 20):
        (folder / f"{number}.txt").write_text("not a picture")
    drop_and_wait(tab, drop_page, folder)
    assert len(drop_page.uploads[-1].left_out) == NAMED_LEFT_OUT
    assert drop_page.uploads[-1].unnamed_count == 20
