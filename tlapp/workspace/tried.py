"""Whose test pictures are whose: a small zip for each visitor, and the newest ones in memory.

Kept are working copies, so the answers after a restart are those from before it.
"""

import io
import json
import threading
import zipfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from tlapp.errors import PictureError
from tlapp.files import write_atomically
from tlapp.workspace.trying import Tried, TriedPicture, entry_of
from tlapp.workspace.visitors import VisitorBook

MOST_IN_MEMORY = 200  # visitors; each has at most `limits.try_images` pictures at working size
_INDEX = "pictures.json"


class TriedBook:
    """The test pictures of every visitor. Thread-safe."""

    def __init__(self, visitors: VisitorBook, most: int = MOST_IN_MEMORY) -> None:
        self._visitors = visitors
        self._most = most
        self._newest: OrderedDict[str, Tried] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, owner: str, tried: Tried) -> None:
        """These are the visitor's test pictures from now on, also after a restart unless the disk
        is full."""
        self._remember(owner, tried)
        path = self._visitors.pictures_path(owner)
        if path is not None:
            with suppress(OSError):  # they are in memory
                self._visitors.ensure(owner)  # so that the janitor finds what is theirs
                write_atomically(path, _packed(tried))

    def get(self, owner: str) -> Tried | None:
        """The visitor's test pictures; None: there are none, or none that can be read."""
        with self._lock:
            if owner in self._newest:
                self._newest.move_to_end(owner)
                return self._newest[owner]
        path = self._visitors.pictures_path(owner)
        tried = None if path is None else _unpacked(path)
        if tried is not None:
            self._remember(owner, tried)
        return tried

    def forget(self, owner: str) -> None:
        """Let go of them in memory; `VisitorBook.forget` removes the file."""
        with self._lock:
            self._newest.pop(owner, None)

    def _remember(self, owner: str, tried: Tried) -> None:
        with self._lock:
            self._newest[owner] = tried
            self._newest.move_to_end(owner)
            while len(self._newest) > self._most:
                self._newest.popitem(last=False)


def _packed(tried: Tried) -> bytes:
    """A zip of the working copies and their index: name, id and error of each picture."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for number, entry in enumerate(tried.entries):
            if entry.picture is not None:
                archive.writestr(str(number), entry.picture.read())
        index = [
            (entry.name, entry.picture.image_id if entry.picture else "", entry.error)
            for entry in tried.entries
        ]
        archive.writestr(_INDEX, json.dumps(index))
    return file.getvalue()


def _unpacked(path: Path) -> Tried | None:
    """What `_packed` packed; None when there is no such file, or it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            index = json.loads(archive.read(_INDEX))
            return Tried(
                tuple(
                    entry_of(name, image_id, archive.read(str(number)))
                    if image_id
                    else TriedPicture(name=name, thumbnail=b"", picture=None, error=error)
                    for number, (name, image_id, error) in enumerate(index)
                )
            )
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, PictureError):
        return None
