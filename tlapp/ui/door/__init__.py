"""The door: what stands in front of Gradio and decides who and what comes in.

In this order: the language, errors in words, from where, who asks, what for, the key of one's own machine, how much, uploads,
and the shape of what is asked. Each part is an ASGI app around the next, in a file of its own.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import gradio as gr
from starlette.applications import Starlette
from starlette.middleware import Middleware

from tlapp.ui.door.answers import Answers
from tlapp.ui.door.asgi import App
from tlapp.ui.door.asks import AskCheck, Events
from tlapp.ui.door.bodies import BodyCheck
from tlapp.ui.door.clients import ClientAddress
from tlapp.ui.door.crowd import Crowd, Note
from tlapp.ui.door.hosts import HostCheck, KnownHosts
from tlapp.ui.door.key import KeyTaker
from tlapp.ui.door.language import LanguageTaker, PageLanguage
from tlapp.ui.door.lines import Lines
from tlapp.ui.door.routes import RouteCheck
from tlapp.ui.door.states import use_light_states
from tlapp.ui.door.uploads import UploadLimits, Uploads
from tlapp.workspace import UploadFolder


@dataclass(frozen=True, kw_only=True)
class Door:
    """What the door needs to know."""

    hosts: KnownHosts
    key: str  # see `key`
    is_behind_proxy: bool  # of a host who says where requests come from
    root_path: str  # what a proxy leaves before the path; "" is nothing
    uploads: UploadFolder
    upload_limits: UploadLimits
    note: Note  # is told which client sends which values
    has_room: Callable[[int], bool]  # whether the disk takes what is under way, so many bytes

    def before(self, app: App, blocks: gr.Blocks) -> App:
        """`app`, which serves `blocks`, behind the door."""
        app = AskCheck(app, events_of(blocks))
        app = Uploads(app, self.uploads, self.upload_limits, self.has_room)
        app = BodyCheck(app)
        app = KeyTaker(app, self.key, root_path=self.root_path)
        app = RouteCheck(app, root_path=self.root_path)
        app = HostCheck(app, self.hosts)
        app = ClientAddress(app, is_behind_proxy=self.is_behind_proxy)
        app = Answers(app)
        return LanguageTaker(app)

    def app_kwargs(self, blocks: gr.Blocks) -> dict[str, Any]:
        """What Gradio's app is to be made with, to serve these blocks behind the door."""
        # Middleware that is handed to Gradio stands behind Gradio's own, which compresses pages.
        return {"lifespan": self.lifespan(blocks), "middleware": [Middleware(PageLanguage)]}

    def lifespan(self, blocks: gr.Blocks) -> Callable[[Any], AbstractAsyncContextManager[None]]:
        """The door is in place before the first request is taken: Gradio's own middleware answers
        some requests by itself."""

        @asynccontextmanager
        async def put_in_front(app: Starlette) -> AsyncIterator[None]:
            stack = app.middleware_stack
            if stack is None:
                raise RuntimeError("Starlette builds its middleware before the lifespan begins.")
            use_light_states(app, blocks)
            crowd = Crowd(stack, Lines(blocks), self.note)
            app.middleware_stack = self.before(crowd, blocks)
            async with crowd.keep_swept():
                yield

        return put_in_front


def events_of(blocks: gr.Blocks) -> Events:
    """What can be asked of these blocks."""
    named = [(event.api_name, event.api_visibility) for event in blocks.fns.values()]
    return Events(
        endpoints=tuple(name for name, seen in named if isinstance(name, str) and seen == "public"),
        names=frozenset(name for name, _ in named if isinstance(name, str)),
        numbers=frozenset(blocks.fns),
    )
