"""A visitor who only looks, while somebody attacks; and what the server takes meanwhile."""

import os
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import psutil

from tests.patience import PATIENCE_SECONDS
from tests.server import LOCAL_HTTP, AppServer

MEGABYTE = 1_000_000
ENOUGH_LOOKS = 5


@dataclass
class Canary:
    """What one visitor saw."""

    seconds: list[float] = field(default_factory=list)  # of each look
    failures: list[str] = field(default_factory=list)

    @property
    def p95_seconds(self) -> float:
        """19 of 20 looks took less."""
        return statistics.quantiles(self.seconds, n=20)[-1]

    def look_on(self) -> None:
        """Wait until it has looked a few times more: whatever goes on does not hold it up."""
        enough = len(self.seconds) + ENOUGH_LOOKS
        while len(self.seconds) < enough and not self.failures:
            time.sleep(0.01)

    def check(self) -> None:
        """Every look was answered."""
        assert not self.failures, self.failures[:3]
        assert len(self.seconds) >= ENOUGH_LOOKS, "the canary has seen too little"


@contextmanager
def canary_of(server: AppServer) -> Iterator[Canary]:
    """A visitor who asks an endpoint and the page again and again, until the block is left."""
    canary = Canary()
    is_over = threading.Event()

    def look(client: httpx.Client) -> None:
        began = time.monotonic()
        for answer in (
            client.get("/config"),
            client.post("/gradio_api/run/run", json={"data": ["nobody"]}),
        ):
            if answer.status_code not in (200, 400, 404):
                canary.failures.append(f"{answer.status_code} {answer.text[:200]}")
        canary.seconds.append(time.monotonic() - began)

    def watch() -> None:
        with httpx.Client(base_url=server.url, **LOCAL_HTTP) as client:
            while not is_over.is_set():
                try:
                    look(client)
                except httpx.HTTPError as error:
                    canary.failures.append(repr(error))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield canary
        if len(canary.seconds) < ENOUGH_LOOKS:
            canary.look_on()
    finally:
        is_over.set()
        thread.join()


@dataclass(frozen=True)
class Footprint:
    """What a server takes at one moment."""

    memory_bytes: int
    threads: int
    open_files: int
    uploads: int  # files and folders of uploads under its home


def footprint_of(server: AppServer) -> Footprint:
    """What the server takes now."""
    process = psutil.Process(server.process.pid)
    with process.oneshot():
        return Footprint(
            memory_bytes=process.memory_info().rss,
            threads=process.num_threads(),
            open_files=process.num_fds() if hasattr(process, "num_fds") else 0,
            uploads=sum(
                name.startswith(".part-")
                for _, folders, files in os.walk(server.home / "uploads")
                for name in folders + files
            ),
        )


@contextmanager
def highest_memory_of(server: AppServer) -> Iterator[list[int]]:
    """One number when the block is left: the most bytes that the server took within it."""
    process = psutil.Process(server.process.pid)
    highest = [process.memory_info().rss]
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(0.01):
            highest[0] = max(highest[0], process.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield highest
    finally:
        is_over.set()
        thread.join()


def wait_until_back(server: AppServer, before: Footprint, *, memory_bytes: int) -> None:
    """Wait until the server takes no more than before, but for so much memory and a few threads
    and files that it keeps for the next visitor. AssertionError after long patience."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        now = footprint_of(server)
        if (
            now.memory_bytes <= before.memory_bytes + memory_bytes
            and now.threads <= before.threads + 40  # the pool of threads that answer requests
            and now.open_files <= before.open_files + 10
            and now.uploads <= before.uploads
        ):
            return
        assert time.monotonic() < deadline, f"{before} has become {now}"
        time.sleep(0.1)
