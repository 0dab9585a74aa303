"""Gradio's queue, as the door uses it: fair lines, and a way to drop what nobody waits for.

Gradio serves each line in the order of arrival, so that whoever asks a thousand times is served a
thousand times before the next one. Here clients take turns, and so do the sessions of one client.
All of this runs on the server's event loop, and on Gradio's inner tables: there is no other way in.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.queueing import Event

from tlapp.ui.door.asgi import client_of

OPEN_LINE = "open"  # the event with which a page opens
IMPORT_LINE = "import"
TRY_LINE = "try"  # answers for pictures
QUICK_LINE = "quick"  # events that name no line
OPENED_AT_ONCE = 2  # threads share the interpreter: more of them make each slower
TRIED_AT_ONCE = 2
TRIED: Final[Mapping[str, Any]] = MappingProxyType(
    {"concurrency_id": TRY_LINE, "concurrency_limit": TRIED_AT_ONCE}
)
QUICK_AT_ONCE = 4
# Events that may be under way at once. A follower keeps its place for as long as it follows, and
# takes no thread; this is more than the shares of two clients.
PLACES = 1_000
SECONDS_UNKNOWN = 5.0  # how long an event takes of which nobody knows


def client_of_event(event: Event) -> str:
    """The address from which the event came."""
    return client_of(event.request.scope)


class FairLine(list[Event]):
    """The waiting events of one kind: `append` puts an event where its client's turn is."""

    def __init__(self, on_arrival: Callable[[Event], None]) -> None:
        super().__init__()
        self._on_arrival = on_arrival

    def append(self, event: Event) -> None:
        """Behind the client's own events, but before those with which others are a turn ahead."""
        self._on_arrival(event)
        client = client_of_event(event)
        clients = [client_of_event(each) for each in self]
        own = [each for each, who in zip(self, clients, strict=True) if who == client]
        self.insert(fair_place(clients, client), event)
        own.insert(fair_place([each.session_hash for each in own], event.session_hash), event)
        places = [place for place, each in enumerate(self) if client_of_event(each) == client]
        for place, each in zip(places, own, strict=True):
            self[place] = each


def fair_place(line: Sequence[str], newcomer: str) -> int:
    """Where the newcomer stands in a line of names, in which each name has its turn in each round.

    A name's first event is of round 0, its second of round 1: the newcomer's stands before the
    first of a later round than its own, and never before an earlier one of the same name.
    """
    turn, seen = line.count(newcomer), Counter[str]()
    for place, name in enumerate(line):
        if seen[name] > turn and seen[newcomer] == turn:
            return place
        seen[name] += 1
    return len(line)


@dataclass(frozen=True, eq=False)
class Lines:
    """Gradio's queue of these blocks."""

    blocks: gr.Blocks

    def open(self, on_arrival: Callable[[Event], None]) -> None:
        """Make every line fair. Before the first event."""
        queue = self.blocks._queue
        queue.max_thread_count = PLACES
        queue.ANALYTICS_MAX_EVENTS = 1  # else a table of the last 10,000 is built at each event
        queue.ANAYLTICS_CACHE_FREQUENCY = sys.maxsize
        for function in self.blocks.fns.values():
            if function.concurrency_limit == "default":
                function.concurrency_id = QUICK_LINE
                function.concurrency_limit = QUICK_AT_ONCE
            queue.create_event_queue_for_fn(function)
        for line in queue.event_queue_per_concurrency_id.values():
            line.queue = FairLine(on_arrival)

    def event_asked_for(self, path: str, number: object) -> BlockFunction | None:
        """What a request asks for, by its number or by the name at the path's end."""
        if isinstance(number, int):
            return self.blocks.fns.get(number)
        name = path.rstrip("/").rpartition("/")[2]
        return next((each for each in self.blocks.fns.values() if each.api_name == name), None)

    def events(self) -> Iterator[Event]:
        """Those that wait or run."""
        yield from self.blocks._queue.event_ids_to_events.values()

    def session_of(self, event_id: str) -> str:
        """The session to which an event belongs, as Gradio finds it."""
        queue = self.blocks._queue
        event = queue.event_ids_to_events.get(event_id)
        if event is not None:
            return event.session_hash
        pending = queue.pending_event_ids_session.items()
        return next((session for session, ids in pending if event_id in ids), event_id)

    def is_fetched(self, session: str) -> bool:
        """Whether nothing is kept for the session that somebody may still want."""
        return not self.blocks._queue.pending_event_ids_session.get(session)

    def seconds_for(self, function: BlockFunction, ahead: int) -> float:
        """How long so many such events take, as far as is known."""
        times = self.blocks._queue.process_time_per_fn
        each = times[function].avg_time if function in times else SECONDS_UNKNOWN
        limit = function.concurrency_limit
        return ahead * each / (limit if isinstance(limit, int) else 1)

    async def drop(self, events: Sequence[Event]) -> None:
        """Take these out of their lines; those that follow something are told to end.

        What runs otherwise goes on: its result may still be fetched.
        """
        queue = self.blocks._queue
        for event in events:
            await queue.remove_from_queue(event._id)
            if event._id not in queue.event_ids_to_events:
                queue.pending_event_ids_session.get(event.session_hash, set()).discard(event._id)
            elif event.fn.types_generator:
                event.alive = False

    def forget(self, session: str) -> None:
        """Let go of all that is kept for a session of which no event is under way."""
        queue = self.blocks._queue
        queue.pending_event_ids_session.pop(session, None)
        queue.pending_messages_per_session.pop(session, None)
        self.blocks.pending_streams.pop(session, None)
        self.blocks.pending_diff_streams.pop(session, None)
        states = self.blocks.state_holder
        with states.lock:
            states.session_data.pop(session, None)
            states.time_last_used.pop(session, None)
