"""The language of each request: found here, so that all behind it can speak it.

A page whose address names a language leaves the choice in a cookie, and says in its first tag which
language it is in.
"""

from collections.abc import Mapping
from urllib.parse import parse_qs

from tlapp.messages import languages
from tlapp.ui.door.asgi import App, AsgiMessage, Receive, Scope, Send, all_headers
from tlapp.ui.languages import ASKED_IN, CHOICE, COOKIE, language_for, tag_of

_KEPT_SECONDS = 365 * 24 * 3600
_PAGE_BEGINS = b'lang="en"'  # in the first tag of Gradio's page
_HEAD = b"<head>"
_SEARCHED_BYTES = 1_000
# Gradio puts the browser's language there, whatever language the page is in.
_KEEP_LANGUAGE = b"""
<script>(() => {
  const root = document.documentElement, language = root.lang;
  const keep = () => { if (root.lang !== language) root.lang = language; };
  new MutationObserver(keep).observe(root, { attributeFilter: ["lang"] });
})();</script>"""


class LanguageTaker:
    """Finds the language of a request, and keeps what the address of a page chooses."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        query = _query(scope)
        headers = {
            name: all_headers(scope, name.encode()) for name in ("cookie", "accept-language")
        }
        before = ASKED_IN.set(language_for(query, headers))
        try:
            await self.app(scope, receive, _with_choice(scope, query, send))
        finally:
            ASKED_IN.reset(before)


class PageLanguage:
    """Has the page say which language it is in. Stands where the page is not yet compressed."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_page(scope):
            await self.app(scope, receive, send)
            return
        started: list[AsgiMessage] = []

        async def send_marked(message: AsgiMessage) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
                return
            if started:
                body = _marked(message.get("body", b""), tag_of(ASKED_IN.get()))
                await send(_lengthened(started.pop(), len(body) - len(message.get("body", b""))))
                message = {**message, "body": body}
            await send(message)

        await self.app(scope, receive, send_marked)


def _with_choice(scope: Scope, query: Mapping[str, str], send: Send) -> Send:
    """`send`, which has a page leave the language that its address names in a cookie."""
    choice = query.get(CHOICE, "")
    if not (_is_page(scope) and choice in languages()):
        return send
    cookie = f"{COOKIE}={choice}; Path=/; SameSite=Lax; Max-Age={_KEPT_SECONDS}".encode()

    async def send_with_choice(message: AsgiMessage) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (b"set-cookie", cookie)]
            message = {**message, "headers": headers}
        await send(message)

    return send_with_choice


def _is_page(scope: Scope) -> bool:
    return scope["method"] in ("GET", "HEAD") and scope["path"].endswith("/")


def _query(scope: Scope) -> Mapping[str, str]:
    """The values of the address, the first of each name."""
    try:
        query = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=50)
    except ValueError:  # more fields than that
        return {}
    return {name: values[0] for name, values in query.items()}


def _marked(body: bytes, tag: str) -> bytes:
    """The page in which the first tag names the language."""
    begin = body[:_SEARCHED_BYTES].replace(_PAGE_BEGINS, f'lang="{tag}"'.encode(), 1)
    begin = begin.replace(_HEAD, _HEAD + _KEEP_LANGUAGE, 1)
    return begin + body[_SEARCHED_BYTES:]


def _lengthened(start: AsgiMessage, by: int) -> AsgiMessage:
    """The start of an answer whose body is so many bytes longer than it says."""
    headers = [
        (name, str(int(value) + by).encode() if name == b"content-length" else value)
        for name, value in start["headers"]
    ]
    return {**start, "headers": headers}
