"""The folder drop zone refuses or fails: in words, with what to do, and the next drop works."""

from pathlib import Path

import httpx
import pytest

from tests.browser.drop_page import (
    FOLDER,
    MOST_BYTES,
    MOST_PICTURES,
    DropPage,
    drop_and_wait,
    hold_uploads,
    wait_for_line,
)
from tests.browser.tab import Tab
from tests.pictures import jpeg

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("files", "heading", "advice"),
    [
        ({"a.rar": b"Rar!"}, "a.rar is not a zip", "Drop a folder"),
        ({"a.zip": b""}, "a.zip is empty", "Make the zip again"),
        ({"a.zip": b"PK", "b.zip": b"PK"}, "These are several zips", "one zip"),
        ({"a.jpg": jpeg(), "b.jpg": jpeg()}, "These pictures have no class", "Put the pictures"),
        ({"x/notes.txt": b"text"}, "No pictures found", "one sub-folder of pictures"),
        ({"x/.hidden.jpg": jpeg()}, "No pictures found", "one sub-folder of pictures"),
    ],
)
def test_what_cannot_be_labelled_pictures_is_refused_before_it_is_sent(
    tab: Tab,
    drop_page: DropPage,
    tmp_path: Path,
    files: dict[str, bytes],
    heading: str,
    advice: str,
) -> None:
    count = len(drop_page.zips)
    for name, raw in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(raw)
    tab.drop_files(FOLDER, sorted({tmp_path / name.split("/")[0] for name in files}))
    wait_for_line(tab, FOLDER, heading)
    wait_for_line(tab, FOLDER, advice)
    assert heading in tab.page.locator("#folder-drop [role=status]").inner_text()
    assert len(drop_page.zips) == count


def test_more_than_the_server_takes_is_refused_with_both_sizes(
    tab: Tab, drop_page: DropPage, tmp_path: Path
) -> None:
    sent: list[str] = []
    tab.page.on("request", lambda request: sent.append(request.url))
    (tmp_path / "big.zip").write_bytes(b"PK" + bytes(MOST_BYTES))
    tab.drop_files(FOLDER, [tmp_path / "big.zip"])
    wait_for_line(tab, FOLDER, "That is too large")
    wait_for_line(tab, FOLDER, "20.0 MB, and this server takes 20 MB at once.")
    assert not [url for url in sent if "/upload" in url]


def test_more_pictures_than_the_server_takes_are_refused_with_both_numbers(
    tab: Tab, drop_page: DropPage, tmp_path: Path
) -> None:
    count = len(drop_page.zips)
    (tmp_path / "many" / "a").mkdir(parents=True)
    for number in range(MOST_PICTURES + 1):
        (tmp_path / "many" / "a" / f"{number}.jpg").write_bytes(b"x")
    tab.drop_files(FOLDER, [tmp_path / "many"])
    wait_for_line(tab, FOLDER, "1,301 pictures")
    wait_for_line(tab, FOLDER, "This server takes at most 1,300 at once.")
    assert len(drop_page.zips) == count


def test_a_lost_connection_is_said_and_the_next_drop_works(
    tab: Tab, drop_page: DropPage, pictures_folder: Path
) -> None:
    tab.expect("ERR_INTERNET_DISCONNECTED")
    count = len(drop_page.zips)
    tab.page.route("**/upload", lambda route: route.abort("internetdisconnected"))
    tab.drop_files(FOLDER, [pictures_folder])
    wait_for_line(tab, FOLDER, "The connection was lost")
    wait_for_line(tab, FOLDER, "Nothing has changed. Check the network")
    assert len(drop_page.zips) == count
    tab.page.unroute("**/upload")
    assert len(drop_and_wait(tab, drop_page, pictures_folder)) == 24


@pytest.mark.parametrize(
    ("status", "said"), [(413, "That is too large"), (503, "The server did not take it")]
)
def test_a_refusal_of_the_server_is_said(
    tab: Tab, pictures_folder: Path, status: int, said: str
) -> None:
    tab.expect(f"{status}")
    tab.page.route("**/upload", lambda route: route.fulfill(status=status, body="no"))
    tab.drop_files(FOLDER, [pictures_folder])
    wait_for_line(tab, FOLDER, said)


def test_the_servers_own_words_for_a_refusal_are_shown(tab: Tab, pictures_folder: Path) -> None:
    tab.expect("429")
    said = {"error": "Too many uploads at once. Try again in 30 s."}
    tab.page.route("**/upload", lambda route: route.fulfill(status=429, json=said))
    tab.drop_files(FOLDER, [pictures_folder])
    wait_for_line(tab, FOLDER, "The server did not take it")
    wait_for_line(tab, FOLDER, said["error"])


def test_a_second_drop_is_refused_gently_and_cancel_ends_the_first(
    tab: Tab, drop_page: DropPage, pictures_folder: Path, pictures_zip: Path
) -> None:
    count = len(drop_page.zips)
    held = hold_uploads(tab)
    tab.drop_files(FOLDER, [pictures_folder])
    wait_for_line(tab, FOLDER, "Sending")
    tab.drop_files(FOLDER, [pictures_zip])
    wait_for_line(tab, FOLDER, "One at a time")
    assert tab.page.locator(FOLDER).get_attribute("data-state") == "busy"
    tab.page.get_by_role("button", name="Cancel").click()
    wait_for_line(tab, FOLDER, "Stopped. Nothing was sent.")
    tab.page.unroute("**/upload")
    assert len(held) == 1
    assert len(drop_and_wait(tab, drop_page, pictures_folder)) == 24
    assert len(drop_page.zips) == count + 1


def test_a_file_that_nobody_uploaded_is_refused(drop_page: DropPage, tmp_path: Path) -> None:
    secret = tmp_path / "secret.zip"
    secret.write_bytes(b"PK secret")
    count = len(drop_page.zips)
    file = {"path": str(secret), "meta": {"_type": "gradio.FileData"}}
    address = f"{drop_page.url}gradio_api/call/take_zip"
    called = httpx.post(address, json={"data": [{"file": file, "name": "x"}]})
    answer = httpx.get(f"{address}/{called.json()['event_id']}").text
    assert "event: error" in answer
    assert len(drop_page.zips) == count
