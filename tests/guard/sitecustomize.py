"""Python loads this at start-up of the servers under test, which have this folder in PYTHONPATH.

It writes down every connection and name look-up that leaves this machine.
"""

import os
import sys
from pathlib import Path

LOOPBACK = ("127.", "localhost", "::1", "0.0.0.0")


def _write_down_outside_calls(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a string: a local socket file
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    if isinstance(host, str) and host and not host.startswith(LOOPBACK):
        with Path(os.environ["TLAPP_TEST_OUTSIDE_LOG"]).open("a", encoding="utf-8") as log:
            log.write(f"{event} {host}\n")


if "TLAPP_TEST_OUTSIDE_LOG" in os.environ:
    sys.addaudithook(_write_down_outside_calls)
