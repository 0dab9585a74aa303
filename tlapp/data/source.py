"""What an archive and a folder have in common: a listing of files that may be pictures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from tlapp.data.decode import HEAD_BYTES, check_byte_count, find_reader
from tlapp.data.images import Skipped

CHUNK_BYTES = 1 << 16

_PICTURE_ENDINGS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib"),
    *(".tif", ".tiff", ".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".psd", ".eps", ".ico"),
    *(".mpo", ".raw", ".dng", ".cr2", ".nef", ".arw"),
)
_ARCHIVE_ENDINGS = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz")
_JUNK_NAMES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "$recycle.bin"})


@dataclass(frozen=True)
class SourceFile:
    """One file of a folder or an archive."""

    name: str  # the whole path within it, for showing only
    folders: tuple[str, ...]  # the folders it lies in, outermost first
    read: Callable[[], bytes]  # raises PictureError if this file cannot be had


@dataclass(frozen=True)
class Listing:
    """The files to try, and what was left out before anything was read."""

    files: tuple[SourceFile, ...]
    empty_folders: tuple[str, ...]  # folders that hold nothing at all
    skipped: tuple[Skipped, ...]
    ignored_count: int  # junk that no person put there


def is_junk(path: tuple[str, ...]) -> bool:
    """Whether a file at `path` was left there by a system, not by a person."""
    return any(part.startswith(".") or part.lower() in _JUNK_NAMES for part in path)


def is_named_as_picture(name: str) -> bool:
    """Whether a person would expect a picture under this name (or something worth a word)."""
    return name.lower().endswith(_PICTURE_ENDINGS + _ARCHIVE_ENDINGS)


def is_archive_name(name: str) -> bool:
    """Whether `name` is that of a packed file, which is not opened."""
    return name.lower().endswith(_ARCHIVE_ENDINGS)


def read_counted(stream: IO[bytes], *, name: str, limit_bytes: int) -> bytes:
    """All bytes of `stream`, counted while they come; what is no picture is not read on.

    Raises `PictureError`: empty, of no known format, or more than `limit_bytes`.
    """
    head = stream.read(HEAD_BYTES)
    check_byte_count(len(head), name=name, limit_bytes=limit_bytes)
    find_reader(head, name=name)
    chunks = [head]
    count = len(head)
    while chunk := stream.read(CHUNK_BYTES):
        chunks.append(chunk)
        count += len(chunk)
        check_byte_count(count, name=name, limit_bytes=limit_bytes)
    return b"".join(chunks)
