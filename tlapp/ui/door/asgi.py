"""What the parts of the door share: the words of ASGI, and refusals that a program can read.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

from tlapp.messages import Message, words
from tlapp.ui.languages import ASKED_IN

Scope = MutableMapping[str, Any]
AsgiMessage = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


REFUSAL = "tlapp.refusal"  # marks an answer of the door's own: its words stay as they are


class DisconnectedError(Exception):
    """The client hung up while it was still sending."""


class RefusedError(Exception):
    """A request is not taken; `status` and `said` are the answer."""

    def __init__(self, status: int, said: Message) -> None:
        super().__init__(said)
        self.status = status
        self.said = said


def all_headers(scope: Scope, name: bytes) -> str:
    """All headers of this name as one, which is what they mean (RFC 9110, section 5.3)."""
    return ",".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)


def header(scope: Scope, name: bytes) -> str:
    """The first header of this name (in small letters), without spaces around; "" if none."""
    found: bytes = next((value for key, value in scope["headers"] if key == name), b"")
    return found.decode("latin-1").strip()


def client_of(scope: Scope) -> str:
    """The address from which the request came; "" when the server does not know it."""
    known: str = scope.get("tlapp.client") or (scope.get("client") or ("",))[0]
    return known


@contextmanager
def counted(counter: Counter[str], client: str) -> Iterator[None]:
    """One more of this client's until the block is left; a client without any is forgotten."""
    counter[client] += 1
    try:
        yield
    finally:
        counter[client] -= 1
        if not counter[client]:
            del counter[client]


async def refuse(
    send: Send, status: int, said: Message, *, retry_seconds: int | None = None
) -> None:
    """Answer with this message in the language of the request, under the names at which programs
    and Gradio's page look for it.

    The connection ends: what is left of a refused body is not read.
    """
    headers = [(b"connection", b"close")]
    if retry_seconds is not None:
        headers.append((b"retry-after", str(retry_seconds).encode()))
    text = words(ASKED_IN.get()).say(said)
    await answer_json(send, {"error": text, "detail": text}, status=status, headers=headers)


async def answer_json(
    send: Send,
    value: object,
    *,
    status: int = 200,
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> None:
    """Answer with a JSON value."""
    body = json.dumps(value).encode()
    told = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    start = {"type": "http.response.start", "status": status, "headers": [*told, *headers]}
    await send({**start, REFUSAL: status >= 400})
    await send({"type": "http.response.body", "body": body})
