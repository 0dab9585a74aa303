"""Which of Gradio's routes this app uses; the others are not there for anybody.

Gradio has routes that fetch addresses, record screens, edit code and show monitoring. Each would be
one more way in. A route's kind says what its body may be.
"""

import re
from dataclasses import dataclass
from typing import Literal

from tlapp.settings import MEGABYTE
from tlapp.ui.door.asgi import App, Receive, Scope, Send, header, refuse
from tlapp.ui.text import door as words

API = "/gradio_api"
ASK_BYTES = 1 * MEGABYTE  # of a JSON body: the values of one event
NO_BODY_BYTES = 16_000  # of a request that needs no body

Kind = Literal["read", "upload", "ask", "small"]


@dataclass(frozen=True)
class Route:
    """One route, by its whole path."""

    methods: tuple[str, ...]
    path: re.Pattern[str]
    kind: Kind


def _route(methods: str, path: str, kind: Kind) -> Route:
    return Route(tuple(methods.split()), re.compile(path), kind)


ROUTES = (
    _route("GET HEAD", r"/", "read"),
    _route("GET", r"/config/?", "read"),
    _route("GET HEAD", r"/(static|assets|svelte)/.+", "read"),
    _route("GET", r"/(favicon\.ico|robots\.txt|theme\.css|manifest\.json|pwa_icon(/\d+)?)", "read"),
    _route("GET", r"/curves/[^/]+", "read"),
    _route("GET", API + r"/(info|openapi\.json|app_id|startup-events|theme\.css)/?", "read"),
    _route("GET", API + r"/(user|login_check|token|queue/status)/?", "read"),
    _route("GET", API + r"/heartbeat/[^/]+", "read"),
    _route("GET", API + r"/queue/data", "read"),
    _route("GET", API + r"/call/[^/]+/[^/]+", "read"),
    _route("GET HEAD", API + r"/file=.+", "read"),
    _route("POST", API + r"/upload", "upload"),
    _route("POST", API + r"/queue/join", "ask"),
    _route("POST", API + r"/(run|api|call)/[^/]+/?", "ask"),
    _route("POST", API + r"/(cancel|reset)/?", "small"),
)
_ADDRESS = re.compile(r"/*[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def find_route(method: str, path: str) -> Route | None:
    """The route that answers; None: there is none."""
    return next(
        (each for each in ROUTES if method in each.methods and each.path.fullmatch(path)), None
    )


def route_kind(scope: Scope) -> Kind:
    """What `RouteCheck` found of this request, for the parts behind it."""
    kind: Kind = scope["tlapp.kind"]
    return kind


class RouteCheck:
    """Lets through what has a route, and tells the parts behind it which kind it is."""

    def __init__(self, app: App, *, root_path: str = "") -> None:
        """`root_path`: what a proxy may leave before the path; "" is nothing."""
        self.app = app
        self.root_path = root_path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(self.root_path) or "/"
        route = find_route(scope["method"], path)
        if route is None:
            await refuse(send, 404, words.NOT_HERE)
        elif _names_an_address(path):
            await refuse(send, 403, words.NO_ADDRESSES)
        elif route.kind == "upload" and not _is_form(scope):
            await refuse(send, 400, words.NO_FORM)
        else:
            await self.app({**scope, "tlapp.kind": route.kind}, receive, send)


def _names_an_address(path: str) -> bool:
    """Whether Gradio would look this file up elsewhere."""
    _, is_file, name = path.partition("/file=")
    return bool(is_file and _ADDRESS.match(name)) and not re.match(r"/*[a-z]:[\\/]", name, re.I)


def _is_form(scope: Scope) -> bool:
    return header(scope, b"content-type").lower().startswith("multipart/form-data")
