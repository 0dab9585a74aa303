"""What leaves this machine: seen by Python's own audit, written down and refused.

Loaded by `sitecustomize` in every process that tests start, and by `tests/conftest.py` in the
tests' own; so it needs nothing but the standard library.
"""

import os
import sys
from pathlib import Path

OUTSIDE_LOG = "TLAPP_TEST_OUTSIDE_LOG"  # the environment variable that names the file
LOOPBACK = ("127.", "localhost", "::1", "0.0.0.0")
ADDRESS_EVENTS = ("socket.connect", "socket.sendto", "socket.sendmsg")
NAME_EVENTS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")


def outside_host(event: str, arguments: tuple[object, ...]) -> str:
    """The other machine that an audited event is about; empty when there is none."""
    if event in ADDRESS_EVENTS:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a string: a local socket file
    elif event in NAME_EVENTS:
        host = arguments[0]
    else:
        return ""
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    is_outside = isinstance(host, str) and host and not host.startswith(LOOPBACK)
    return str(host) if is_outside else ""


def _refuse_outside_calls(event: str, arguments: tuple[object, ...]) -> None:
    host = outside_host(event, arguments)
    if not host:
        return
    with Path(os.environ[OUTSIDE_LOG]).open("a", encoding="utf-8") as log:
        log.write(f"{event} {host}\n")
    if event in NAME_EVENTS:
        import socket

        raise socket.gaierror(socket.EAI_AGAIN, f"tests look up no other machine: {host}")
    raise ConnectionRefusedError(f"tests reach no other machine: {host}")


def start_guard() -> None:
    """From now on this process reaches this machine alone. That cannot be taken back."""
    sys.addaudithook(_refuse_outside_calls)
