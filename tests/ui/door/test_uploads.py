"""The upload route: what arrives is there whole, what fails leaves nothing."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.ui.door.asking import Answer, Behind, Request, ask
from tlapp.ui.door.forms import FIELD_BYTES
from tlapp.ui.door.uploads import UploadLimits, Uploads
from tlapp.workspace import UploadFolder, open_uploads

LIMITS = UploadLimits(bytes=200_000, files=3, at_once=3, at_once_of_a_client=2)
FORM = {"content-type": "multipart/form-data; boundary=xyz"}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[UploadFolder]:
    uploads = open_uploads(tmp_path)
    yield uploads
    uploads.close()


def part(content: bytes, name: str | None = "a.zip", field: str = "files") -> bytes:
    """One part of a form; without a name it is a field."""
    file = "" if name is None else f'; filename="{name}"'
    head = f'--xyz\r\nContent-Disposition: form-data; name="{field}"{file}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def request(
    *parts: bytes, end: bytes = b"--xyz--\r\n", chunk: int = 5_000, **more: object
) -> Request:
    body = b"".join(parts) + end
    chunks = [body[start : start + chunk] for start in range(0, len(body), chunk)] or [b""]
    extra = {"tlapp.kind": "upload"}
    return Request("POST", "/gradio_api/upload", FORM, chunks, extra=extra, **more)  # type: ignore[arg-type]


def _uploads(folder: UploadFolder, limits: UploadLimits = LIMITS, room: bool = True) -> Uploads:
    return Uploads(Behind(), folder, limits, lambda coming: room)


def _left(folder: UploadFolder) -> list[Path]:
    return list(folder.path.rglob("*"))


def _paths(answer: Answer) -> list[Path]:
    assert answer.status == 200, answer.body
    return [Path(path) for path in json.loads(answer.body)]


@pytest.mark.parametrize("chunk", [1, 7, 100_000])
def test_files_arrive_whole_whatever_the_chunks(folder: UploadFolder, chunk: int) -> None:
    contents = [b"--xy inside\r\n" * 9, b"", b"\r\n--xy"]
    asked = request(*(part(each) for each in contents), chunk=chunk)
    paths = _paths(ask(_uploads(folder), asked))
    assert [path.read_bytes() for path in paths] == contents
    assert all(path.is_relative_to(folder.path) for path in paths)


def test_what_two_send_alike_is_two_files_under_names_that_nobody_guesses(
    folder: UploadFolder,
) -> None:
    uploads = _uploads(folder)
    first, second = (_paths(ask(uploads, request(part(b"same"))))[0] for _ in range(2))
    assert first != second
    assert len(first.relative_to(folder.path).parts[0]) > 22  # 128 bits


@pytest.mark.parametrize(
    "name",
    ["../../../etc/passwd", "..", "/etc/passwd", "a\\b\\c.zip", "C:\\x.zip", "", "\x00", "é"],
)
def test_no_name_leads_out_of_the_folder(folder: UploadFolder, name: str) -> None:
    (path,) = _paths(ask(_uploads(folder), request(part(b"x", name=name))))
    assert path.resolve().is_relative_to(folder.path.resolve())
    assert path.read_bytes() == b"x"


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (request(part(b"x" * 300_000)), 413),
        (request(*[part(b"x")] * 4), 413),  # more files than at once
        (request(part(b"x" * (FIELD_BYTES + 1), name=None)), 413),  # a field is no place for much
        (request(*[part(b"x" * 900, name=None)] * 100), 413),
        (request(b"--xyz\r\n\r\n\r\n" * 200_000, chunk=60_000), 413),  # parts of nothing
        (request(part(b"x"), end=b""), 400),  # cut off
        (request(part(b"x", name=None)), 400),  # no file in it
        (request(end=b""), 400),
        (request(b"no form at all" * 900, end=b""), 400),
        (request(b"--xyz\r\nA: " + b"b" * 70_000, end=b""), 400),
        (request(*[part(b"x" * 900)] * 2, leaves_after=0), None),
        (request(part(b"x" * 90_000), leaves_after=3), None),
    ],
    ids=[
        *("too large", "too many files", "large field", "many fields"),
        *("empty parts", "cut off", "no file"),
        *("nothing", "no form", "long header", "left at once", "left in the middle"),
    ],
)
def test_what_fails_leaves_nothing(
    folder: UploadFolder, asked: Request, status: int | None
) -> None:
    answer = asyncio.run(asked.send_to(_uploads(folder)))
    assert (answer.status if answer else None) == status
    assert answer is None or len(answer.error) > 20
    assert not _left(folder)


def test_a_declared_size_over_the_limit_is_refused_before_a_byte_is_read(
    folder: UploadFolder,
) -> None:
    asked = Request(
        "POST",
        "/gradio_api/upload",
        {**FORM, "content-length": "300000"},
        extra={"tlapp.kind": "upload"},
        hangs_after=0,
    )
    assert ask(_uploads(folder), asked).status == 413


@pytest.mark.parametrize(
    "limits",
    [
        UploadLimits(bytes=200_000, files=3, pause_seconds=0.01),
        UploadLimits(bytes=200_000, files=3, spare_seconds=0.0),
    ],
    ids=["a pause", "too slow on average"],
)
def test_a_slow_sender_is_given_up_and_leaves_nothing(
    folder: UploadFolder, limits: UploadLimits
) -> None:
    answer = ask(_uploads(folder, limits), request(part(b"x" * 900), hangs_after=1))
    assert answer.status == 408
    assert not _left(folder)


def test_an_upload_of_many_files_keeps_none_of_them_open(folder: UploadFolder) -> None:
    limits = replace(LIMITS, files=100)
    many = request(*(part(b"x" * 20_000) for _ in range(8)), hangs_after=30)

    async def send() -> int:
        before = psutil.Process().num_fds()
        sending = asyncio.create_task(many.send_to(_uploads(folder, limits)))
        while sum(1 for _ in folder.path.rglob("a.zip")) < 7:
            await asyncio.sleep(0.01)  # looking is work, too
        most = psutil.Process().num_fds()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        return most - before

    assert asyncio.run(send()) <= 2


def test_a_full_disk_is_told(folder: UploadFolder) -> None:
    answer = ask(_uploads(folder, room=False), request(part(b"x")))
    assert answer.status == 507
    assert "full" in answer.error


def test_a_disk_that_refuses_is_told_and_leaves_nothing(
    folder: UploadFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tlapp.ui.door.forms.FileForm.write_out", refuse)
    assert ask(_uploads(folder), request(part(b"x"))).status == 507
    assert not _left(folder)


def test_a_client_has_a_share_of_the_uploads_at_once(folder: UploadFolder) -> None:
    uploads = _uploads(folder)

    async def crowd() -> list[int | None]:
        slow = [
            asyncio.create_task(request(part(b"x"), hangs_after=1).send_to(uploads))
            for _ in range(2)
        ]
        while sum(1 for path in folder.path.iterdir()) < 2:
            await asyncio.sleep(0)
        refused = await request(part(b"x")).send_to(uploads)
        other = await request(part(b"x"), client="10.0.0.2").send_to(uploads)
        for each in slow:
            each.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        after = await request(part(b"x")).send_to(uploads)
        assert refused is not None
        assert refused.headers["retry-after"]
        return [answer and answer.status for answer in (refused, other, after)]

    assert asyncio.run(crowd()) == [429, 200, 200]


def test_other_requests_go_on(folder: UploadFolder) -> None:
    assert ask(_uploads(folder), Request(extra={"tlapp.kind": "read"})).status == 200


def test_what_a_dead_process_left_is_removed_at_the_next_start_and_a_living_ones_is_not(
    tmp_path: Path,
) -> None:
    living = open_uploads(tmp_path)
    living.new_folder()
    left = tmp_path / "uploads" / "0123456789abcdef"
    (left / ".part-x").mkdir(parents=True)
    again = open_uploads(tmp_path)
    assert not left.exists()
    assert len(list(living.path.iterdir())) == 1
    living.close()
    assert not living.path.exists()
    again.close()


def test_what_waits_is_counted_while_uploads_come_and_go(folder: UploadFolder) -> None:
    """Python 3.11's `Path.rglob` raises when a folder goes while it looks."""
    waits = folder.new_folder() / "a.zip"
    waits.write_bytes(b"x" * 100)
    is_over = threading.Event()

    def come_and_go() -> None:
        while not is_over.is_set():
            folder.new_folder().rmdir()

    others = [threading.Thread(target=come_and_go) for _ in range(3)]
    for each in others:
        each.start()
    try:
        assert {folder.held_bytes() for _ in range(300)} == {100}
    finally:
        is_over.set()
        for each in others:
            each.join()
