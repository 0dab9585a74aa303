"""Whose test pictures are whose: a small zip for each visitor, and the newest ones in memory.

Kept are working copies, so the answers after a restart are those from before it.
"""

import io
import json
import threading
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tlapp.data.images import Picture
from tlapp.files import write_atomically
from tlapp.workspace.trying import Tried, TriedPicture
from tlapp.workspace.visitors import OWNER_PATTERN

MOST_IN_MEMORY = 200  # visitors; each has at most `limits.try_images` pictures at working size
_INDEX = "pictures.json"
_THUMBNAIL_SUFFIX = ".thumbnail"
_DAMAGE = (
    *(OSError, ValueError, KeyError, TypeError, RuntimeError, NotImplementedError, EOFError),
    *(zipfile.BadZipFile, zlib.error),
)  # what a crash or a disk did to a zip


class TriedBook:
    """The test pictures of every visitor. Thread-safe."""

    def __init__(
        self, folder: Path, has_room: Callable[[], bool], most: int = MOST_IN_MEMORY
    ) -> None:
        """`has_room` says whether more may be written to the disk."""
        self._folder = folder
        self._has_room = has_room
        self._most = most
        self._newest: OrderedDict[str, Tried] = OrderedDict()
        self._lock = threading.Lock()  # memory and disk change together

    def keep(self, owner: str, tried: Tried) -> None:
        """These are the visitor's test pictures from now on; after a restart too, unless the disk
        is full."""
        packed = _packed(tried)
        path = self._path(owner)
        with self._lock:
            self._remember(owner, tried)
            try:
                if not self._has_room():
                    raise OSError("no room")
                self._folder.mkdir(parents=True, exist_ok=True)
                write_atomically(path, packed)
            except OSError:
                with suppress(OSError):  # the earlier ones are not the visitor's any more
                    path.unlink(missing_ok=True)

    def get(self, owner: str) -> Tried | None:
        """The visitor's test pictures; None: there are none, or none that can be read."""
        with self._lock:
            tried = self._newest.get(owner) or _unpacked(self._path(owner))
            if tried is not None:
                self._remember(owner, tried)
            return tried

    def forget(self, owner: str) -> None:
        """Remove the visitor's test pictures."""
        with self._lock:
            self._newest.pop(owner, None)
            self._path(owner).unlink(missing_ok=True)

    def owners(self) -> tuple[str, ...]:
        """Everyone whose test pictures are on disk."""
        stems = (path.stem for path in sorted(self._folder.glob("*.zip")))
        return tuple(stem for stem in stems if OWNER_PATTERN.fullmatch(stem))

    def _remember(self, owner: str, tried: Tried) -> None:
        self._newest[owner] = tried
        self._newest.move_to_end(owner)
        while len(self._newest) > self._most:
            self._newest.popitem(last=False)

    def _path(self, owner: str) -> Path:
        if not OWNER_PATTERN.fullmatch(owner):
            raise ValueError(f"{owner!r} is no owner.")
        return self._folder / f"{owner}.zip"


def _packed(tried: Tried) -> bytes:
    """A zip of working copies, thumbnails, and their index: name, image id, error of each."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for number, entry in enumerate(tried.entries):
            if entry.picture is not None:
                archive.writestr(str(number), entry.picture.read())
                archive.writestr(f"{number}{_THUMBNAIL_SUFFIX}", entry.thumbnail)
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
                    _entry(archive, number, str(name), str(image_id), str(error))
                    for number, (name, image_id, error) in enumerate(index)
                )
            )
    except _DAMAGE:
        return None


def _entry(
    archive: zipfile.ZipFile, number: int, name: str, image_id: str, error: str
) -> TriedPicture:
    if not image_id:
        return TriedPicture(name=name, thumbnail=b"", picture=None, error=error)
    encoded = archive.read(str(number))
    thumbnail = archive.read(f"{number}{_THUMBNAIL_SUFFIX}")
    picture = Picture(image_id, lambda _: encoded)
    return TriedPicture(name=name, thumbnail=thumbnail, picture=picture, error="")
