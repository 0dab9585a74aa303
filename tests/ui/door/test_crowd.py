"""A share for each client: who is over it is told when to try again, and nobody else notices."""

import asyncio
import json
from contextlib import ExitStack
from typing import Any

import pytest

from tests.ui.door.asking import Answer, Request
from tests.ui.door.crowding import FOLLOW, JOIN, PAGE, SHARES, WORK, Crowded


async def _fill(crowded: Crowded, client: str, number: int, most: int) -> int:
    """How many events of fresh sessions are taken before the first refusal."""
    for count in range(most):
        if await crowded.join(client, f"{client}-{number}-{count}", number) != 200:
            return count
    return most


def test_an_address_has_a_share_of_each_line_whatever_sessions_it_makes_up() -> None:
    crowded = Crowded()
    assert asyncio.run(_fill(crowded, "1.1.1.1", WORK, 100)) == SHARES.in_other_lines


def test_long_work_of_an_address_leaves_room_for_its_pages_to_open() -> None:
    crowded = Crowded()

    async def arrive() -> int:
        await _fill(crowded, "1.1.1.1", WORK, 100)
        return await _fill(crowded, "1.1.1.1", PAGE, 3)

    assert asyncio.run(arrive()) == 3


def test_a_session_has_a_share_of_its_own() -> None:
    crowded = Crowded()

    async def arrive() -> list[int]:
        return [await crowded.join("1.1.1.1", "page") for _ in range(7)]

    assert asyncio.run(arrive()) == [200] * SHARES.events_of_session + [429, 429]


def test_another_address_is_served_while_one_is_over_its_share() -> None:
    crowded = Crowded()

    async def arrive() -> int:
        await _fill(crowded, "1.1.1.1", WORK, 100)
        return await crowded.join("2.2.2.2", "page")

    assert asyncio.run(arrive()) == 200


def test_a_refusal_says_in_words_when_to_try_again() -> None:
    crowded = Crowded()

    async def arrive() -> Answer | None:
        await _fill(crowded, "1.1.1.1", PAGE, 100)
        body = {"data": [], "fn_index": PAGE, "session_hash": "one-more"}
        request = Request("POST", JOIN, client="1.1.1.1", extra={"tlapp.body": body})
        return await request.send_to(crowded.crowd)

    answer = asyncio.run(arrive())
    assert answer is not None
    assert answer.status == 429
    seconds = answer.headers["retry-after"]
    assert 2 <= int(seconds) <= 60
    assert f"{seconds} s" in answer.error
    assert not [noted for noted in crowded.noted if "one-more" in str(noted)]


def test_a_client_that_has_gone_on_is_served_again() -> None:
    crowded = Crowded()

    async def arrive() -> int:
        await _fill(crowded, "1.1.1.1", WORK, 100)
        crowded.queue.event_ids_to_events.clear()  # all of them have run
        crowded.queue.pending_event_ids_session.clear()  # and their answers were fetched
        return await crowded.join("1.1.1.1", "again")

    assert asyncio.run(arrive()) == 200


def test_a_client_that_never_fetches_may_have_only_so_many_sessions() -> None:
    crowded = Crowded()

    async def arrive() -> int:
        taken = 0
        for count in range(100):
            taken += await crowded.join("1.1.1.1", str(count)) == 200
            crowded.queue.event_ids_to_events.clear()
        return taken

    assert asyncio.run(arrive()) == SHARES.sessions
    assert len(crowded.blocks.state_holder.session_data) == SHARES.sessions


def _listen_paths() -> list[tuple[str, str]]:
    return [
        ("/gradio_api/queue/data", "session_hash=page"),
        ("/gradio_api/heartbeat/page", ""),
        ("/gradio_api/call/work/abc", ""),
    ]


@pytest.mark.parametrize(("path", "query"), _listen_paths())
def test_open_connections_of_an_address_are_bounded(path: str, query: str) -> None:
    crowded = Crowded()
    is_over = asyncio.Event()

    async def hold(scope: Any, receive: Any, send: Any) -> None:
        await is_over.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def arrive() -> tuple[list[int], list[int]]:
        crowded.crowd.app = hold
        request = Request("GET", path, query=query, client="1.1.1.1")
        held = [
            asyncio.create_task(request.send_to(crowded.crowd)) for _ in range(SHARES.listeners)
        ]
        await asyncio.sleep(0)
        others = Request("GET", path, query=query, client="2.2.2.2")
        other = asyncio.create_task(others.send_to(crowded.crowd))
        refused = await request.send_to(crowded.crowd)
        joined = await crowded.join("1.1.1.1", "another")
        is_over.set()
        answers = [await each for each in (*held, other)]
        assert refused is not None
        return [refused.status, joined], [each.status for each in answers if each is not None]

    refused, held = asyncio.run(arrive())
    assert refused == [429, 429]
    assert held == [200] * (SHARES.listeners + 1)
    assert crowded.crowd.listeners.count_listeners("1.1.1.1") == 0


def test_a_page_that_listens_already_may_ask_on_when_its_address_has_no_connection_left() -> None:
    crowded = Crowded()
    listeners = crowded.crowd.listeners

    async def arrive() -> list[int]:
        with ExitStack() as open_pages:
            for session in ("page", "b", "c", "d"):
                open_pages.enter_context(listeners.listening(session, "1.1.1.1"))
            return [await crowded.join("1.1.1.1", each) for each in ("page", "fresh")]

    assert asyncio.run(arrive()) == [200, 429]


def test_an_answer_that_was_promised_is_fetched_when_no_connection_is_left() -> None:
    crowded = Crowded()
    listeners = crowded.crowd.listeners

    async def arrive() -> list[int]:
        assert await crowded.join("1.1.1.1", "page") == 200
        path = "/gradio_api/queue/data"
        with ExitStack() as open_pages:
            for session in ("a", "b", "c", "d"):
                open_pages.enter_context(listeners.listening(session, "1.1.1.1"))
            requests = [
                Request("GET", path, query=f"session_hash={each}", client="1.1.1.1")
                for each in ("page", "other")
            ]
            answers = [await each.send_to(crowded.crowd) for each in requests]
        return [answer.status for answer in answers if answer is not None]

    assert asyncio.run(arrive()) == [200, 429]


def test_direct_calls_are_bounded_because_each_takes_a_thread() -> None:
    crowded = Crowded()
    is_over = asyncio.Event()

    async def hold(scope: Any, receive: Any, send: Any) -> None:
        await is_over.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def arrive() -> list[int]:
        crowded.crowd.app = hold
        path = "/gradio_api/run/work"
        held = [
            asyncio.create_task(crowded.join(client, None, WORK, path))
            for client in ("1.1.1.1", "1.1.1.1", "2.2.2.2")
        ]
        await asyncio.sleep(0)
        refused = [await crowded.join(each, None, WORK, path) for each in ("1.1.1.1", "3.3.3.3")]
        is_over.set()
        return [*refused, *[await each for each in held]]

    assert asyncio.run(arrive()) == [429, 429, 200, 200, 200]


def test_followers_do_not_take_the_places_of_everybody() -> None:
    crowded = Crowded()
    taken = asyncio.run(_fill(crowded, "1.1.1.1", FOLLOW, 100))
    assert taken == SHARES.in_other_lines
    assert crowded.queue.max_thread_count > 2 * 400


def test_all_lines_together_are_bounded_however_many_addresses_there_are() -> None:
    crowded = Crowded()

    async def arrive() -> int:
        return sum([await _fill(crowded, f"1.1.1.{each}", WORK, 20) for each in range(10)])

    assert asyncio.run(arrive()) == SHARES.events_of_all


def test_a_direct_call_without_a_session_gets_one_that_nothing_is_kept_for() -> None:
    crowded, bodies = Crowded(), []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        bodies.append((json.loads((await receive())["body"]), scope["tlapp.body"]))
        crowded.blocks.state_holder[bodies[0][0]["session_hash"]]
        await send({"type": "http.response.start", "status": 200, "headers": []})

    crowded.crowd.app = note
    assert asyncio.run(crowded.join("1.1.1.1", None, WORK, "/gradio_api/run/work")) == 200
    given, asked = bodies[0]
    assert given == {**asked, "session_hash": given["session_hash"]}
    assert asked["session_hash"] is None  # a program's owner is its address
    assert not crowded.blocks.state_holder.session_data
