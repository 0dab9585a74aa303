"""What was used last, in memory: bounded by number and by weight, never older than the disk.

Values are shared by everybody who asks, so they must be frozen. What is kept of a file is kept with
the file's signature, taken *before* the file was read: a file that changed meanwhile has another
signature, and the next look misses. Whoever writes a file takes its signature *after* that, and
keeps what was written if the signature is that of the written file (`is_numbered`).
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Signature = tuple[tuple[int, ...] | None, ...]


class Recent(Generic[Key, Value]):
    """The values used last; the longest unused ones make room. Safe for several threads."""

    def __init__(
        self,
        most: int,
        *,
        most_weight: int | None = None,
        weigh: Callable[[Value], int] | None = None,
    ) -> None:
        """Keeps `most` values at most, and together no more than `most_weight`.

        `weigh(value)` is a value's weight in the unit of `most_weight` (bytes, pictures); without
        it only the number counts.
        """
        self._most = most
        self._most_weight = most_weight
        self._weigh = weigh
        self._kept: OrderedDict[Key, tuple[Value, Signature, int]] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def weight(self) -> int:
        """What all values weigh together."""
        return self._weight

    def get(self, key: Key, signature: Signature = ()) -> Value | None:
        """The value of this key, which counts as used; None when there is none, or when it was kept
        with another signature: it is then forgotten."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            if found[1] != signature:
                self._drop(key)
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: Key, value: Value, signature: Signature = ()) -> None:
        """Keep this value in place of an earlier one. One that weighs more than all may is not
        kept, and no other makes room for it."""
        weight = 0 if self._weigh is None else self._weigh(value)
        with self._lock:
            self._drop(key)
            if self._most_weight is not None and weight > self._most_weight:
                return
            self._kept[key] = value, signature, weight
            self._weight += weight
            while self._is_over():
                self._drop(next(iter(self._kept)))

    def put_written(self, key: Key, value: Value, path: Path, number: int) -> None:
        """Keep what was written to the file at `path`, as long as it is the one with this number
        on disk (`files.write_atomically`)."""
        signature = signature_of(path)
        if is_numbered(signature, number):
            self.put(key, value, signature)

    def forget(self, key: Key) -> None:
        """Keep nothing of this key. Harmless when nothing is kept."""
        with self._lock:
            self._drop(key)

    def _is_over(self) -> bool:
        is_heavy = self._most_weight is not None and self._weight > self._most_weight
        return is_heavy or len(self._kept) > self._most

    def _drop(self, key: Key) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._weight -= found[2]


def signature_of(*paths: str | Path) -> Signature:
    """What tells one content of these files and folders from another, without reading them: of each
    its times of change, size and number on disk; None where there is nothing.

    A folder's changes when a name in it comes or goes.
    """
    return tuple(map(_signature, paths))


def is_numbered(signature: Signature, number: int) -> bool:
    """Whether the first of the files has this number on disk: it is the one that was written, and
    nobody has put another in its place."""
    first = signature[0]
    return first is not None and first[-1] == number


def _signature(path: str | Path) -> tuple[int, ...] | None:
    try:
        status = os.stat(path)  # noqa: PTH116  # texts are quicker than Paths, and there are 1,500
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
