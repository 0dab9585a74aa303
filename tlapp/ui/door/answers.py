"""What Gradio answers when something is wrong, put into words that programs and people can use.

A client's fault is a 4xx with `{"error": words}`, whatever status Gradio gives it; only what is our
own defect stays a 500. Nobody gets a traceback or a path of this machine, and the log gets one line.
"""

import json
import logging
import secrets
import traceback
from pathlib import Path
from typing import Any

from tlapp.messages import Message, verbatim
from tlapp.ui.door.asgi import REFUSAL, App, AsgiMessage, Receive, Scope, Send, refuse
from tlapp.ui.door.routes import API
from tlapp.ui.handling import INCIDENT_TITLE, SERVER_TITLE
from tlapp.ui.text import door as words
from tlapp.ui.text import unexpected_error

logger = logging.getLogger(__name__)

STATUSES = {INCIDENT_TITLE: 500, SERVER_TITLE: 503}  # of an error that is not the client's
MOST_BODY_BYTES = 20_000
MOST_ANSWER_CHARACTERS = 1_000  # characters


class Answers:
    """Rewrites errors of the API's routes; streams and good answers pass as they are."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send, is_for_programs=API in scope["path"])
        fault = ""
        try:
            await self.app(scope, receive, answer.send)
        except Exception as error:  # the last one before the server: nothing may get past it
            fault = f"{type(error).__name__} at {_place(error)}"
        await answer.finish(fault)


class _Answer:
    """One answer on its way out; an error is held back until its words are known."""

    def __init__(self, send: Send, *, is_for_programs: bool) -> None:
        self._send = send
        self._is_for_programs = is_for_programs
        self._has_started = False
        self._is_complete = False
        self._held_status = 0  # of an error; 0: none is held back
        self._body = b""

    async def send(self, message: AsgiMessage) -> None:
        """Pass a good answer on."""
        if message["type"] == "http.response.start":
            is_refusal = message.get(REFUSAL, False)
            status: int = message["status"]
            if not is_refusal and (status >= 500 or (status >= 400 and self._is_for_programs)):
                self._held_status = status
            self._has_started = not self._held_status
        if not self._held_status:
            await self._plainly(message)
            is_body = message["type"] == "http.response.body"
            self._is_complete = is_body and not message.get("more_body", False)
        elif len(self._body) < MOST_BODY_BYTES:
            self._body += message.get("body", b"")

    async def finish(self, fault: str) -> None:
        """Say what went wrong; `fault` is what was raised, for the log, or ""."""
        if fault and self._has_started:  # a stream of somebody whom Gradio does not know (any more)
            logger.info("Answer broken off: %s", fault)
            if not self._is_complete:
                await self._send({"type": "http.response.body", "body": b""})
            return
        incident = secrets.token_hex(4) if fault else ""
        if fault:
            logger.error("Incident %s: %s", incident, fault)
        if self._held_status:
            await refuse(self._plainly, *in_words(self._held_status, self._body, incident))
        elif fault:
            await refuse(self._plainly, 500, unexpected_error(incident))

    async def _plainly(self, message: AsgiMessage) -> None:
        """Send without the mark, which is the door's own."""
        await self._send({key: value for key, value in message.items() if key != REFUSAL})


def _place(error: BaseException) -> str:
    """Where it was raised; its message may hold names of files, and is left out."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"


def in_words(status: int, body: bytes, incident: str = "") -> tuple[int, Message]:
    """The status and the message for an error that Gradio answers with this body."""
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    told = said if isinstance(said, dict) else {}
    text = next((told[key] for key in ("error", "detail") if isinstance(told.get(key), str)), "")
    if status == 500 and text:  # Gradio's status of whatever its functions raise
        status = STATUSES.get(str(told.get("title")), 400)
    if (
        text and status != 403 and len(text) <= MOST_ANSWER_CHARACTERS
    ):  # Gradio's own 403 holds the path
        return status, verbatim(text)
    if status >= 500:
        return status, unexpected_error(incident)
    return status, words.NOT_FOUND if status in (403, 404) else words.NOT_UNDERSTOOD
