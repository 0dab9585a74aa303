"""Features kept on disk, so that a picture passes a backbone once.

A few large safetensors files, each with the features of many pictures under one key (weights,
preprocessing, view). A file is complete or absent: it is written aside, then renamed. Its
modification time says when it was last used; when the budget is exceeded the oldest go first.
Nothing is held in memory but which files were found sound, so several processes may share a folder.
"""

import contextlib
import hashlib
import math
import os
import secrets
import threading
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import Tensor

# Legend: N pictures, D feature width.

_VERSION = "1"
_MERGE_BYTES = 1_000_000  # a smaller file is merged with what comes next, which costs memory
_KEY_DIGITS = 32
_ABANDONED_NS = 3600 * 10**9  # nobody writes one file for an hour
_Floats = NDArray[np.float32 | np.float16]
_Bytes = NDArray[np.uint8]
_Rows = tuple[list[str], _Floats]  # image ids, and a row of features for each
_SUFFIX = ".safetensors"
_DAMAGE = (SafetensorError, ValueError, KeyError)  # what a crash or a disk did to a file


class FeatureCache:
    """Thread-safe store of features under (key, image id), within a size budget."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        """Nothing is created or read before the first use."""
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._sound: set[str] = set()  # names of files whose checksum was right

    def get(
        self,
        key: str,
        image_ids: Sequence[str],
        width: int,
        dtype: torch.dtype = torch.float32,
    ) -> tuple[Tensor, list[bool]]:
        """(features_ND, is_found): the rows that are here, zeros elsewhere; D = `width`.

        `dtype` is float32 or float16, as it was when they were put.
        """
        features_ND = torch.zeros(len(image_ids), width, dtype=dtype)
        wanted: dict[str, int] = {}  # the first row of each picture; there may be many pictures
        again: list[tuple[int, int]] = []  # a later row of the same picture, and the first
        for row, image_id in enumerate(image_ids):
            first = wanted.setdefault(image_id, row)
            if first != row:
                again.append((row, first))
        is_found = [False] * len(image_ids)
        with self._lock:
            for path in self._files(key):
                if not wanted:
                    break
                read = self._read(path, features_ND.numpy())
                if read is not None:
                    _take(read, wanted, features_ND.numpy(), is_found)
        for row, first in again:
            features_ND[row], is_found[row] = features_ND[first], is_found[first]
        return features_ND, is_found

    def is_kept(self, key: str, image_ids: Sequence[str]) -> list[bool]:
        """Which pictures are here, without reading their features."""
        kept: set[str] = set()
        with self._lock:
            for path in self._files(key):
                with (
                    contextlib.suppress(OSError, *_DAMAGE),
                    safe_open(path, framework="np") as file,
                ):
                    kept.update(_decode_ids(file.get_tensor("ids")))
        return [image_id in kept for image_id in image_ids]

    def put(self, key: str, image_ids: Sequence[str], features_ND: Tensor) -> None:
        """Keep these rows, making room for them. A full disk loses them and nothing else."""
        if not image_ids:
            return
        ids, rows_ND = list(image_ids), features_ND.detach().cpu().numpy()
        with self._lock:
            merged: list[Path] = []
            for path in self._files(key, below_bytes=_MERGE_BYTES):
                read = self._read(path, rows_ND)
                if read is not None:
                    ids, rows_ND = _merge(read, (ids, rows_ND))
                    merged.append(path)
            if self._write(key, ids, rows_ND):
                for path in merged:
                    _remove(path)
            self._make_room()

    def bytes_used(self) -> int:
        """What the cache takes on disk."""
        return sum(size for _, size, _ in self._usage())

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            for _, _, path in self._usage():
                _remove(path)

    def _files(self, key: str, below_bytes: float = math.inf) -> list[Path]:
        """The files of one key that are smaller than that, the least recently used first."""
        prefix = _digest(key)
        return [
            path
            for _, size, path in self._usage()
            if path.suffix == _SUFFIX and path.name.startswith(prefix) and size < below_bytes
        ]

    def _usage(self) -> list[tuple[int, int, Path]]:
        """(last use, bytes, file) of every file, the least recently used first."""
        usage: list[tuple[int, int, Path]] = []
        try:
            entries = list(os.scandir(self._folder))
        except OSError:
            return []
        for entry in entries:
            if entry.name.endswith((_SUFFIX, ".part")):
                try:
                    status = entry.stat()
                except OSError:
                    continue
                usage.append((status.st_mtime_ns, status.st_size, Path(entry.path)))
        return sorted(usage)

    def _read(self, path: Path, like_ND: _Floats) -> _Rows | None:
        """(image ids, features_ND) of one file, if its rows are of this kind.

        A damaged one is removed and gives None.
        """
        try:
            with safe_open(path, framework="np") as file:
                about = file.metadata()
                rows_ND, ids = file.get_tensor("features_ND"), file.get_tensor("ids")
            if path.name not in self._sound:
                _check_sound(about, ids, rows_ND)
                self._sound.add(path.name)
            if rows_ND.shape[1] != like_ND.shape[1] or rows_ND.dtype != like_ND.dtype:
                return None
            os.utime(path)
        except OSError:  # another process removed it, or too many files are open
            return None
        except _DAMAGE:
            self._sound.discard(path.name)
            _remove(path)
            return None
        return _decode_ids(ids), rows_ND

    def _write(self, key: str, ids: list[str], rows_ND: _Floats) -> bool:
        """Whether the file is on disk."""
        rows_ND = np.ascontiguousarray(rows_ND)
        text = np.frombuffer("\n".join(ids).encode(), np.uint8)
        about = {"version": _VERSION, "key": key, "checksum": _checksum(text, rows_ND)}
        name = f"{_digest(key)}-{secrets.token_hex(8)}{_SUFFIX}"
        part = self._folder / f"{name}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            save_file({"ids": text, "features_ND": rows_ND}, part, metadata=about)
            part.replace(self._folder / name)
        except (OSError, SafetensorError):
            _remove(part)
            return False
        self._sound.add(name)
        return True

    def _make_room(self) -> None:
        """Remove the least recently used files, and what a crash left, until the budget holds."""
        usage = self._usage()
        used = sum(size for _, size, _ in usage)
        for last_use_ns, size, path in usage:
            is_abandoned = path.suffix != _SUFFIX and last_use_ns < time.time_ns() - _ABANDONED_NS
            if used > self._max_bytes or is_abandoned:
                _remove(path)
                used -= size


def _take(
    read: _Rows,
    wanted: dict[str, int],
    features_ND: _Floats,
    is_found: list[bool],
) -> None:
    """Copy the wanted rows of one file, and strike them from the wanted ones."""
    sources: list[int] = []
    targets: list[int] = []
    for source, image_id in enumerate(read[0]):
        target = wanted.pop(image_id, None)
        if target is not None:
            sources.append(source)
            targets.append(target)
            is_found[target] = True
    if targets:
        features_ND[targets] = read[1][sources]


def _merge(older: _Rows, newer: _Rows) -> _Rows:
    """Both, each picture once."""
    known = set(newer[0])
    kept = [row for row, image_id in enumerate(older[0]) if image_id not in known]
    ids = [older[0][row] for row in kept] + newer[0]
    return ids, np.concatenate([older[1][kept], newer[1]])


def _remove(path: Path) -> None:
    """If it is there and can be: another process may have it open or have removed it."""
    with contextlib.suppress(OSError):
        path.unlink()


def _decode_ids(ids: _Bytes) -> list[str]:
    return ids.tobytes().decode().split("\n")


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:_KEY_DIGITS]


def _checksum(ids: _Bytes, rows_ND: _Floats) -> str:
    return str(zlib.crc32(rows_ND.data, zlib.crc32(ids.data)))


def _check_sound(about: dict[str, str], ids: _Bytes, rows_ND: _Floats) -> None:
    if about["version"] != _VERSION or about["checksum"] != _checksum(ids, rows_ND):
        raise ValueError("damaged")
