"""Features kept on disk, so that a picture passes a backbone once.

A few large safetensors files, each with the features of many pictures under one key (weights,
preprocessing, view). A file is complete or absent: it is written aside, then renamed. Its
modification time says when it was last used; when the budget is exceeded the oldest go first.
Its checksum is compared at each reading, and nothing is held in memory, so several processes may
share a folder.
"""

import contextlib
import hashlib
import math
import os
import secrets
import stat
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

from tlapp.damages import Damage, Damages, short_id
from tlapp.messages import message

# Legend: N pictures, D feature width.

_VERSION = "2"
_CRC_VERSION = "1"  # an earlier version's files, with another checksum
_BLOCK_BYTES = 4096  # one sum each: a disk loses whole blocks
_MERGE_BYTES = 1_000_000  # a smaller file is merged with what comes next, which costs memory
_KEY_DIGITS = 32
_ABANDONED_NS = 3600 * 10**9  # nobody writes one file for an hour
_Floats = NDArray[np.float32 | np.float16]
_Bytes = NDArray[np.uint8]
_Rows = tuple[list[str], _Floats]  # image ids, and a row of features for each
_SUFFIX = ".safetensors"
# What reading a file raises to which a crash or a disk did something:
_DAMAGE = (SafetensorError, ValueError, KeyError, TypeError, IndexError, OverflowError)


class FeatureCache:
    """Thread-safe store of features under (key, image id), within a size budget."""

    def __init__(self, folder: Path, max_bytes: int, damages: Damages | None = None) -> None:
        """Nothing is created or read before the first use. `damages` is told what is damaged."""
        self._folder = folder
        self._damages = damages or Damages()
        self._max_bytes = max_bytes
        self._lock = threading.Lock()

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
                self._damages.forget(_digest(key), "features")
            self._make_room()

    def find_damages(self) -> None:
        """Look whether each file has the length and the parts that it says; one that has not is
        removed. Its content is checked when it is read."""
        with self._lock:
            for path in [path for _, _, path in self._usage() if path.suffix == _SUFFIX]:
                try:
                    with safe_open(path, framework="np") as file:
                        parts, about = set(file.keys()), file.metadata()
                    if not parts >= {"features_ND", "ids"} or "checksum" not in about:
                        raise ValueError("parts are missing")
                except OSError:
                    continue
                except _DAMAGE:
                    self._drop(path)

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
                if not stat.S_ISREG(status.st_mode):  # to open a pipe would wait for ever
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
            _check_sound(about, ids, rows_ND)
            if rows_ND.shape[1] != like_ND.shape[1] or rows_ND.dtype != like_ND.dtype:
                return None
            image_ids = _decode_ids(ids)
            if len(image_ids) != len(rows_ND):
                raise ValueError("not a row for each picture")
            os.utime(path)
        except OSError:  # another process removed it, or too many files are open
            return None
        except _DAMAGE:
            self._drop(path)
            return None
        return image_ids, rows_ND

    def _drop(self, path: Path) -> None:
        """Remove what is damaged: it is computed again when it is wanted."""
        item = short_id(path.name)
        self._damages.note(
            Damage(kind="features", item=item, fault=message("they are torn or changed"))
        )
        _remove(path)

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
    """CRC-32 over the ids, the kind of the rows, and the sum of each block of them.

    The sums are taken modulo 2^64, so one flipped bit always shows. A CRC of the rows themselves
    takes five times as long (3.5 against 16 GB a second), a tenth of what the reading takes.
    """
    kind = f"{rows_ND.dtype} {rows_ND.shape}".encode()
    flat = rows_ND.reshape(-1).view(np.uint8)
    whole = len(flat) - len(flat) % _BLOCK_BYTES
    blocks = flat[:whole].view(np.uint64).reshape(-1, _BLOCK_BYTES // 8)
    sums = blocks.sum(axis=1, dtype=np.uint64)
    checksum = zlib.crc32(kind, zlib.crc32(ids.data))
    return str(zlib.crc32(flat[whole:].data, zlib.crc32(sums.data, checksum)))


def _check_sound(about: dict[str, str], ids: _Bytes, rows_ND: _Floats) -> None:
    if about["version"] == _CRC_VERSION:
        expected = str(zlib.crc32(rows_ND.data, zlib.crc32(ids.data)))
    elif about["version"] == _VERSION:
        expected = _checksum(ids, rows_ND)
    else:
        raise ValueError("another version")
    if about["checksum"] != expected:
        raise ValueError("damaged")
