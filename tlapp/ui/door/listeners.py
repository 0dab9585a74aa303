"""Who listens: the sessions that have asked something, and whether anybody is there for the answer.

Gradio keeps the events, the messages and the components of a session for ever when nobody fetches
them. A session without a listener is dropped here, in two steps: first what still waits, later the
results. Whoever comes back after that starts with the components as they were at first, which the
page does not notice: it keeps nothing there.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gradio.queueing import Event

from tlapp.jobs.memory import give_back_memory
from tlapp.ui.door.lines import Lines, client_of_event

GONE_SECONDS = 15.0  # without a listener: nobody will come for what waits
FORGET_SECONDS = 30.0  # the same for results; a person with curl fetches them within seconds
SWEEP_SECONDS = 2.0


@dataclass(eq=False)
class Session:
    """Somebody who asks: an open page, a client, or one call of a program."""

    client: str
    last_sign: float  # when it last asked, or stopped to listen
    listeners: int = 0


class Listeners:
    """The sessions of all clients, as long as something is kept for them."""

    def __init__(self, lines: Lines, clock: Callable[[], float] = time.monotonic) -> None:
        self._lines = lines
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def note(self, session: str, client: str) -> None:
        """This session has asked something."""
        seen = self._sessions.get(session)
        if seen is None:
            self._sessions[session] = Session(client, self._clock())
        else:
            seen.client, seen.last_sign = client, self._clock()

    def note_event(self, event: Event) -> None:
        """The same, by the event."""
        self.note(event.session_hash, client_of_event(event))

    def listens(self, session: str) -> bool:
        """Whether somebody listens for this session."""
        return session in self._sessions and self._sessions[session].listeners > 0

    def knows(self, session: str) -> bool:
        """Whether anything is kept for it."""
        return session in self._sessions

    def count_sessions(self, client: str) -> int:
        """How many sessions something is kept for."""
        return sum(seen.client == client for seen in self._sessions.values())

    def count_listeners(self, client: str) -> int:
        """How many connections the client holds open to listen."""
        return sum(seen.listeners for seen in self._sessions.values() if seen.client == client)

    @contextmanager
    def listening(self, session: str, client: str) -> Iterator[None]:
        """Somebody listens for this session until the block is left."""
        self.note(session, client)
        seen = self._sessions[session]
        seen.listeners += 1
        try:
            yield
        finally:
            seen.listeners -= 1
            seen.last_sign = self._clock()

    async def keep_swept(self) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            if await self.sweep():
                await asyncio.to_thread(give_back_memory)

    async def sweep(self) -> int:
        """Drop what nobody listens for; how many sessions were forgotten."""
        events: dict[str, list[Event]] = defaultdict(list)
        for event in self._lines.events():
            events[event.session_hash].append(event)
        forgotten = 0
        for session, seen in list(self._sessions.items()):
            silent_seconds = self._clock() - seen.last_sign
            if seen.listeners or silent_seconds < GONE_SECONDS:
                continue
            await self._lines.drop(events[session])
            if silent_seconds >= FORGET_SECONDS and self._forget(session, seen):
                forgotten += 1
        return forgotten

    def make_room(self, client: str) -> None:
        """Forget the client's sessions whose answers were fetched."""
        busy = {event.session_hash for event in self._lines.events()}
        for session, seen in list(self._sessions.items()):
            if seen.client == client and session not in busy and self._lines.is_fetched(session):
                self._forget(session, seen)

    def _forget(self, session: str, seen: Session) -> bool:
        """Forget it, unless it listens or has something under way."""
        busy = any(event.session_hash == session for event in self._lines.events())
        if seen.listeners or busy:
            return False
        del self._sessions[session]
        self._lines.forget(session)
        return True
