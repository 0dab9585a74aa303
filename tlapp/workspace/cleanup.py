"""The home folder: made at the start, kept clean, and where uploads wait in it.

The janitor trusts no wall clock: somebody is idle, and a file orphaned, when this process has seen
nothing of them for long enough by its own steady clock. So after a restart everything gets its full
time.
"""

import glob
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tlapp.errors import ServerError, reason_of
from tlapp.files import TEMPORARY_MARK, temporary_path
from tlapp.jobs.guard import failure_of
from tlapp.messages import message
from tlapp.runs.keeper import Keeper, is_kept
from tlapp.settings import MINUTE
from tlapp.workspace.experiments import Experiments
from tlapp.workspace.library import Library
from tlapp.workspace.trainings import Trainings
from tlapp.workspace.visitors import Visitors

Pause = Callable[[float], bool]

# Without these nothing can be kept; what else cannot be used is told where it is missed.
NEEDED_FOLDERS = ("", "runs", "runs/.locks")
OTHER_FOLDERS = ("datasets", "visitors", "tried", "features", "weights")
LOCKS_NAME = ".locks"
SWEEP_SECONDS = 5.0 * MINUTE
ORPHAN_SECONDS = 30.0 * MINUTE


def open_home(home: Path, needed: Sequence[str] = NEEDED_FOLDERS) -> None:
    """Make the home folder, and those in it that are needed, where there are none.

    Raises ServerError when one cannot be written.
    """
    for name in needed:
        try:
            (home / name).mkdir(parents=True, exist_ok=True)
            probe = temporary_path(home / name / "probe")
            probe.touch()
            probe.unlink()
        except OSError as error:
            reason = reason_of(error)
            raise ServerError(
                message(
                    'The folder "{name}" in tlapp\'s home cannot be used: {reason}.',
                    name=name,
                    reason=reason,
                )
                if name
                else message("tlapp's home folder cannot be used: {reason}.", reason=reason),
                hint=message(
                    "Let tlapp write there, or name another folder in TLAPP_HOME "
                    "(without it, it is .tlapp in your own folder)."
                ),
            ) from error


@dataclass(frozen=True, eq=False)
class VisitorData:
    """What belongs to which visitor."""

    visitors: Visitors
    library: Library
    trainings: Trainings
    experiments: Experiments

    def owners(self) -> tuple[str, ...]:
        """Everybody who has something here."""
        return self.visitors.owners()

    def is_busy(self, owner: str) -> bool:
        """Whether something of theirs waits or runs."""
        return self.trainings.is_busy(owner)

    def remove(self, owner: str) -> None:
        """Remove all that is theirs; the state last, so that a crash in between is made good."""
        self.experiments.forget(owner)
        self.trainings.forget(owner)
        self.library.forget(owner)
        self.visitors.forget(owner)


class Janitor:
    """Sweeps now and then in a thread of its own, once started."""

    def __init__(
        self,
        home: Path,
        data: VisitorData,
        idle_seconds: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home = home
        self._data = data
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
        self._data.library.used_bytes = used_bytes
        return used_bytes

    def _remove_idle_visitors(self) -> None:
        if self._idle_seconds is None:
            return
        for owner in self._data.owners():
            failure_of(partial(self._remove_if_idle, owner, self._idle_seconds))
        self._forget_passers_by(self._idle_seconds)

    def _remove_if_idle(self, owner: str, idle_seconds: float) -> None:
        if self._data.is_busy(owner):
            self.touch(owner)
            return
        with self._lock:
            seen = self._seen.setdefault(owner, self._clock())
            is_idle = self._clock() - seen > idle_seconds
            if is_idle:
                del self._seen[owner]
        if is_idle:
            self._data.remove(owner)

    def _forget_passers_by(self, idle_seconds: float) -> None:
        """Visitors who came and left nothing here."""
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
    found = (  # Path.glob raises when a folder goes while it looks (Python 3.11)
        glob.glob(each, root_dir=home, include_hidden=True)  # noqa: PTH207
        for each in patterns
    )
    return tuple(home / name for names in found for name in names)


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


@dataclass(frozen=True, eq=False)
class UploadFolder:
    """Where uploaded files wait until they are read; `close` removes them.

    Each upload has a folder of its own under a random name, so that what two people send alike is
    two files and nobody can guess another's. It carries the mark of what is unfinished from its
    first byte on: the janitor counts it, and removes it when nobody has taken it for half an hour.
    """

    path: Path
    keeper: Keeper

    def new_folder(self) -> Path:
        """An empty folder for one upload. Raises OSError when the disk refuses."""
        folder = self.path / f"{TEMPORARY_MARK}{secrets.token_urlsafe(16)}"
        folder.mkdir(parents=True)
        return folder

    def held_bytes(self) -> int:
        """What waits here, and what is coming, at this moment: the janitor looks less often."""
        return _measure(self.path)[1]

    def close(self) -> None:
        """Remove what is here; nobody can take it any more."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.keeper.close()


def open_uploads(home: Path) -> UploadFolder:
    """This process's folder, after those of dead processes were removed. Raises ServerError."""
    uploads = home / "uploads"
    locks = uploads / LOCKS_NAME
    open_home(home, ("", "uploads", f"uploads/{LOCKS_NAME}"))
    for left in uploads.iterdir():
        if left.name != LOCKS_NAME and not is_kept(locks, f"{left.name}.lock"):
            shutil.rmtree(left, ignore_errors=True)
    keeper = Keeper(locks)
    path = uploads / keeper.name.removesuffix(".lock")
    path.mkdir()
    return UploadFolder(path, keeper)
