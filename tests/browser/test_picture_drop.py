"""The drop zone for test pictures, in a real browser: drop, choose, paste, webcam."""

import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext

from tests.browser.drop_page import (
    MOST_TRIED,
    PICTURES,
    DropPage,
    opened_tab,
    wait_for_line,
    wait_for_word,
)
from tests.browser.tab import Tab
from tests.pictures import camera_jpeg, jpeg
from tlapp.settings import MEGABYTE

pytestmark = pytest.mark.browser

PUT_PICTURE_ON_CLIPBOARD = """async () => {
    const canvas = new OffscreenCanvas(40, 30);
    canvas.getContext("2d").fillRect(0, 0, 40, 30);
    const blob = await canvas.convertToBlob({type: "image/png"});
    await navigator.clipboard.write([new ClipboardItem({"image/png": blob})]);
}"""
CAMERA_IS_ON = """() => {
    const stream = document.querySelector(".tl-camera video").srcObject;
    return Boolean(stream) && stream.getTracks().some((track) => track.readyState === "live");
}"""


def wait_for_pictures(tab: Tab, drop_page: DropPage, count_before: int) -> list[tuple[str, bytes]]:
    wait_for_word(tab, f"pictures {count_before + 1}")
    return drop_page.pictures[-1]


def test_dropped_pictures_arrive_in_order_with_their_names(
    tab: Tab, drop_page: DropPage, tmp_path: Path
) -> None:
    count = len(drop_page.pictures)
    same = jpeg(1, 1)
    raw = {"a <b>.jpg": same, "b 帽子.png": same, "c.webp": jpeg(2, 2)}
    for name, content in raw.items():
        (tmp_path / name).write_bytes(content)
    tab.drop_files(PICTURES, [tmp_path / name for name in raw])
    assert wait_for_pictures(tab, drop_page, count) == list(raw.items())
    tab.drop_files(PICTURES, [tmp_path / name for name in raw])
    assert wait_for_pictures(tab, drop_page, count + 1) == list(raw.items())


def test_a_big_photo_is_shrunk(tab: Tab, drop_page: DropPage, tmp_path: Path) -> None:
    count = len(drop_page.pictures)
    (tmp_path / "photo.jpg").write_bytes(camera_jpeg(3, width=2000, height=1500))
    tab.drop_files(PICTURES, [tmp_path / "photo.jpg"])
    [(name, raw)] = wait_for_pictures(tab, drop_page, count)
    assert name == "photo.jpg"
    assert Image.open(io.BytesIO(raw)).size == (683, 512)


def test_more_than_fit_are_cut_and_it_is_said(
    tab: Tab, drop_page: DropPage, pictures_folder: Path
) -> None:
    count = len(drop_page.pictures)
    tab.drop_files(PICTURES, [pictures_folder / "dots"])
    assert len(wait_for_pictures(tab, drop_page, count)) == MOST_TRIED
    wait_for_line(tab, PICTURES, f"these are the first {MOST_TRIED}")


def test_what_is_no_picture_is_refused(tab: Tab, drop_page: DropPage, tmp_path: Path) -> None:
    count = len(drop_page.pictures)
    (tmp_path / "notes.txt").write_text("hello")
    tab.drop_files(PICTURES, [tmp_path / "notes.txt"])
    wait_for_line(tab, PICTURES, "That is not a picture")
    assert len(drop_page.pictures) == count


def test_what_is_left_out_beside_pictures_is_named_with_its_reason(
    tab: Tab, drop_page: DropPage, tmp_path: Path
) -> None:
    count = len(drop_page.pictures)
    picture, notes = tmp_path / "a.jpg", tmp_path / "notes <1>.txt"
    picture.write_bytes(jpeg(1, 1))
    notes.write_text("hello")
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.truncate(101 * MEGABYTE)
    tab.drop_files(PICTURES, [picture, notes, large])
    assert [name for name, _ in wait_for_pictures(tab, drop_page, count)] == ["a.jpg"]
    wait_for_line(tab, PICTURES, "notes <1>.txt is not a picture we can read")
    wait_for_line(tab, PICTURES, "large.jpg is larger than 100 MB, which is the limit.")
    others = [tmp_path / f"{number}.txt" for number in range(4)]
    for path in others:
        path.write_text("hello")
    tab.drop_files(PICTURES, [picture, *others])
    wait_for_pictures(tab, drop_page, count + 1)
    wait_for_line(tab, PICTURES, "2.txt is not a picture we can read")
    wait_for_line(tab, PICTURES, "1 other file was left out.")


def test_pictures_can_be_chosen(tab: Tab, drop_page: DropPage, pictures_folder: Path) -> None:
    count = len(drop_page.pictures)
    tab.page.on("filechooser", lambda chooser: None)  # from now on no chooser opens unseen
    tab.page.get_by_role("button", name="Choose pictures").focus()
    with tab.page.expect_file_chooser() as chooser:
        tab.page.keyboard.press("Enter")
    chooser.value.set_files(sorted((pictures_folder / "dots").iterdir())[:2])
    assert [name for name, _ in wait_for_pictures(tab, drop_page, count)] == [
        "dots-0.jpg",
        "dots-1.jpg",
    ]


def test_a_pasted_picture_arrives_unless_a_text_field_has_the_focus(
    tab: Tab, drop_page: DropPage
) -> None:
    count = len(drop_page.pictures)
    tab.page.bring_to_front()
    tab.page.evaluate(PUT_PICTURE_ON_CLIPBOARD)
    tab.page.locator("#said textarea").focus()
    tab.page.keyboard.press("Control+V")
    assert tab.page.locator(PICTURES).get_attribute("data-state") == "idle"
    tab.page.get_by_role("button", name="Choose pictures").focus()
    tab.page.keyboard.press("Control+V")
    [(_, raw)] = wait_for_pictures(tab, drop_page, count)
    assert Image.open(io.BytesIO(raw)).size == (40, 30)


def test_the_webcam_takes_pictures_by_key_and_stops_when_closed(
    tab: Tab, drop_page: DropPage
) -> None:
    count = len(drop_page.pictures)
    tab.page.get_by_role("button", name="Use the webcam").click()
    tab.page.wait_for_function(
        "document.activeElement.textContent === 'Take the picture'"
        " && document.querySelector('.tl-camera video').videoWidth > 0"
    )
    assert tab.page.evaluate(CAMERA_IS_ON)
    tab.page.keyboard.press("Space")
    [(name, raw)] = wait_for_pictures(tab, drop_page, count)
    assert name == "webcam 1.jpg"
    assert Image.open(io.BytesIO(raw)).format == "JPEG"
    tab.page.keyboard.press("Enter")
    assert [name for name, _ in wait_for_pictures(tab, drop_page, count + 1)] == ["webcam 2.jpg"]
    tab.page.keyboard.press("Escape")
    assert not tab.page.evaluate(CAMERA_IS_ON)
    assert tab.page.evaluate("document.activeElement.textContent") == "Use the webcam"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "Object.defineProperty(window, 'isSecureContext', {value: false});",
            "needs a secure address",
        ),
        ("refuse('NotAllowedError')", "did not allow the camera"),
        ("refuse('NotFoundError')", "No camera was found"),
        ("refuse('NotReadableError')", "did not start"),
    ],
)
def test_without_a_camera_the_zone_says_why_and_what_to_do(
    context: BrowserContext, drop_page: DropPage, script: str, said: str
) -> None:
    refuse = """const refuse = (name) => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", name));
    };"""
    with opened_tab(context, drop_page, script=refuse + script) as tab:
        tab.page.get_by_role("button", name="Use the webcam").click()
        wait_for_line(tab, PICTURES, said)
        assert tab.page.locator(PICTURES).get_attribute("data-state") == "bad"
        assert tab.page.locator(".tl-camera").is_hidden()


def test_a_lost_connection_is_said(tab: Tab, pictures_folder: Path) -> None:
    tab.expect("ERR_INTERNET_DISCONNECTED")
    tab.page.route("**/upload", lambda route: route.abort("internetdisconnected"))
    tab.drop_files(PICTURES, [pictures_folder / "dots" / "dots-0.jpg"])
    wait_for_line(tab, PICTURES, "The connection was lost")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_open_camera_looks_right(
    context: BrowserContext, drop_page: DropPage, screenshot_folder: Path, theme: str
) -> None:
    with opened_tab(context, drop_page, theme=theme) as tab:
        tab.page.get_by_role("button", name="Use the webcam").click()
        tab.page.wait_for_function("document.querySelector('.tl-camera video').videoWidth > 0")
        assert tab.accessibility_failures(("color-contrast", "button-name")) == []
        tab.page.screenshot(path=screenshot_folder / f"drop-{theme}-camera.png")
