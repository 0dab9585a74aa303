"""Request bodies over the limit are answered 413, whether or not they say how large they are."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tlapp.ui.body_limit import FORM_BYTES, BodyLimit

LIMIT = 1_000


class Request:
    """One request through the middleware to an app that answers with the size of the body."""

    def __init__(self, chunks: Sequence[int], *, declared: int | None = None, path: str = "/call"):
        headers = [] if declared is None else [(b"content-length", str(declared).encode())]
        self.scope = {"type": "http", "path": path, "headers": headers}
        self.messages = [
            {"type": "http.request", "body": b"x" * size, "more_body": index < len(chunks) - 1}
            for index, size in enumerate(chunks)
        ]
        self.bytes_read = 0
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        return self.messages.pop(0)

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            self.bytes_read += len(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(self.bytes_read).encode()})

    def status(self, app: Any = None) -> int:
        """What was answered."""
        limit = BodyLimit(app or self.app, upload_bytes=10 * LIMIT, other_bytes=LIMIT)
        asyncio.run(limit(self.scope, self.receive, self.send))
        kinds = [message["type"] for message in self.sent]
        assert kinds == ["http.response.start", "http.response.body"], "one whole answer"
        return int(self.sent[0]["status"])


@pytest.mark.parametrize("declared", [LIMIT, None])
def test_a_body_of_exactly_the_limit_arrives_whole(declared: int | None) -> None:
    request = Request([LIMIT - 10, 10], declared=declared)
    assert request.status() == 200
    assert request.bytes_read == LIMIT


def test_a_body_that_declares_too_much_is_refused_before_it_is_read() -> None:
    request = Request([LIMIT + 1], declared=LIMIT + 1)
    assert request.status() == 413
    assert len(request.messages) == 1
    assert b"too large" in request.sent[1]["body"]


@pytest.mark.parametrize("declared", [None, 5])
def test_a_body_that_turns_out_too_large_is_refused_at_that_point(declared: int | None) -> None:
    request = Request([LIMIT, 1, LIMIT, LIMIT], declared=declared)
    assert request.status() == 413
    assert request.bytes_read == LIMIT
    assert len(request.messages) == 2, "the rest is not read"


def test_uploads_have_a_limit_of_their_own_with_room_for_the_form() -> None:
    most = 10 * LIMIT + FORM_BYTES
    assert Request([most], path="/gradio_api/upload").status() == 200
    assert Request([most, 1], path="/gradio_api/upload").status() == 413
    assert Request([most], path="/gradio_api/uploads").status() == 413


def test_an_app_that_answers_the_broken_body_with_an_error_does_not_get_through() -> None:
    request = Request([LIMIT + 1])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await receive()
        except Exception:
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body", "body": b"broken"})

    assert request.status(app) == 413


def test_an_error_of_the_app_itself_goes_on_up() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        Request([1]).status(app)


def test_what_is_no_request_is_passed_on() -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    limit = BodyLimit(app, upload_bytes=1, other_bytes=1)
    asyncio.run(limit({"type": "lifespan"}, None, None))  # type: ignore[arg-type]  # never called
    assert seen == ["lifespan"]
