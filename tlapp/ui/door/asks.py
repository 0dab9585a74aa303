"""What programs and pages ask, checked before Gradio sees it: JSON, of a bounded shape.

Gradio answers a wrong shape with a traceback in the log and nothing for the client. What is wrong
with the values themselves is said by the functions that take them.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from tlapp.ui.door.asgi import App, Receive, RefusedError, Scope, Send, refuse
from tlapp.ui.door.routes import API, route_kind
from tlapp.ui.text import door as words

MOST_PARTS = 50_000  # of a JSON body: each takes some 60 bytes once it is read
MOST_VALUES = 100  # of one event
_SESSION = re.compile(r"[\w-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class Events:
    """What can be asked for."""

    endpoints: tuple[str, ...]  # public ones, for words
    names: frozenset[str]  # all, those of the page too
    numbers: frozenset[int]


class AskCheck:
    """Refuses with 400 or 404 what no event could take; else puts the object into the scope."""

    def __init__(self, app: App, events: Events) -> None:
        self.app = app
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or route_kind(scope) != "ask":
            await self.app(scope, receive, send)
            return
        try:
            body = read_object(scope["tlapp.bytes"])
            check_ask(scope["path"], body, self._events)
        except RefusedError as wrong:
            await refuse(send, wrong.status, wrong.said)
            return
        await self.app({**scope, "tlapp.body": body}, receive, send)


def read_object(encoded: bytes) -> dict[str, Any]:
    """The JSON object. Raises a refusal for anything else, before it could take much memory."""
    parts = encoded.count(b",") + encoded.count(b"[") + encoded.count(b"{")
    if parts > MOST_PARTS:
        raise RefusedError(413, words.TOO_MANY_PARTS)
    try:
        value = json.loads(encoded)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, words.NO_JSON) from error
    if not isinstance(value, dict):
        raise RefusedError(400, words.NO_JSON)
    return value


def check_ask(path: str, body: dict[str, Any], events: Events) -> None:
    """Refuse what names no event, or brings no list of values."""
    data = body.get("data")
    if not isinstance(data, list) or len(data) > MOST_VALUES:
        raise RefusedError(400, words.NO_DATA)
    session = body.get("session_hash")
    if session is not None and not (isinstance(session, str) and _SESSION.fullmatch(session)):
        raise RefusedError(400, words.NO_SESSION)
    name = path.rstrip("/").rpartition("/")[2]
    number = body.get("fn_index")
    if path.rstrip("/").endswith(f"{API}/queue/join"):
        if session is None:
            raise RefusedError(400, words.NO_SESSION)
        if isinstance(number, bool) or not isinstance(number, int) or number not in events.numbers:
            raise RefusedError(404, words.NO_EVENT)
    elif name not in events.names:
        raise RefusedError(404, words.unknown_endpoint(name, events.endpoints))
    elif number is not None:
        raise RefusedError(400, words.NO_EVENT)
    for key in ("trigger_id", "event_id"):
        if not isinstance(body.get(key), int | str | None):
            raise RefusedError(400, words.NO_JSON)
