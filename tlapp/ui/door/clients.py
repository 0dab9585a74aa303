"""Where a request comes from: the address by which shares are counted.

A Space stands behind a proxy that puts its visitors' addresses into `X-Forwarded-For`; elsewhere
that header is anybody's claim (a proxy on the same machine is already believed by the server).
Somebody with one IPv6 network has 2^64 addresses, which count as one.
https://www.rfc-editor.org/rfc/rfc6177
"""

from ipaddress import IPv6Address, ip_address, ip_network

from tlapp.ui.door.asgi import App, Receive, Scope, Send, all_headers

_NETWORK_BITS = 64  # of an IPv6 address: what one customer has


class ClientAddress:
    """Puts the client's address into the scope."""

    def __init__(self, app: App, *, is_behind_proxy: bool) -> None:
        self.app = app
        self._is_behind_proxy = is_behind_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            peer = (scope.get("client") or ("",))[0]
            said = all_headers(scope, b"x-forwarded-for") if self._is_behind_proxy else ""
            scope = {**scope, "tlapp.client": client_address(peer, said)}
        await self.app(scope, receive, send)


def client_address(peer: str, forwarded_for: str = "") -> str:
    """The nearest address from outside: whoever is further away may have been made up.

    `peer` is the other end of the connection, `forwarded_for` what a proxy says of where it got
    the request from, the nearest last; "" when there is none.
    """
    for said in (*reversed(forwarded_for.split(",")), peer):
        try:
            address = ip_address(said.strip())
        except ValueError:
            continue
        if address.is_global:
            return _shared_by(said.strip())
    return _shared_by(peer)


def _shared_by(text: str) -> str:
    """The address, or the network of one customer."""
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(ip_network((address, _NETWORK_BITS), strict=False))
    return str(address)
