"""A zip as a listing, read without trusting a word of it.

Order: the end record (how many entries, how large a directory) before `ZipFile` builds an object
per entry; then flags, methods, links and overlaps, from the directory alone; then, file by file
and only when asked, the bytes, counted as they come. Nothing is ever unpacked to disk, and no
name in the archive becomes a path.
"""

import re
import stat
import struct
import threading
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO

from tlapp.data.images import Skipped
from tlapp.data.source import Listing, SourceFile, is_archive_name, is_junk, read_counted
from tlapp.errors import DataError, PictureError
from tlapp.messages import NOTHING, Message, counted_message, message
from tlapp.settings import Limits

_END_BYTES = 22  # APPNOTE.TXT 6.3.10, section 4.3.16
_COMMENT_BYTES = 65_535
_ENTRY_BYTES = 46  # section 4.3.12
_LOCAL_BYTES = 30  # section 4.3.7
_NAME_BYTES = 1024  # name, extra field and comment of one entry, on average
_ENCRYPTED, _UTF8 = 0x1, 0x800  # section 4.4.4
_UNIX = 3  # section 4.4.2
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_OTHER_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
_MEGABYTE = 1_000_000
# Office Open XML (ECMA-376, part 2) and OpenDocument and EPUB keep these names for themselves.
_DOCUMENT_NAMES = frozenset({"[Content_Types].xml", "mimetype"})
_ZIP_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    IndexError,
    NotImplementedError,
    OSError,
    RuntimeError,
    UnicodeError,
    ValueError,
)


@contextmanager
def open_archive(path: Path, limits: Limits) -> Iterator[Listing]:
    """The files in the zip at `path`, readable (from any thread) while the context is open.

    Raises `DataError` if the archive as a whole cannot or must not be read; the `read` of a file
    raises `PictureError` for that file alone, and `DataError` when the archive's byte budget is
    used up.
    """
    _check_end_record(path, limits)
    try:
        archive = zipfile.ZipFile(path)
    except _ZIP_FAULTS as fault:
        raise _damaged() from fault
    with archive:
        entries = archive.infolist()
        _check_entries(entries, limits)
        yield _list_entries(entries, _EntryReader(archive, limits))


class _EntryReader:
    """Reads one entry at a time and counts every byte that comes out of the archive."""

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive = archive
        self._limits = limits
        self._lock = threading.Lock()
        self._bytes_left = limits.archive_unpacked_bytes

    def read(self, entry: zipfile.ZipInfo, name: str) -> bytes:
        with self._lock:
            try:
                with self._archive.open(entry) as stream:
                    raw = self._counted(stream, entry, name)
            except _ZIP_FAULTS as fault:
                raise PictureError(
                    message("{name} is damaged in the zip.", name=name),
                    hint=message("Make the zip again."),
                ) from fault
        return raw

    def _counted(self, stream: IO[bytes], entry: zipfile.ZipInfo, name: str) -> bytes:
        if entry.file_size == 0 and entry.compress_size > 2:  # an empty deflate stream has 2
            raise zipfile.BadZipFile("declared empty, but is not")
        budget = min(self._limits.image_bytes, self._bytes_left)
        try:
            raw = read_counted(stream, name=name, limit_bytes=budget)
        except PictureError:
            self._bytes_left -= min(stream.tell(), budget)
            if self._bytes_left <= 0:
                raise _too_large_unpacked(self._limits) from None
            raise
        self._bytes_left -= len(raw)
        return raw


def _check_end_record(path: Path, limits: Limits) -> None:
    """Raise `DataError` unless the end record promises a directory that we would read."""
    if not path.is_file():
        raise DataError(message("The zip is not there any more."), hint=message("Choose it again."))
    size = path.stat().st_size
    if size > limits.archive_bytes:
        raise DataError(
            message(
                "The zip is {size} MB; the limit is {limit} MB.",
                size=size // _MEGABYTE,
                limit=limits.archive_bytes // _MEGABYTE,
            ),
            hint=message("Use fewer or smaller pictures."),
        )
    with path.open("rb") as stream:
        start = stream.read(4)
        stream.seek(max(0, size - _END_BYTES - _COMMENT_BYTES))
        tail = stream.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) < at + _END_BYTES:
            raise _damaged() if start == b"PK\x03\x04" else _not_a_zip()
        disk, directory_disk, _, count, directory_bytes = struct.unpack(
            "<4HI", tail[at + 4 : at + 16]
        )
        if count == 0xFFFF or directory_bytes == 0xFFFFFFFF:
            count, directory_bytes = _zip64_counts(stream, tail, at) or (count, directory_bytes)
    if disk != directory_disk or disk not in (0, 0xFFFF):
        raise DataError(
            message("The zip is one part of several."), hint=message("Make a single zip.")
        )
    if count > limits.archive_entries:
        raise DataError(
            counted_message(
                "The zip holds {count} file; the limit is {limit}.",
                "The zip holds {count} files; the limit is {limit}.",
                count=count,
                limit=limits.archive_entries,
            ),
            hint=message("Zip fewer pictures."),
        )
    if directory_bytes > count * (_ENTRY_BYTES + _NAME_BYTES):
        raise _damaged()


def _zip64_counts(stream: IO[bytes], tail: bytes, at: int) -> tuple[int, int] | None:
    """(entries, directory bytes) of the zip64 end record, if there is one (section 4.3.14)."""
    locator = tail[max(0, at - 20) : at]
    if not locator.startswith(b"PK\x06\x07"):
        return None
    record_at = stream.tell() - len(tail) + at - 20 - 56
    for offset in (struct.unpack("<Q", locator[8:16])[0], record_at):
        if 0 <= offset <= stream.tell():
            stream.seek(offset)
            record = stream.read(56)
            if record.startswith(b"PK\x06\x06") and len(record) == 56:
                count, directory_bytes = struct.unpack("<2Q", record[32:48])
                return count, directory_bytes
    raise _damaged()


def _check_entries(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    """Raise `DataError` for what the directory alone gives away."""
    if len(entries) > limits.archive_entries:
        raise _damaged()
    if any(entry.filename in _DOCUMENT_NAMES for entry in entries):
        raise DataError(
            message("This is a document that is packed as a zip, not a zip of pictures."),
            hint=message("Save its pictures into one folder per class, and zip those folders."),
        )
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise DataError(
            message("The zip is protected by a password."),
            hint=message("Make one without a password."),
        )
    if sum(entry.file_size for entry in entries) > limits.archive_unpacked_bytes:
        raise _too_large_unpacked(limits)
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        # CPython GH-109858: entries that share their bytes make a small file unpack to anything.
        if entry.header_offset < end:
            raise DataError(
                message("The zip is damaged, or made to do harm: its files overlap."),
                hint=message("Make the zip again from the folder of pictures."),
            )
        end = entry.header_offset + _LOCAL_BYTES + entry.compress_size


def _list_entries(entries: list[zipfile.ZipInfo], reader: _EntryReader) -> Listing:
    files: list[SourceFile] = []
    skipped: list[Skipped] = []
    folders: set[tuple[str, ...]] = set()
    ignored = 0
    for entry in entries:
        path = _shown_path(entry)
        name = "/".join(path)
        if not path or (is_junk(path) and not _is_unsafe(path)):
            ignored += 1
        elif entry.is_dir():
            folders.add(path)
        elif reason := _refusal(entry, path, name):
            skipped.append(Skipped(name, reason))
        else:
            files.append(SourceFile(name, path[:-1], partial(reader.read, entry, name)))
    used = {path[:depth] for path in folders for depth in range(len(path))}
    used |= {file.folders[:depth] for file in files for depth in range(len(file.folders) + 1)}
    empty = tuple(sorted("/".join(path) for path in folders - used))
    return Listing(tuple(files), empty, tuple(skipped), ignored)


def _shown_path(entry: zipfile.ZipInfo) -> tuple[str, ...]:
    """The entry's folders and name, as text; nothing of it is used as a path on this machine."""
    name = entry.filename
    if not entry.flag_bits & _UTF8:
        with suppress(UnicodeError):  # macOS and others store UTF-8 without saying so
            name = name.encode("cp437").decode("utf-8")
    name = name.encode("utf-8", "backslashreplace").decode("utf-8")
    parts = unicodedata.normalize("NFC", name).replace("\\", "/").split("/")
    if parts[0] == "" and len(parts) > 1:
        parts[0] = "/"
    return tuple(part for part in parts if part not in ("", "."))


def _is_unsafe(path: tuple[str, ...]) -> bool:
    return ".." in path or path[:1] == ("/",) or bool(path and re.fullmatch("[A-Za-z]:", path[0]))


def _refusal(entry: zipfile.ZipInfo, path: tuple[str, ...], name: str) -> Message:
    """Why this entry is left out unread; NOTHING if it is not."""
    mode = entry.external_attr >> 16
    if _is_unsafe(path):
        return message("{name} is left out: its path leads out of the zip.", name=name)
    if entry.create_system == _UNIX and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return message("{name} is a link or a device, not a picture.", name=name)
    if is_archive_name(path[-1]):
        return message(
            "{name} is not a picture; archives inside the zip are not opened.", name=name
        )
    if entry.compress_type not in _METHODS:
        known = _OTHER_METHODS.get(entry.compress_type)
        return message(
            "{name} is packed in a way that cannot be read here ({method}).",
            name=name,
            method=known or message("method {number}", number=entry.compress_type),
        )
    return NOTHING


def _damaged() -> DataError:
    return DataError(
        message("The zip is damaged."), hint=message("Make the zip again, or copy it again.")
    )


def _not_a_zip() -> DataError:
    return DataError(
        message("This is not a zip file."),
        hint=message("Choose a .zip with one folder of pictures per class."),
    )


def _too_large_unpacked(limits: Limits) -> DataError:
    return DataError(
        message(
            "The zip unpacks to more than {limit} MB, which is the limit.",
            limit=limits.archive_unpacked_bytes // _MEGABYTE,
        ),
        hint=message("Use fewer or smaller pictures."),
    )
