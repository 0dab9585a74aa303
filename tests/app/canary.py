"""A visitor who only looks, while somebody attacks; and what the server takes meanwhile."""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import psutil

from tests.server import AppServer

MEGABYTE = 1_000_000
BACK_SECONDS = 60.0  # until everything is as it was


@dataclass
class Canary:
    """What one visitor saw."""

    seconds: list[float] = field(default_factory=list)  # of each look
    failures: list[str] = field(default_factory=list)

    @property
    def p95_seconds(self) -> float:
        """19 of 20 looks took less."""
        return statistics.quantiles(self.seconds, n=20)[-1]

    def check(self, most_seconds: float) -> None:
        """Every look was answered, and nearly all in so much time."""
        assert not self.failures, self.failures[:3]
        assert len(self.seconds) >= 3, "the canary has seen too little"
        assert self.p95_seconds < most_seconds, sorted(self.seconds)[-5:]


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
        with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
            while not is_over.is_set():
                try:
                    look(client)
                except httpx.HTTPError as error:
                    canary.failures.append(repr(error))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield canary
        while len(canary.seconds) < 5 and not canary.failures:
            time.sleep(0.01)  # a quick attack: the canary looks on until it has seen enough
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
            uploads=sum(1 for _ in (server.home / "uploads").rglob(".part-*")),
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
    and files that it keeps for the next visitor. AssertionError after a minute."""
    deadline = time.monotonic() + BACK_SECONDS
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
