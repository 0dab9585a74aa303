"""A crowd on the real server: one client asks without end, and the page of another opens."""

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client.exceptions import AppError

from tests.app.canary import MEGABYTE, canary_of, footprint_of, highest_memory_of, wait_until_back
from tests.app.conftest import NewClient
from tests.app.visits import bring, start, wait_for_epochs, wait_until_over
from tests.patience import PATIENCE_SECONDS
from tests.server import LOCAL_HTTP, AppServer, running_server

ATTACKER, VISITOR, SCHOOL = "127.0.0.1", "127.0.0.2", "127.0.0.3"
JOIN, DATA = "/gradio_api/queue/join", "/gradio_api/queue/data"
OPENINGS, MANY = 10, 500
MOST_GROWTH = 150 * MEGABYTE
ENDLESS = {"epochs": 1000, "learning_rate": 1e-6}

NewAddress = Callable[[str], httpx.Client]


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """A server of its own: its memory is measured, and its queue is filled."""
    with running_server(tmp_path_factory.mktemp("crowded")) as server:
        with canary_of(server):  # what the first visitor makes it load is loaded
            pass
        yield server
        assert server.is_alive(), server.log
        assert "Traceback" not in server.log


@pytest.fixture
def come_from(crowded: AppServer) -> Iterator[NewAddress]:
    """Clients of the crowded server, each from an address of this machine."""
    clients: list[httpx.Client] = []

    def come(address: str) -> httpx.Client:
        transport = httpx.HTTPTransport(verify=False, local_address=address, limits=httpx.Limits())
        clients.append(httpx.Client(base_url=crowded.url, **LOCAL_HTTP, transport=transport))
        return clients[-1]

    yield come
    for client in clients:
        client.close()


def _number_of(client: httpx.Client, name: str) -> int:
    dependencies = client.get("/config").json()["dependencies"]
    return next(each["id"] for each in dependencies if each["api_name"] == name)


def _join(
    client: httpx.Client, number: int, data: list[Any], session: str | None = None
) -> httpx.Response:
    body = {"data": data, "fn_index": number, "session_hash": session or uuid.uuid4().hex}
    return client.post(JOIN, json=body)


def _answers(client: httpx.Client, session: str, count: int = 1) -> list[dict[str, Any]]:
    """So many completed events of the session."""
    found: list[dict[str, Any]] = []
    with client.stream("GET", DATA, params={"session_hash": session}) as lines:
        for line in lines.iter_lines():
            message = json.loads(line[5:]) if line.startswith("data:") else {}
            if message.get("msg") == "process_completed":
                found.append(message)
            if len(found) == count:
                break
    return found


def _open_page(client: httpx.Client) -> str:
    """What a page does when it opens; the visitor's token."""
    session = uuid.uuid4().hex
    joined = _join(client, _number_of(client, "open_page"), [""], session)
    assert joined.status_code == 200, joined.text
    (answer,) = _answers(client, session)
    assert answer["success"], answer
    return str(answer["output"]["data"][0])


def test_a_page_opens_while_one_address_asks_without_end(
    crowded: AppServer, come_from: NewAddress
) -> None:
    attacker, visitor = come_from(ATTACKER), come_from(VISITOR)
    _open_page(visitor)
    before = footprint_of(crowded)
    number = _number_of(attacker, "open_page")
    statuses: Counter[int] = Counter()
    refused: list[httpx.Response] = []
    is_enough = threading.Event()

    def ask_without_end() -> None:
        while not is_enough.is_set():
            response = _join(attacker, number, [""])
            statuses[response.status_code] += 1
            if response.status_code == 429:
                refused.append(response)

    with highest_memory_of(crowded) as highest, ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask_without_end) for _ in range(2)]
        try:
            while len(refused) < MANY:  # its share is used up from the first of them on
                _open_page(visitor)
            for _ in range(OPENINGS):
                _open_page(visitor)
        finally:
            is_enough.set()
        for each in asking:
            each.result()
    assert set(statuses) == {200, 429}, statuses
    assert highest[0] - before.memory_bytes < MOST_GROWTH
    wait_until_back(crowded, before, memory_bytes=50 * MEGABYTE)
    words = refused[0].json()
    assert words["error"] == words["detail"]
    assert f"{refused[0].headers['retry-after']} s" in words["error"]


def test_a_class_behind_one_address_opens_its_pages_at_once(come_from: NewAddress) -> None:
    school = come_from(SCHOOL)
    dependencies = school.get("/config").json()["dependencies"]
    opened = next(each["id"] for each in dependencies if each["api_name"] == "open_page")
    following = [each["id"] for each in dependencies if str(each["api_name"]).startswith("follow")][
        :4
    ]
    assert len(following) == 4

    def open_and_follow(_: int) -> list[bool]:
        pupil = come_from(SCHOOL)
        token, session = _open_page(pupil), uuid.uuid4().hex
        assert _join(pupil, opened, [token], session).status_code == 200
        for number in following:
            response = _join(pupil, number, [token], session)
            assert response.status_code == 200, response.text
        return [answer["success"] for answer in _answers(pupil, session, 5)]

    with ThreadPoolExecutor(30) as pool:
        outcomes = list(pool.map(open_and_follow, range(30)))
    assert outcomes == [[True] * 5] * 30


def test_what_nobody_listens_for_leaves_the_queue(come_from: NewAddress) -> None:
    attacker, visitor = come_from(ATTACKER), come_from(VISITOR)
    number = _number_of(attacker, "open_page")
    statuses = {_join(attacker, number, [""]).status_code for _ in range(300)}
    assert statuses <= {200, 429}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while visitor.get("/gradio_api/queue/status").json()["queue_size"] > 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    while (taken := _join(attacker, number, [""])).status_code != 200:
        assert time.monotonic() < deadline, taken.text
        time.sleep(0.1)


def test_an_answer_waits_for_whoever_posts_first_and_fetches_later(come_from: NewAddress) -> None:
    program = come_from(VISITOR)
    posted = program.post("/gradio_api/call/run", json={"data": ["nobody"]})
    deadline = time.monotonic() + PATIENCE_SECONDS
    while program.get("/gradio_api/queue/status").json()["queue_size"] > 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    fetched = program.get(f"/gradio_api/call/run/{posted.json()['event_id']}")
    assert fetched.status_code == 200
    assert "event: error" in fetched.text  # there is no such run, and that is an answer


def test_connections_of_one_address_are_bounded_in_words(come_from: NewAddress) -> None:
    attacker, visitor = come_from(ATTACKER), come_from(VISITOR)
    held: list[httpx.Response] = []
    try:
        for _ in range(300):
            request = attacker.build_request("GET", f"/gradio_api/heartbeat/{uuid.uuid4().hex}")
            held.append(attacker.send(request, stream=True))
            if held[-1].status_code != 200:
                break
        assert held[-1].status_code == 429
        assert len(held) > 90  # thirty pages in three tabs
        assert "address" in json.loads(held[-1].read())["error"]
        _open_page(visitor)
    finally:
        for each in held:
            each.close()


def test_a_programs_client_is_one_owner_and_its_address_another_ones(
    new_client: NewClient, pictures_zip: Path, crowded: AppServer
) -> None:
    first, second = new_client(crowded), new_client(crowded)
    ids = [bring(client, pictures_zip)["dataset_id"] for client in (first, first, second)]
    owners = [_owner_on_disk(crowded, each) for each in ids]
    assert owners[0] == owners[1] != owners[2]
    assert ATTACKER not in "".join(owners)


def test_a_program_has_one_training_at_a_time_like_a_visitor(
    new_client: NewClient, pictures_zip: Path, crowded: AppServer
) -> None:
    client = new_client(crowded)
    ids = [bring(client, pictures_zip)["dataset_id"] for _ in range(2)]
    run_id = start(client, ids[0], **ENDLESS)
    wait_for_epochs(client, run_id, 1)
    with pytest.raises(AppError, match="running already"):
        start(client, ids[1], **ENDLESS)
    client.predict(run_id, api_name="/stop")
    wait_until_over(client, run_id)


def _owner_on_disk(server: AppServer, dataset_id: str) -> str:
    path = next(server.home.rglob(f"{dataset_id}/dataset.json"))
    return str(json.loads(path.read_text("utf-8"))["owner"])
