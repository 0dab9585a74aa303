"""A share for each client: how much may wait, run and listen for one address and one session.

Whoever is over its share is refused at once and told when to try again; the others go on as if
nobody else were there, because in the lines behind this clients take turns.
"""

import asyncio
import json
import re
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from math import ceil
from types import MappingProxyType
from urllib.parse import parse_qs

from gradio.block_function import BlockFunction

from tlapp.messages import Message
from tlapp.ui.door.asgi import App, AsgiMessage, Receive, Scope, Send, client_of, counted, refuse
from tlapp.ui.door.lines import IMPORT_LINE, OPEN_LINE, TRY_LINE, Lines, client_of_event
from tlapp.ui.door.listeners import Listeners
from tlapp.ui.door.routes import API
from tlapp.ui.text import door as words

RETRY_SECONDS = (2, 60)  # the soonest and the latest that is said
LISTEN_RETRY_SECONDS = 15
_ASKS = re.compile(API + r"/(queue/join|call/[^/]+/?|(?P<direct>run|api)/[^/]+/?)$")
_LISTENS = re.compile(
    API + r"/(?P<data>queue/data|heartbeat/(?P<session>[^/]+)|call/[^/]+/(?P<event>[^/]+))$"
)
Note = Callable[[str, Sequence[object]], None]


@dataclass(frozen=True, kw_only=True)
class Shares:
    """What one client may have at once. A class of thirty behind one address fits: a page opens
    with some ten events, of which four go on, and one connection."""

    events_of_all: int = 4_000  # waiting or running: some kilobytes each
    events: int = 400  # of an address
    events_of_session: int = 100  # a page has some twenty
    in_line: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType({OPEN_LINE: 60, IMPORT_LINE: 40, TRY_LINE: 60})
    )  # of an address, by line
    in_other_lines: int = 250
    sessions: int = 200  # of an address, for which anything is kept
    listeners: int = 120  # connections of an address: thirty pages, each in three tabs, and more
    direct: int = 4  # calls of an address that are answered without a line
    direct_of_all: int = 8  # each takes a thread


class Crowd:
    """Refuses with 429 what is over a client's share."""

    def __init__(
        self,
        app: App,
        lines: Lines,
        note: Note,
        shares: Shares | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`note(client, values)` is told of what each client sends to an event."""
        self.app = app
        self.listeners = Listeners(lines, clock)
        self._lines = lines
        self._note = note
        self._shares = Shares() if shares is None else shares
        self._entering: Counter[str] = Counter()  # by client: asked, but not yet in a line
        self._direct: Counter[str] = Counter()
        lines.open(self.listeners.note_event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["method"] == "POST" and (asks := _ASKS.search(scope["path"])):
            await self._ask(scope, receive, send, is_direct=asks["direct"] is not None)
        elif scope["method"] == "GET" and (listens := _LISTENS.search(scope["path"])):
            await self._listen(scope, receive, send, self._session_of(scope, listens))
        else:
            await self.app(scope, receive, send)

    @asynccontextmanager
    async def keep_swept(self) -> AsyncIterator[None]:
        """What nobody listens for is dropped until the block is left."""
        sweeping = asyncio.create_task(self.listeners.keep_swept())
        try:
            yield
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping

    async def _ask(self, scope: Scope, receive: Receive, send: Send, *, is_direct: bool) -> None:
        client, body = client_of(scope), scope.get("tlapp.body") or {}
        session = body.get("session_hash")
        event = self._lines.event_asked_for(scope["path"], body.get("fn_index"))
        refusal = None if event is None else self._refusal(client, session, event, is_direct)
        if refusal is not None:
            said, seconds = refusal
            await refuse(send, 429, said, retry_seconds=seconds)
            return
        self._note(client, body.get("data") or ())
        if is_direct and session is not None:
            self.listeners.note(session, client)  # Gradio keeps its components
        if is_direct and session is None:
            await self._call_once(scope, receive, send, client)
            return
        with counted(self._direct if is_direct else self._entering, client):
            await self.app(scope, receive, send)

    async def _call_once(self, scope: Scope, receive: Receive, send: Send, client: str) -> None:
        """A direct call under a session of its own: for one without, Gradio describes the whole
        page anew (see `states`)."""
        session = f"direct-{secrets.token_hex(8)}"
        body = json.dumps({**(scope.get("tlapp.body") or {}), "session_hash": session}).encode()

        async def receive_named() -> AsgiMessage:
            message = await receive()
            return {**message, "body": body} if message["type"] == "http.request" else message

        try:
            with counted(self._direct, client):
                await self.app(scope, receive_named, send)
        finally:
            self._lines.forget(session)

    async def _listen(self, scope: Scope, receive: Receive, send: Send, session: str) -> None:
        client = client_of(scope)
        is_expected = not (self.listeners.listens(session) or self._lines.is_fetched(session))
        is_over = self.listeners.count_listeners(client) >= self._shares.listeners
        if is_over and not is_expected:  # an answer that was promised may always be fetched
            said = words.too_many_listeners(LISTEN_RETRY_SECONDS)
            await refuse(send, 429, said, retry_seconds=LISTEN_RETRY_SECONDS)
            return
        with self.listeners.listening(session, client):
            await self.app(scope, receive, send)

    def _session_of(self, scope: Scope, listens: re.Match[str]) -> str:
        if listens["session"] is not None:
            return listens["session"]
        if listens["event"] is not None:
            return self._lines.session_of(listens["event"])
        query = parse_qs(scope["query_string"].decode("latin-1"))
        return query.get("session_hash", [""])[0]

    def _refusal(
        self, client: str, session: str | None, event: BlockFunction, is_direct: bool
    ) -> tuple[Message, int] | None:
        """What is said, and the seconds after which it may work; None: it fits."""
        if is_direct:
            is_over = (
                self._direct[client] >= self._shares.direct
                or self._direct.total() >= self._shares.direct_of_all
            )
            seconds = _retry_seconds(self._lines.seconds_for(event, 1))
            return (words.too_many_at_once(seconds), seconds) if is_over else None
        if not self._can_listen(client, session):
            said = words.too_many_listeners(LISTEN_RETRY_SECONDS)
            return said, LISTEN_RETRY_SECONDS
        events = list(self._lines.events())
        own = [each for each in events if client_of_event(each) == client]
        line = event.concurrency_id
        in_line = sum(each.concurrency_id == line for each in own)
        coming = self._entering[client]
        is_over = (
            len(events) + self._entering.total() >= self._shares.events_of_all
            or len(own) + coming >= self._shares.events
            or in_line + coming >= self._shares.in_line.get(line, self._shares.in_other_lines)
            or sum(each.session_hash == session for each in own) >= self._shares.events_of_session
        )
        seconds = _retry_seconds(self._lines.seconds_for(event, in_line))
        return (words.too_many_waiting(seconds), seconds) if is_over else None

    def _can_listen(self, client: str, session: str | None) -> bool:
        """Whether the answer could be fetched, and something be kept for the session until then."""
        if session is not None and self.listeners.listens(session):
            return True
        if self.listeners.count_listeners(client) >= self._shares.listeners:
            return False
        if session is not None and self.listeners.knows(session):
            return True
        if self.listeners.count_sessions(client) >= self._shares.sessions:
            self.listeners.make_room(client)
        return self.listeners.count_sessions(client) < self._shares.sessions


def _retry_seconds(seconds: float) -> int:
    soonest, latest = RETRY_SECONDS
    return min(latest, max(soonest, ceil(seconds)))
