"""Errors on their way out are put into words."""

import asyncio
import json
import logging

import pytest

from tests.ui.door.asking import Request, ask
from tlapp.messages import message
from tlapp.ui.door.answers import Answers
from tlapp.ui.door.asgi import AsgiMessage, Receive, Scope, Send, refuse
from tlapp.ui.door.hosts import HostCheck, known_hosts
from tlapp.ui.text import door as words

RUN = "/gradio_api/run/train"


def _app(status: int, body: bytes, error: Exception | None = None) -> Answers:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if status:
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": body[:5], "more_body": True})
            await send({"type": "http.response.body", "body": body[5:]})
        if error is not None:
            raise error

    return Answers(app)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, {"error": "The zip is damaged."}, 400),
        (500, {"error": "Defect.", "title": "Incident"}, 500),
        (500, {"error": "Full.", "title": "Server"}, 503),
        (500, {"error": None}, 500),
        (507, {"error": "The disk is full."}, 507),
        (422, {"detail": [{"loc": ["body"]}]}, 422),
        (404, {"detail": "Not Found"}, 404),
        (403, {"detail": "File not allowed: /home/anna/x."}, 403),
    ],
    ids=str,
)
def test_every_error_of_the_api_has_words(
    status: int, body: dict[str, object], expected: int
) -> None:
    answer = ask(_app(status, json.dumps(body).encode()), Request("POST", RUN))
    assert answer.status == expected
    assert answer.error
    assert "anna" not in answer.error


def test_words_that_are_there_are_kept() -> None:
    body = json.dumps({"error": "The zip is damaged."}).encode()
    assert ask(_app(500, body), Request("POST", RUN)).error == "The zip is damaged."


def test_the_doors_own_refusals_keep_their_words() -> None:
    app = Answers(HostCheck(_app(200, b""), known_hosts("127.0.0.1", ())))
    answer = ask(app, Request("POST", RUN, {"host": "evil.example"}))
    assert (answer.status, answer.error) == (403, str(words.unknown_host("evil.example")))


def test_a_good_answer_passes_as_it_is() -> None:
    answer = ask(_app(200, b"0123456789"), Request("POST", RUN))
    assert (answer.status, answer.body) == (200, b"0123456789")


def test_an_error_that_nobody_caught_is_one_line_in_the_log_without_its_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = ValueError("anna.jpg is at /home/anna")
    with caplog.at_level(logging.INFO):
        answer = ask(_app(500, b"Internal Server Error", error), Request("POST", RUN))
    assert answer.status == 500
    (line,) = caplog.records
    assert "ValueError" in line.getMessage()
    assert "anna" not in caplog.text
    assert "Traceback" not in caplog.text
    incident = line.getMessage().split()[1].rstrip(":")
    assert incident in answer.error


@pytest.mark.parametrize("is_complete", [True, False])
def test_an_answer_ends_once_whatever_comes_after_it(is_complete: bool) -> None:
    sent: list[AsgiMessage] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": not is_complete})
        raise ValueError("x")

    async def send(message: AsgiMessage) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(Answers(app)(scope, None, send))  # type: ignore[arg-type]  # nothing is received
    assert [message.get("more_body", False) for message in sent[1:]].count(False) == 1


def test_an_error_before_any_answer_is_answered() -> None:
    assert ask(_app(0, b"", ValueError("x")), Request("GET", "/")).status == 500


def test_an_error_within_an_answer_that_has_begun_ends_it_and_is_no_incident(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        answer = asyncio.run(Request("GET", "/").send_to(_app(200, b"012345", ValueError("x"))))
    assert answer is not None
    assert answer.body == b"012345"
    assert [line.levelno for line in caplog.records] == [logging.INFO]


def test_a_refusal_of_the_door_still_says_when_to_try_again() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await refuse(send, 429, message("Too much."), retry_seconds=7)

    answer = ask(Answers(app), Request("POST", RUN))
    assert (answer.status, answer.error) == (429, "Too much.")
    assert answer.headers["retry-after"] == "7"
