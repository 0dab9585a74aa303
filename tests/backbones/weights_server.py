"""A web server on the loopback that serves one file, as well or as badly as a test wants."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.patience import PATIENCE_SECONDS


@dataclass
class WeightsServer:
    """What is served, and what was asked."""

    content: bytes
    url: str = ""
    cut_at: list[int] = field(default_factory=list)  # the next answers break off at these bytes
    statuses: list[int] = field(default_factory=list)  # the next answers are these errors
    honours_range: bool = True
    requests: list[str] = field(default_factory=list)  # the Range header of each, or ""
    hold: threading.Event | None = None  # the second half waits for it

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range", "")
        self.requests.append(asked)
        if self.statuses:
            handler.send_error(self.statuses.pop(0))
            return
        match = re.fullmatch(r"bytes=(\d+)-", asked) if self.honours_range else None
        first = int(match.group(1)) if match else 0
        if first >= len(self.content) > 0 and match:
            handler.send_error(416)
            return
        handler.send_response(206 if match else 200)
        handler.send_header("Content-Length", str(len(self.content) - first))
        handler.end_headers()
        end = self.cut_at.pop(0) if self.cut_at else len(self.content)
        middle = max(first, min(end, len(self.content) // 2))
        handler.wfile.write(self.content[first:middle])
        handler.wfile.flush()
        if self.hold is not None:
            self.hold.wait(PATIENCE_SECONDS)
        handler.wfile.write(self.content[middle:end])


@contextmanager
def serving(content: bytes) -> Iterator[WeightsServer]:
    """A running server; `url` is what stands before the file's name."""
    served = WeightsServer(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # http.server's name
            served.answer(self)

        def log_message(self, *args: Any) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
