"""The janitor: removes what idle visitors and crashes leave behind, and measures the disk.

It trusts no wall clock: somebody is idle, and a file orphaned, when this process has seen nothing
of them for long enough by its own steady clock. So after a restart everything gets its full time.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from tlapp.files import TEMPORARY_MARK
from tlapp.jobs.guard import failure_of
from tlapp.settings import MINUTE
from tlapp.workspace.household import Household

Pause = Callable[[float], bool]

SWEEP_SECONDS = 5.0 * MINUTE
ORPHAN_SECONDS = 30.0 * MINUTE


class Janitor:
    """Sweeps now and then in a thread of its own, once started."""

    def __init__(
        self,
        home: Path,
        household: Household,
        idle_seconds: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home = home
        self._household = household
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._seen: dict[str, float] = {}
        self._unfinished: dict[Path, tuple[tuple[int, int], float]] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def touch(self, owner: str) -> None:
        """This visitor is here."""
        if self._idle_seconds is not None:
            with self._lock:
                self._seen[owner] = self._clock()

    def start(self, first: Callable[[Pause], None]) -> None:
        """Start the thread: `first(pause)`, then a sweep every few minutes.

        `pause(seconds)` waits so long, or until the thread is to end; then it is true.
        """

        def work() -> None:
            failure_of(lambda: first(self._ended.wait))
            while not self._ended.is_set():
                failure_of(self.sweep)
                self._ended.wait(SWEEP_SECONDS)

        self._thread = threading.Thread(target=work, name="janitor", daemon=True)
        self._thread.start()

    def ask_to_end(self) -> None:
        """Let the thread end when it next looks."""
        self._ended.set()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """End the thread, which may take so long."""
        self.ask_to_end()
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def sweep(self) -> int:
        """One round; the bytes that the home folder then holds.

        What breaks costs its own step, and of the visitors its own one.
        """
        failure_of(self._remove_idle_visitors)
        failure_of(self._remove_orphans)
        used_bytes = _measure(self._home)[1]
        self._household.datasets.used_bytes = used_bytes
        return used_bytes

    def _remove_idle_visitors(self) -> None:
        if self._idle_seconds is None:
            return
        for owner in self._household.owners():
            failure_of(partial(self._remove_if_idle, owner, self._idle_seconds))
        self._forget_passers_by(self._idle_seconds)

    def _remove_if_idle(self, owner: str, idle_seconds: float) -> None:
        if self._household.is_busy(owner):
            self.touch(owner)
            return
        with self._lock:
            seen = self._seen.setdefault(owner, self._clock())
            is_idle = self._clock() - seen > idle_seconds
            if is_idle:
                del self._seen[owner]
        if is_idle:
            self._household.remove(owner)

    def _forget_passers_by(self, idle_seconds: float) -> None:
        """Visitors who came and left nothing here: they are in nobody's book."""
        with self._lock:
            now = self._clock()
            self._seen = {
                owner: seen for owner, seen in self._seen.items() if now - seen <= idle_seconds
            }

    def _remove_orphans(self) -> None:
        """Unfinished files that have not changed since the sweep half an hour ago."""
        found = {path: _measure(path) for path in _unfinished_paths(self._home)}
        remembered = self._unfinished
        self._unfinished = {}
        for path, content in found.items():
            before, since = remembered.get(path, (content, self._clock()))
            since = since if before == content else self._clock()
            if self._clock() - since > ORPHAN_SECONDS:
                _remove(path)
            else:
                self._unfinished[path] = (content, since)


def _unfinished_paths(home: Path) -> tuple[Path, ...]:
    """Every file or folder that carries the mark, two folders deep and within runs."""
    patterns = (f"*/{TEMPORARY_MARK}*", f"*/*/{TEMPORARY_MARK}*", f"*/*/*/{TEMPORARY_MARK}*")
    return tuple(path for pattern in patterns for path in home.glob(pattern))


def _measure(path: Path) -> tuple[int, int]:
    """Number of files and their bytes, under a folder or of one file."""
    if path.is_file():
        try:
            return 1, path.stat().st_size
        except OSError:
            return 0, 0  # removed while we look
    count = total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.stat(os.path.join(folder, name)).st_size  # noqa: PTH116, PTH118  # a Path for each of 100,000 pictures costs seconds
                count += 1
            except OSError:
                continue  # removed while we look, or a link in a circle
    return count, total


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):  # the next round tries again
            path.unlink(missing_ok=True)
