"""The door on the real server: pages from elsewhere, hostile bodies, slow senders."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.app.canary import (
    ENOUGH_LOOKS,
    MEGABYTE,
    canary_of,
    footprint_of,
    highest_memory_of,
    wait_until_back,
)
from tests.app.visits import bring, client_of
from tests.patience import PATIENCE_SECONDS
from tests.server import LOCAL_HTTP, AppServer, running_server
from tlapp.settings import PUBLIC_LIMITS

BODY_BYTES = 290 * MEGABYTE
MOST_GROWTH = 150 * MEGABYTE
FORM = "multipart/form-data; boundary=xyz"
FIELD = b'--xyz\r\nContent-Disposition: form-data; name="x"\r\n\r\n'
FILE = b'--xyz\r\nContent-Disposition: form-data; name="files"; filename="a.zip"\r\n\r\n'


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """A server for strangers, of its own: its memory is measured."""
    arguments = ("app.py", "--public", "--allow-host", "class.example")
    with running_server(tmp_path_factory.mktemp("attacked"), arguments=arguments) as server:
        with canary_of(server):  # what the first visitor makes it load is loaded
            pass
        yield server
        assert server.is_alive(), server.log
        assert "Traceback" not in server.log


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "class.example", "Origin": "https://class.example"}, 200),
        ({"X-Forwarded-Host": "evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/config", "/gradio_api/info", "/gradio_api/queue/status"])
def test_pages_from_elsewhere_read_nothing(
    attacked: AppServer, headers: dict[str, str], status: int, path: str
) -> None:
    answer = httpx.get(attacked.url + path, headers=headers, **LOCAL_HTTP)
    assert answer.status_code == status
    if status == 403:
        assert "access-control-allow-origin" not in answer.headers
        assert "--allow-host" in answer.text or "elsewhere" in answer.text


def test_pages_from_elsewhere_change_nothing(attacked: AppServer) -> None:
    origin = {"Origin": "http://evil.example"}
    posts: list[Callable[[], httpx.Response]] = [
        lambda: httpx.post(
            f"{attacked.url}/gradio_api/run/train",
            content=json.dumps({"data": [None] * 6}),
            headers={**origin, "content-type": "text/plain"},
            **LOCAL_HTTP,
        ),
        lambda: httpx.post(
            f"{attacked.url}/gradio_api/upload",
            files={"files": b"x"},
            headers=origin,
            **LOCAL_HTTP,
        ),
        lambda: httpx.options(
            f"{attacked.url}/gradio_api/queue/join",
            headers={**origin, "access-control-request-method": "POST"},
            **LOCAL_HTTP,
        ),
    ]
    for post in posts:
        answer = post()
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    assert footprint_of(attacked).uploads == 0


def test_behind_a_proxy_the_page_knows_its_own_address(tmp_path: Path) -> None:
    arguments = ("app.py", "--allow-host", "class.example")
    environment = {"GRADIO_ROOT_PATH": "/lab"}
    with running_server(tmp_path, arguments=arguments, environment=environment) as server:
        outside = {"x-forwarded-host": "class.example", "x-forwarded-proto": "https"}
        headers = {**outside, "origin": "https://class.example"}
        answer = httpx.get(server.url + "/config", headers=headers, **LOCAL_HTTP)
        assert answer.json()["root"] == "https://class.example/lab"


def test_a_program_brings_pictures_as_ever(attacked: AppServer, pictures_zip: Path) -> None:
    client = client_of(attacked)
    assert bring(client, pictures_zip)["classes"] == {"checks": 8, "dots": 8, "stripes": 8}
    client.close()


def test_a_program_is_told_which_of_its_data_sets_made_room(
    attacked: AppServer, pictures_zip: Path
) -> None:
    brought = []
    with httpx.Client(base_url=attacked.url, **LOCAL_HTTP) as program:
        for _ in range(PUBLIC_LIMITS.datasets + 1):
            content = pictures_zip.read_bytes()
            sent = program.post("/gradio_api/upload", files={"files": content}).json()
            file = {"path": sent[0], "meta": {"_type": "gradio.FileData"}}
            answer = program.post("/gradio_api/run/create_dataset", json={"data": [file]})
            brought.append(answer.json()["data"][0])
    assert [each["removed"] for each in brought] == [[], [], [], [brought[0]["dataset_id"]]]


def _send(
    server: AppServer, path: str, content_type: str, first: bytes, *, is_declared: bool = True
) -> int:
    """Send an endless text; the status of the answer, 0: hung up on while still sending."""

    def body() -> Iterator[bytes]:
        yield first
        for _ in range(BODY_BYTES // MEGABYTE):
            yield b"x" * MEGABYTE

    headers = {"content-type": content_type}
    if is_declared:
        headers["content-length"] = str(len(first) + BODY_BYTES // MEGABYTE * MEGABYTE)
    try:
        url = f"{server.url}/gradio_api/{path}"
        answer = httpx.post(url, content=body(), headers=headers, **LOCAL_HTTP)
    except httpx.TransportError:
        return 0
    assert answer.json()["error"]
    return answer.status_code


ROUTES = (
    ("upload", FORM, FIELD),
    ("upload", FORM, FIELD),
    ("run/upload", "application/json", b'{"data": ["'),
    ("call/upload", "application/json", b'{"data": ["'),
    ("api/upload", "application/json", b'{"data": ["'),
    ("run/run", "application/json", b'{"data": ["'),
    ("queue/join", "application/json", b'{"data": ["'),
    ("cancel", "application/json", b'{"data": ["'),
    ("process_recording", FORM, FILE),
    ("component_server", FORM, FILE),
)


@pytest.mark.parametrize("is_declared", [True, False], ids=["declared", "in chunks"])
def test_ten_huge_bodies_at_once_cost_little_and_nobody_waits(
    attacked: AppServer, is_declared: bool
) -> None:
    before = footprint_of(attacked)
    with (
        highest_memory_of(attacked) as highest,
        canary_of(attacked) as canary,
        ThreadPoolExecutor(len(ROUTES)) as pool,
    ):
        statuses = set()
        while len(canary.seconds) < 2 * ENOUGH_LOOKS:  # as long as it takes others to look
            sent = [pool.submit(_send, attacked, *each, is_declared=is_declared) for each in ROUTES]
            statuses |= {each.result() for each in sent}
    assert statuses <= {0, 404, 413}
    assert 413 in statuses or not is_declared
    canary.check()
    assert highest[0] - before.memory_bytes < MOST_GROWTH
    wait_until_back(attacked, before, memory_bytes=MOST_GROWTH)


def _begin(server: AppServer, first: bytes) -> socket.socket:
    """An upload that has begun: its head, and these bytes of its body."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    line = socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)
    head = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Content-Type: {FORM}\r\nContent-Length: 100000000\r\n\r\n"
    )
    line.sendall(head.encode() + first)
    return line


def test_uploads_that_break_off_leave_nothing(attacked: AppServer) -> None:
    before = footprint_of(attacked)
    with canary_of(attacked) as canary:
        lines = [_begin(attacked, FILE + b"x" * 100_000) for _ in range(20)]
        canary.look_on()
        for line in lines:
            line.close()
    canary.check()
    wait_until_back(attacked, before, memory_bytes=MOST_GROWTH)


def test_two_hundred_slow_senders_hold_no_more_than_their_share(attacked: AppServer) -> None:
    before = footprint_of(attacked)
    with highest_memory_of(attacked) as highest, canary_of(attacked) as canary:
        lines = [_begin(attacked, FILE + b"x") for _ in range(200)]
        refused = threading.Semaphore(0)

        def listen(line: socket.socket) -> None:
            with suppress(OSError):
                if b" 429 " in line.recv(200):
                    refused.release()

        listeners = [threading.Thread(target=listen, args=(line,)) for line in lines]
        for each in listeners:
            each.start()
        for _ in range(200 - 40):  # the share of one address
            assert refused.acquire(timeout=PATIENCE_SECONDS)
        assert footprint_of(attacked).threads <= before.threads + 40
        canary.look_on()
        for line in lines:
            with suppress(OSError):  # the server has hung up already
                line.shutdown(socket.SHUT_RDWR)
        for each in listeners:
            each.join()
        for line in lines:
            line.close()
    canary.check()
    assert highest[0] - before.memory_bytes < MOST_GROWTH
    wait_until_back(attacked, before, memory_bytes=MOST_GROWTH)


def test_no_upload_outlives_its_server_by_more_than_the_next_start(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        _upload(server)
        server.kill()
        assert footprint_left(tmp_path) == 1
    with running_server(tmp_path) as server:
        assert footprint_left(tmp_path) == 0
        _upload(server)
        assert footprint_of(server).uploads == 1
        assert server.terminate() == 0
    assert footprint_left(tmp_path) == 0
    assert not (tmp_path / "gradio").exists(), "Gradio's folder is within the home"


def _upload(server: AppServer) -> None:
    url = f"{server.url}/gradio_api/upload"
    httpx.post(url, files={"files": b"x"}, **LOCAL_HTTP).raise_for_status()


def footprint_left(folder: Path) -> int:
    """How many uploads are on disk."""
    walked = os.walk(folder / "home" / "uploads")  # which bears that folders go meanwhile
    return sum(
        name.startswith(".part-") for _, folders, files in walked for name in folders + files
    )
