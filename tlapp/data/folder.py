"""A folder on this machine as a listing. Links to folders are not followed; nothing is written."""

import os
import stat
import unicodedata
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tlapp.data.images import Skipped
from tlapp.data.source import Listing, SourceFile, is_junk, read_counted
from tlapp.errors import DataError, PictureError, reason_of
from tlapp.messages import counted_message, message
from tlapp.settings import Limits


def list_folder(path: Path, limits: Limits) -> Listing:
    """The files below `path`, sorted. Raises `DataError`: no folder, or too many files."""
    if not path.is_dir():
        raise DataError(
            message('"{name}" is not a folder.', name=shown_name(path.name)),
            hint=message("Give the folder that holds one folder of pictures per class."),
        )
    files: list[SourceFile] = []
    skipped: list[Skipped] = []
    empty: list[str] = []
    ignored = 0
    for folders, name, file in _walk(path, limits):
        if name is None or file is None:
            empty.append("/".join(folders))
        elif is_junk((*folders, name)):
            ignored += 1
        elif not _is_regular(file):
            shown = "/".join((*folders, name))
            skipped.append(Skipped(shown, message("{name} is not an ordinary file.", name=shown)))
        else:
            shown = "/".join((*folders, name))
            read = partial(_read_file, file, shown, limits.image_bytes)
            files.append(SourceFile(shown, folders, read))
    return Listing(tuple(files), tuple(empty), tuple(skipped), ignored)


def shown_name(name: str) -> str:
    """`name` as text that can be stored and shown: NFC, bytes that are no UTF-8 as `\\xe9`."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


def _walk(top: Path, limits: Limits) -> Iterator[tuple[tuple[str, ...], str | None, Path | None]]:
    """(folders, name, file) of every file; (folders, None, None) of every empty folder."""
    count = 0
    for parent, folder_names, file_names in os.walk(top):
        folder_names.sort()
        relative = Path(parent).relative_to(top).parts
        folders = tuple(shown_name(part) for part in relative)
        count += len(file_names) + len(folder_names)
        if count > limits.archive_entries:
            raise DataError(
                counted_message(
                    "The folder holds more than {count} file.",
                    "The folder holds more than {count} files.",
                    count=limits.archive_entries,
                ),
                hint=message("Choose the folder that holds the class folders, or a part of it."),
            )
        if not file_names and not folder_names and folders and not is_junk(folders):
            yield folders, None, None
        for name in sorted(file_names):
            yield folders, shown_name(name), Path(parent, name)


def _is_regular(file: Path) -> bool:
    try:
        return stat.S_ISREG(file.stat().st_mode)
    except OSError:
        return False


def _read_file(file: Path, name: str, limit_bytes: int) -> bytes:
    try:
        with file.open("rb") as stream:
            return read_counted(stream, name=name, limit_bytes=limit_bytes)
    except OSError as fault:
        raise PictureError(
            message("{name} cannot be read: {reason}.", name=name, reason=reason_of(fault)),
            hint=message("Check who may read this file, and that its disk is still there."),
        ) from fault
