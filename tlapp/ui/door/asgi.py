"""What the parts of the door share: the words of ASGI, and refusals that a program can read.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class DisconnectedError(Exception):
    """The client hung up while it was still sending."""


def header(scope: Scope, name: bytes) -> str:
    """The first header of this name (in small letters), without spaces around; "" if none."""
    found: bytes = next((value for key, value in scope["headers"] if key == name), b"")
    return found.decode("latin-1").strip()


def client_of(scope: Scope) -> str:
    """The address from which the request came; "" when the server does not know it."""
    known: str = scope.get("tlapp.client") or (scope.get("client") or ("",))[0]
    return known


async def refuse(send: Send, status: int, words: str, *, retry_seconds: int | None = None) -> None:
    """Answer with `words`, under the names at which programs and Gradio's page look for them.

    The connection ends: what is left of a refused body is not read.
    """
    body = json.dumps({"error": words, "detail": words}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if retry_seconds is not None:
        headers.append((b"retry-after", str(retry_seconds).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Send, value: object) -> None:
    """Answer 200 with a JSON value."""
    body = json.dumps(value).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
