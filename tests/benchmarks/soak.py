"""Five minutes of bad manners: what one server takes, and whether anybody else notices.

The same round again and again: uploads that break off, bodies that are too large, calls that make
no sense, events that nobody listens to, and between them a program that imports, trains and asks.
What grows is judged from the end of the first minute on, when everything has been used once.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx

from tests.app.canary import MEGABYTE, canary_of, footprint_of, highest_memory_of, wait_until_back
from tests.app.visits import ask, bring, client_of, start, wait_until_over
from tests.benchmarks.rows import Row
from tests.pictures import class_folder, jpeg, zip_folder
from tests.server import LOCAL_HTTP, AppServer, running_server

SOAK_SECONDS = 300.0
WARM_UP_SECONDS = 60.0
RUDE_ADDRESS = "127.0.0.2"  # its share is used up all the time; the others come from 127.0.0.1
MOST_UPLOADS = 10_000
JOINS = 40  # in one round, each of a session of its own
FORM = "multipart/form-data; boundary=xyz"
FILE = b'--xyz\r\nContent-Disposition: form-data; name="files"; filename="a.zip"\r\n\r\n'


def measure(folder: Path) -> tuple[Row, ...]:
    """One server, one canary, and rounds until the time is over."""
    archive = zip_folder(class_folder(folder / "pictures"), folder / "pictures.zip")
    picture = folder / "test.jpg"
    picture.write_bytes(jpeg(1, 777))
    arguments = ("app.py", "--public")
    with running_server(folder / "server", arguments=arguments, is_cold=True) as server:
        _rounds(server, archive, picture, WARM_UP_SECONDS)
        warm = footprint_of(server)
        with highest_memory_of(server) as highest, canary_of(server) as canary:
            count = _rounds(server, archive, picture, SOAK_SECONDS - WARM_UP_SECONDS)
        began = time.monotonic()
        # A program's uploads stay for half an hour: it may name them again.
        wait_until_back(server, replace(warm, uploads=MOST_UPLOADS), memory_bytes=100 * MEGABYTE)
        back_seconds = time.monotonic() - began
        after = footprint_of(server)
        log = server.log
    return (
        Row("rounds of a soak of 5 minutes", count, "rounds"),
        Row("what another visitor waits, 95 % of looks", canary.p95_seconds, "s", goal="<= 1"),
        Row("looks of another visitor that failed", len(canary.failures), "", goal="<= 0"),
        Row("memory at its highest, over warm", _megabytes(highest[0] - warm.memory_bytes), "MB"),
        Row(
            "memory afterwards, over warm",
            _megabytes(after.memory_bytes - warm.memory_bytes),
            "MB",
            goal="<= 100",
        ),
        Row("until everything was back", back_seconds, "s", goal="<= 60"),
        Row("threads afterwards, over warm", after.threads - warm.threads, "", goal="<= 10"),
        Row("files afterwards, over warm", after.open_files - warm.open_files, "", goal="<= 10"),
        Row("uploads of programs that are kept for half an hour", after.uploads, ""),
        Row("tracebacks in the log", log.count("Traceback"), "", goal="<= 0"),
    )


def _megabytes(count: int) -> float:
    return count / MEGABYTE


def _rounds(server: AppServer, archive: Path, picture: Path, seconds: float) -> int:
    """How many rounds fitted."""
    until = time.monotonic() + seconds
    count = 0
    elsewhere = httpx.HTTPTransport(verify=False, local_address=RUDE_ADDRESS)
    with httpx.Client(base_url=server.url, **LOCAL_HTTP, transport=elsewhere) as rude:
        while time.monotonic() < until:
            _be_rude(rude)
            _be_busy(server, archive, picture)
            count += 1
    return count


def _be_busy(server: AppServer, archive: Path, picture: Path) -> None:
    client = client_of(server)
    try:
        run_id = start(client, bring(client, archive)["dataset_id"], epochs=3)
        wait_until_over(client, run_id)
        ask(client, run_id, [picture])
    finally:
        client.close()


def _be_rude(client: httpx.Client) -> None:
    for body in (_endless(FILE), _endless(b"no form")):
        _try(client, "upload", {"content-type": FORM}, body)
    _try(client, "run/run", {"content-type": "application/json"}, _endless(b'{"data": ["'))
    for data in ([None], [{}], [[1]], ["x" * 5_000], [], None):
        for name in ("run", "train", "predict", "create_dataset", "nothing"):
            client.post(f"/gradio_api/run/{name}", json={"data": data})
    event = _open_event(client)
    for _ in range(JOINS):
        body = {"data": ["x"] * event[1], "fn_index": event[0], "session_hash": uuid4().hex}
        client.post("/gradio_api/queue/join", json=body)


def _open_event(client: httpx.Client) -> tuple[int, int]:
    """The number of the event with which a page opens, and how many values it takes."""
    events = client.get("/config").json()["dependencies"]
    event = next(each for each in events if each.get("api_name") == "open_page")
    return event["id"], len(event["inputs"])


def _try(client: httpx.Client, route: str, headers: dict[str, str], body: Iterator[bytes]) -> None:
    """Send until the server hangs up, or the sender does."""
    try:
        answer = client.post(f"/gradio_api/{route}", content=body, headers=headers)
    except (httpx.TransportError, _GaveUpError):
        return
    assert answer.status_code >= 400, json.dumps(answer.text[:200])


class _GaveUpError(Exception):
    """The sender breaks off."""


def _endless(first: bytes) -> Iterator[bytes]:
    yield first
    for _ in range(20):
        yield b"x" * MEGABYTE
    raise _GaveUpError
