"""Bodies that are no uploads: at most so large, and in time."""

import asyncio

import pytest

from tests.ui.door.asking import Behind, Request, ask
from tlapp.ui.door.bodies import BODIES_BYTES_OF_A_CLIENT, BodyCheck
from tlapp.ui.door.routes import ASK_BYTES, NO_BODY_BYTES

ASK = {"tlapp.kind": "ask"}


def _request(*sizes: int, kind: str = "ask", declared: int | None = None, **more: int) -> Request:
    headers = {} if declared is None else {"content-length": str(declared)}
    chunks = [b"x" * size for size in sizes]
    return Request("POST", "/", headers, chunks, extra={"tlapp.kind": kind}, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("declared", [ASK_BYTES, None])
def test_a_body_of_exactly_the_limit_arrives_whole(declared: int | None) -> None:
    behind = Behind()
    answer = ask(BodyCheck(behind), _request(ASK_BYTES - 10, 10, declared=declared))
    assert (answer.status, len(answer.body)) == (200, ASK_BYTES)
    assert len(behind.scopes[0]["tlapp.bytes"]) == ASK_BYTES


@pytest.mark.parametrize("declared", [None, 5, ASK_BYTES + 1])
def test_a_body_over_the_limit_is_refused_with_the_limit(declared: int | None) -> None:
    answer = ask(BodyCheck(Behind()), _request(ASK_BYTES, 1, declared=declared))
    assert answer.status == 413
    assert "1 MB" in answer.error


def test_where_no_body_belongs_little_is_read() -> None:
    assert ask(BodyCheck(Behind()), _request(NO_BODY_BYTES, kind="read")).status == 200
    assert ask(BodyCheck(Behind()), _request(NO_BODY_BYTES + 1, kind="read")).status == 413


def test_a_sender_that_stops_in_the_middle_is_given_up() -> None:
    check = BodyCheck(behind := Behind(), seconds=0.01)
    assert ask(check, _request(5, hangs_after=1)).status == 408
    assert not behind.scopes


def test_a_sender_that_hangs_up_reaches_nobody() -> None:
    request = _request(5, 5, leaves_after=1)
    assert asyncio.run(request.send_to(BodyCheck(behind := Behind()))) is None
    assert not behind.scopes


def test_many_bodies_at_once_hold_no_more_than_their_share() -> None:
    check = BodyCheck(Behind())
    slow = BODIES_BYTES_OF_A_CLIENT // ASK_BYTES

    async def crowd() -> list[int]:
        holding = [
            asyncio.create_task(_request(ASK_BYTES - 1, hangs_after=1).send_to(check))
            for _ in range(slow)
        ]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        refused = await _request(ASK_BYTES).send_to(check)
        for each in holding:
            each.cancel()
        await asyncio.gather(*holding, return_exceptions=True)
        after = await _request(ASK_BYTES).send_to(check)
        assert refused is not None
        assert refused.headers["retry-after"]
        assert after is not None
        return [refused.status, after.status]

    assert asyncio.run(crowd()) == [429, 200]


def test_an_upload_is_not_read_here() -> None:
    assert ask(BodyCheck(Behind()), _request(ASK_BYTES, 1, kind="upload")).status == 200
