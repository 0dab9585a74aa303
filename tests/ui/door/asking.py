"""Requests to one part of the door, without a server."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tlapp.ui.door.asgi import App, AsgiMessage, Receive, Scope, Send


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> str:
        """The words of a refusal."""
        return str(json.loads(self.body)["error"])


@dataclass
class Behind:
    """An app that stands behind the part: it reads the body and answers 200 with it."""

    scopes: list[Scope] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})


@dataclass
class Request:
    """One request; `chunks` of its body come one by one, then the client leaves or waits."""

    method: str = "GET"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    chunks: Sequence[bytes] = (b"",)
    query: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)  # what parts before it have found
    hangs_after: int | None = None  # so many chunks come, then nothing more does
    leaves_after: int | None = None  # so many chunks come, then the client hangs up
    client: str = "127.0.0.1"
    more_headers: tuple[tuple[bytes, bytes], ...] = ()  # of names that are there already

    async def send_to(self, app: App) -> Answer | None:
        """The answer; None: nothing was answered."""
        scope: Scope = {
            "type": "http",
            "method": self.method,
            "path": self.path,
            "query_string": self.query.encode(),
            "headers": [
                *((key.encode(), value.encode()) for key, value in self.headers.items()),
                *self.more_headers,
            ],
            "client": (self.client, 1),
            **self.extra,
        }
        sent: list[AsgiMessage] = []
        given = 0

        async def receive() -> AsgiMessage:
            nonlocal given
            if given == self.leaves_after:
                return {"type": "http.disconnect"}
            if given == self.hangs_after:
                await asyncio.Event().wait()
            given += 1
            more = given < len(self.chunks) or self.hangs_after is not None
            return {"type": "http.request", "body": self.chunks[given - 1], "more_body": more}

        async def send(message: AsgiMessage) -> None:
            sent.append(message)

        await app(scope, receive, send)
        if not sent:
            return None
        start, *parts = sent
        headers = {key.decode(): value.decode() for key, value in start["headers"]}
        return Answer(start["status"], headers, b"".join(part["body"] for part in parts))


def ask(app: App, request: Request) -> Answer:
    """The answer to one request. AssertionError: there was none."""
    answer = asyncio.run(request.send_to(app))
    assert answer is not None, "nothing was answered"
    return answer
