"""Who may ask: a page of ours, or a program; never the page of somebody else.

A web page from elsewhere can send requests to this machine through its visitor's browser. Two
things give it away. It names itself in `Origin` (or the browser says `Sec-Fetch-Site`); then the
request is not same-origin. Or it has had its own name point to this machine (DNS rebinding); then
`Host` is a name that is not ours. An address in figures is nobody's name and cannot be rebound.
https://fetch.spec.whatwg.org/#origin-header, https://w3c.github.io/webappsec-fetch-metadata/
"""

import re
import socket
from dataclasses import dataclass
from ipaddress import ip_address

from tlapp.errors import ServerError
from tlapp.messages import NOTHING, Message
from tlapp.ui.door.asgi import App, Receive, Scope, Send, header, refuse
from tlapp.ui.text import door as words

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?", re.ASCII | re.IGNORECASE)
_ORIGIN = re.compile(r"https?://([^/]+)", re.IGNORECASE)
_USUAL_PORTS = ("", "80", "443")  # left out of addresses, or not
_EVERYWHERE = ("0.0.0.0", "::", "")
_SAFE_METHODS = ("GET", "HEAD")


@dataclass(frozen=True)
class Authority:
    """A name or an address in figures, and a port; "" is the usual port."""

    name: str
    port: str


def read_authority(text: str) -> Authority | None:
    """What stands in a `Host` header; None: nothing that makes sense."""
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        return None
    name = match[1].strip("[]").rstrip(".").lower()
    port = match[2] or ""
    return Authority(name, "" if port in _USUAL_PORTS else port)


@dataclass(frozen=True)
class KnownHosts:
    """The names under which this server may be asked for."""

    names: frozenset[str]
    public_names: frozenset[str]  # of these, the ones under which a proxy may show the page
    listens_everywhere: bool  # bound to all addresses: every address in figures may be ours

    def knows(self, host: Authority | None) -> bool:
        """Whether this is a name of ours."""
        if host is None:
            return False
        if host.name in self.names:
            return True
        try:
            address = ip_address(host.name)
        except ValueError:
            return False
        return address.is_loopback or self.listens_everywhere


def known_hosts(bound: str, allowed: tuple[str, ...]) -> KnownHosts:
    """This machine's own names, the address that the server is bound to, and those `allowed`.

    Raises ServerError for an allowed one that is no name: it would never match.
    """
    public = frozenset(_name_alone(given) for given in allowed)
    names = {"localhost", bound.strip("[]").lower(), *public}
    listens_everywhere = bound in _EVERYWHERE
    if listens_everywhere:
        machine = socket.gethostname().lower()
        names |= {machine, f"{machine.split('.')[0]}.local"}
    return KnownHosts(frozenset(names - {""}), public, listens_everywhere)


def _name_alone(given: str) -> str:
    host = read_authority(given)
    if host is None or host.port or ":" in given:
        raise ServerError(words.no_host_name(given), hint=words.ALLOW_A_NAME)
    return host.name


class HostCheck:
    """Answers 403 to whoever is neither same-origin nor a program."""

    def __init__(self, app: App, hosts: KnownHosts) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            refusal = self.refusal(scope)
            if refusal:
                await refuse(send, 403, refusal)
            else:
                await self.app(scope, receive, send)
        else:  # nothing here speaks over web sockets
            await send({"type": "websocket.close"})

    def refusal(self, scope: Scope) -> Message:
        """Why this request is not answered; NOTHING: it is."""
        asked = [header(scope, name) for name in (b"host", b"x-forwarded-host")]
        here = [read_authority(each.split(",")[0].strip()) for each in asked if each]
        if not asked[0] or not all(self.hosts.knows(host) for host in here):
            return words.unknown_host(asked[0])
        origin = header(scope, b"origin")
        if origin:
            return NOTHING if self._is_own(origin, here) else words.foreign_origin(origin)
        site = header(scope, b"sec-fetch-site")
        opens_page = header(scope, b"sec-fetch-mode") == "navigate"
        if site in ("", "same-origin", "none") or (opens_page and scope["method"] in _SAFE_METHODS):
            return NOTHING
        return words.foreign_origin(site)

    def _is_own(self, origin: str, here: list[Authority | None]) -> bool:
        """Whether a page of this origin is one that this server has sent.

        A proxy may call us by another name than its visitors call it; theirs is then an allowed one.
        """
        match = _ORIGIN.fullmatch(origin)
        page = read_authority(match[1]) if match else None
        if page is None:
            return False
        return page in here or (page.name in self.hosts.public_names and not page.port)
