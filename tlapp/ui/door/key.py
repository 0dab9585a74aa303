"""The key of one's own machine: only the page that the printed address opens may name its folders.

The printed address holds a secret that is kept in the home. Opening it leaves the secret in a
cookie that scripts cannot read and other sites cannot have sent, and takes it out of the address.
"""

import hmac
import logging
import re
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from tlapp.files import temporary_path
from tlapp.stored import DamagedFileError, read_content
from tlapp.ui.door.asgi import App, Receive, Scope, Send

logger = logging.getLogger(__name__)

COOKIE = "tlapp-key"
PARAMETER = "key"
KEY_BYTES = 24  # 32 characters
KEY_NAME = "key"
_KEY = re.compile(rb"[\w-]{32}", re.ASCII)
_MOST_BYTES = 1_000
_KEPT_SECONDS = 365 * 24 * 3600


def kept_key(home: Path) -> str:
    """The home's key; made when there is none, or none that can be read.

    One that cannot be kept is this process's: the next start prints another address.
    """
    path = home / KEY_NAME
    try:
        kept = read_content(path, _MOST_BYTES)
    except (OSError, DamagedFileError):
        kept = b""
    if _KEY.fullmatch(kept):
        return kept.decode("ascii")
    key = secrets.token_urlsafe(KEY_BYTES)
    unfinished = temporary_path(path)
    try:
        unfinished.touch(mode=0o600)
        unfinished.write_text(key, "ascii")
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        logger.warning("The key cannot be kept (%s): it is made anew.", type(error).__name__)
    return key


def address_with_key(url: str, key: str) -> str:
    """The address to print."""
    return f"{url.rstrip('/')}/?{urlencode({PARAMETER: key})}"


def has_key(cookies: str, key: str) -> bool:
    """Whether these cookies (a request's header) hold the key."""
    try:
        held = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return False
    return held is not None and hmac.compare_digest(held.value.encode(), key.encode())


class KeyTaker:
    """Turns the key in an address into a cookie."""

    def __init__(self, app: App, key: str, *, root_path: str = "") -> None:
        self.app = app
        self._key = key
        self._home = f"{root_path.rstrip('/')}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = _given_key(scope) if scope["type"] == "http" else ""
        if not given:
            await self.app(scope, receive, send)
            return
        headers = [(b"location", self._home.encode()), (b"content-length", b"0")]
        if hmac.compare_digest(given.encode(), self._key.encode()):
            cookie = f"{COOKIE}={self._key}; Path=/; HttpOnly; SameSite=Strict"
            headers.append((b"set-cookie", f"{cookie}; Max-Age={_KEPT_SECONDS}".encode()))
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _given_key(scope: Scope) -> str:
    """The key in the address of a page; "" if there is none."""
    if scope["method"] != "GET" or not scope["path"].endswith("/"):
        return ""
    try:
        query = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=50)
    except ValueError:  # more fields than that
        return ""
    return query.get(PARAMETER, [""])[0]
