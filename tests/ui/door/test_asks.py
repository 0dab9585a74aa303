"""What is asked has the shape of a question before Gradio sees it."""

import json

import pytest

from tests.ui.door.asking import Answer, Behind, Request, ask
from tlapp.ui.door.asks import MOST_PARTS, AskCheck, Events

EVENTS = Events(("train",), frozenset({"train", "show_data"}), frozenset({3, 4}))
JOIN = "/gradio_api/queue/join"
GOOD = {"data": [], "session_hash": "abc", "fn_index": 3}


def _ask(path: str, encoded: bytes, behind: Behind | None = None) -> Answer:
    extra = {"tlapp.kind": "ask", "tlapp.bytes": encoded}
    return ask(AskCheck(behind or Behind(), EVENTS), Request("POST", path, extra=extra))


def test_what_is_well_asked_goes_on_and_is_read_once() -> None:
    behind = Behind()
    assert _ask(JOIN, json.dumps(GOOD).encode(), behind).status == 200
    assert behind.scopes[0]["tlapp.body"] == GOOD
    assert _ask("/gradio_api/run/train/", b'{"data": [1, null]}').status == 200
    assert _ask("/lab/gradio_api/call/show_data", b'{"data": []}').status == 200


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 40_000,
        b'{"data": [1' + b"0" * 5_000 + b"]}",
        b'{"data": null}',
        b'{"data": "text"}',
        b'{"data": {}}',
        b'{"data": [' + b"0," * 200 + b"0]}",
        b'{"data": [], "session_hash": 5}',
        b'{"data": [], "session_hash": "a b"}',
        b'{"data": [], "session_hash": "' + b"a" * 65 + b'"}',
        b'{"data": [], "fn_index": 3}',
        b'{"data": [], "trigger_id": {}}',
    ],
    ids=lambda encoded: str(encoded[:40]),
)
def test_what_is_no_question_is_answered_400_in_words(encoded: bytes) -> None:
    answer = _ask("/gradio_api/run/train", encoded)
    assert answer.status == 400
    assert len(answer.error) > 20


@pytest.mark.parametrize("number", [99, -1, None, "3", True, 10**30, [3]])
def test_an_event_that_is_not_there_is_answered_404(number: object) -> None:
    body = {**GOOD, "fn_index": number}
    assert _ask(JOIN, json.dumps(body).encode()).status == 404


def test_the_queue_needs_a_session() -> None:
    assert _ask(JOIN, b'{"data": [], "fn_index": 3}').status == 400


def test_an_unknown_endpoint_is_answered_with_those_that_are_there() -> None:
    answer = _ask("/gradio_api/run/" + "x" * 3_000, b'{"data": []}')
    assert answer.status == 404
    assert "train" in answer.error
    assert "show_data" not in answer.error
    assert len(answer.error) < 300


def test_what_would_take_much_memory_is_not_read() -> None:
    behind = Behind()
    encoded = b'{"data": [' + b"[]," * (MOST_PARTS // 2) + b"[]]}"
    assert _ask("/gradio_api/run/train", encoded, behind).status == 413
    assert not behind.scopes
