"""An ASGI middleware that refuses request bodies over a limit, whether or not they declare their size.

It stands in front of Gradio, whose own limit counts single files only.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from tlapp.ui import text

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

UPLOAD_ROUTE = "/upload"  # Gradio's, below whatever root path the host adds
FORM_BYTES = 64_000  # what multipart framing may add to the files themselves


class BodyTooLargeError(Exception):
    """The body went over its limit while it was being read."""


class BodyLimit:
    """Uploads may have `upload_bytes` in all, every other request `other_bytes`; more is answered 413."""

    def __init__(self, app: App, *, upload_bytes: int, other_bytes: int) -> None:
        self.app = app
        self.upload_bytes = upload_bytes
        self.other_bytes = other_bytes

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_upload = scope["path"].endswith(UPLOAD_ROUTE)
        limit = self.upload_bytes + FORM_BYTES if is_upload else self.other_bytes
        if _declared_bytes(scope) > limit:
            await _refuse(send, limit)
            return
        body = _CountedBody(receive, limit)
        has_answered = False

        async def send_unless_refused(message: Message) -> None:
            nonlocal has_answered
            if not body.is_over:
                has_answered = True
                await send(message)

        with suppress(BodyTooLargeError):  # the framework may have caught it on the way, too
            await self.app(scope, body.receive, send_unless_refused)
        if body.is_over and not has_answered:
            await _refuse(send, limit)


class _CountedBody:
    """Hands the body on until it goes over `limit` bytes, then raises `BodyTooLargeError`."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._bytes_left = limit

    @property
    def is_over(self) -> bool:
        return self._bytes_left < 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._bytes_left -= len(message.get("body", b""))
        if self.is_over:
            raise BodyTooLargeError
        return message


def _declared_bytes(scope: MutableMapping[str, Any]) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _refuse(send: Send, limit: int) -> None:
    body = text.body_too_large(limit).encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
