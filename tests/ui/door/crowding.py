"""Gradio's queue with a crowd in front of it, without a server: events wait and are never run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import fastapi
import gradio as gr
from gradio.data_classes import PredictBodyInternal
from gradio.queueing import Event

from tests.ui.door.asking import Request
from tlapp.ui.door.asgi import Receive, Scope, Send
from tlapp.ui.door.crowd import Crowd, Shares
from tlapp.ui.door.lines import OPEN_LINE, Lines
from tlapp.ui.door.states import use_light_states

JOIN = "/gradio_api/queue/join"
PAGE, WORK, FOLLOW = range(3)  # the numbers of the events
SHARES = Shares(
    events_of_all=60,
    events=30,
    events_of_session=5,
    in_line={OPEN_LINE: 10},
    in_other_lines=20,
    sessions=25,
    listeners=4,
    direct=2,
    direct_of_all=3,
)


def make_blocks() -> gr.Blocks:
    """A page that opens, works and follows."""
    blocks = gr.Blocks(analytics_enabled=False)
    with blocks:
        button = gr.Button()
        button.click(lambda: None, api_name="page", concurrency_id=OPEN_LINE, concurrency_limit=2)
        button.click(lambda: None, api_name="work")

        def follow() -> Any:
            yield

        button.click(follow, None, button, api_name="follow", concurrency_limit=None)
    blocks.queue()
    use_light_states(gr.routes.App.create_app(blocks), blocks)
    return blocks


@dataclass
class Crowded:
    """A crowd, and behind it a stand-in for Gradio's routes that puts events into its queue."""

    blocks: gr.Blocks = field(default_factory=make_blocks)
    seconds: float = 0.0
    noted: list[tuple[str, Sequence[object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lines = Lines(self.blocks)
        self.crowd = Crowd(
            self._join, self.lines, lambda *noted: self.noted.append(noted), SHARES,
            clock=lambda: self.seconds,
        )  # fmt: skip

    @property
    def queue(self) -> Any:
        return self.blocks._queue

    def waiting(self, number: int) -> list[str]:
        """The sessions in one event's line, the next one first."""
        line = self.queue.event_queue_per_concurrency_id[self.blocks.fns[number].concurrency_id]
        return [event.session_hash for event in line.queue]

    async def join(
        self, client: str, session: str | None, number: int = WORK, path: str = JOIN
    ) -> int:
        """The status with which an event is taken."""
        body = {"data": [], "fn_index": number, "session_hash": session}
        answer = await Request("POST", path, client=client, extra={"tlapp.body": body}).send_to(
            self.crowd
        )
        assert answer is not None
        return answer.status

    async def _join(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == JOIN:
            body = scope["tlapp.body"]
            function = self.blocks.fns[body["fn_index"]]
            event = Event(body["session_hash"], function, fastapi.Request(scope), None)
            event.data = PredictBodyInternal(data=[], request=event.request)
            self.queue.event_ids_to_events[event._id] = event
            self.queue.pending_event_ids_session.setdefault(event.session_hash, set()).add(
                event._id
            )
            self.queue.event_queue_per_concurrency_id[event.concurrency_id].queue.append(event)
            self.blocks.state_holder[event.session_hash]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
