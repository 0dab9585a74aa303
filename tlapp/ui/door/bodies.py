"""Bodies of requests that are no uploads: small, in time, and only where one belongs.

A body that is over its limit, or comes too slowly, is refused at that moment, whether or not the
request said how large it is. A JSON body is read here as a whole, so that what stands behind gets
it at once or not at all.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tlapp.settings import MEGABYTE
from tlapp.ui.door.asgi import (
    App,
    AsgiMessage,
    DisconnectedError,
    Receive,
    RefusedError,
    Scope,
    Send,
    client_of,
    header,
    refuse,
)
from tlapp.ui.door.routes import ASK_BYTES, NO_BODY_BYTES, route_kind
from tlapp.ui.text import door as words

Hold = Callable[[int], None]
BODIES_BYTES = 50 * MEGABYTE  # of all bodies that are coming or being answered
BODIES_BYTES_OF_A_CLIENT = 25 * MEGABYTE
RETRY_SECONDS = 5
BODY_SECONDS = 20.0  # for a body of a megabyte at most, also over a school's network


class BodyCheck:
    """Reads each body that is no upload, within `seconds`, before anybody else does."""

    def __init__(self, app: App, *, seconds: float = BODY_SECONDS) -> None:
        self.app = app
        self.seconds = seconds
        self._held_bytes: Counter[str] = Counter()  # by client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or route_kind(scope) == "upload":
            await self.app(scope, receive, send)
            return
        with self._holding(client_of(scope)) as hold:
            await self._read_and_pass_on(scope, receive, send, hold)

    @contextmanager
    def _holding(self, client: str) -> Iterator[Hold]:
        """Counts the bytes that one request holds until the block is left."""
        held = 0

        def hold(count: int) -> None:
            nonlocal held
            held += count
            self._held_bytes[client] += count
            if (
                self._held_bytes[client] > BODIES_BYTES_OF_A_CLIENT
                or self._held_bytes.total() > BODIES_BYTES
            ):
                raise RefusedError(429, words.too_many_bodies(RETRY_SECONDS))

        try:
            yield hold
        finally:
            self._held_bytes[client] -= held
            if not self._held_bytes[client]:
                del self._held_bytes[client]

    async def _read_and_pass_on(
        self, scope: Scope, receive: Receive, send: Send, hold: Hold
    ) -> None:
        limit = ASK_BYTES if route_kind(scope) == "ask" else NO_BODY_BYTES
        try:
            body = await asyncio.wait_for(_read_body(scope, receive, limit, hold), self.seconds)
        except RefusedError as refused:
            retry = RETRY_SECONDS if refused.status == 429 else None
            await refuse(send, refused.status, refused.said, retry_seconds=retry)
        except TimeoutError:
            await refuse(send, 408, words.TOO_SLOW)
        except DisconnectedError:
            return
        else:
            await self.app({**scope, "tlapp.bytes": body}, _once(body, receive), send)


async def _read_body(scope: Scope, receive: Receive, limit: int, hold: Hold) -> bytes:
    """All of the body. Raises RefusedError at the first byte over the limit, or when others hold
    too much."""
    too_large = RefusedError(413, words.body_too_large(limit))
    if declared_bytes(scope) > limit:
        raise too_large
    chunks: list[bytes] = []
    count = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        chunks.append(message.get("body", b""))
        count += len(chunks[-1])
        hold(len(chunks[-1]))
        if count > limit:
            raise too_large
        if not message.get("more_body", False):
            return b"".join(chunks)


def declared_bytes(scope: Scope) -> int:
    """What the request says of its size; 0: nothing."""
    said = header(scope, b"content-length")
    return int(said) if said.isdecimal() and len(said) < 20 else 0


def _once(body: bytes, receive: Receive) -> Receive:
    """Gives the body, then whatever comes after it (the client's leaving)."""
    waiting: list[AsgiMessage] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_once() -> AsgiMessage:
        return waiting.pop() if waiting else await receive()

    return receive_once
