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

from tlapp.damages import Damage, Damages, short_id
from tlapp.data.images import Picture
from tlapp.files import write_atomically
from tlapp.stored import DamagedFileError, check_plain_file, parse_json
from tlapp.workspace.trying import Tried, TriedPicture
from tlapp.workspace.visitors import OWNER_PATTERN

MOST_IN_MEMORY = 200  # visitors; each has at most `limits.try_images` pictures at working size
MOST_MEMBER_BYTES = 50_000_000  # a working copy or the index; none is that large
_INDEX = "pictures.json"
_THUMBNAIL_SUFFIX = ".thumbnail"
_DAMAGE = (
    *(OSError, ValueError, KeyError, TypeError, RuntimeError, NotImplementedError, EOFError),
    *(zipfile.BadZipFile, zlib.error, DamagedFileError),
)  # what a crash or a disk did to a zip


class TriedBook:
    """The test pictures of every visitor. Thread-safe."""

    def __init__(
        self,
        folder: Path,
        has_room: Callable[[], bool],
        most: int = MOST_IN_MEMORY,
        damages: Damages | None = None,
    ) -> None:
        """`has_room` says whether more may be written to the disk; `damages` is told what is
        damaged."""
        self._damages = damages or Damages()
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
                self._damages.forget(owner, "tried")
            except OSError:
                with suppress(OSError):  # the earlier ones are not the visitor's any more
                    path.unlink(missing_ok=True)
                    self._damages.forget(owner, "tried")

    def get(self, owner: str) -> Tried | None:
        """The visitor's test pictures; None: there are none, or none that can be read."""
        with self._lock:
            tried = self._newest.get(owner) or self._unpack(owner)
            if tried is not None:
                self._remember(owner, tried)
            return tried

    def find_damages(self) -> None:
        """Look whether each zip has its list of members; `damages` is told where it has not."""
        for owner in self.owners():
            path = self._path(owner)
            try:
                check_plain_file(path)
                with zipfile.ZipFile(path) as archive:
                    _read_index(archive)
            except FileNotFoundError:
                continue
            except _DAMAGE:
                self._note(owner)

    def _unpack(self, owner: str) -> Tried | None:
        """The test pictures on disk; None when there are none, or they are damaged."""
        path = self._path(owner)
        try:
            return _unpacked(path)
        except FileNotFoundError:
            return None
        except _DAMAGE:
            self._note(owner)
            return None

    def _note(self, owner: str) -> None:
        item = short_id(owner)
        self._damages.note(
            Damage(kind="tried", item=item, fault="they are torn or changed", owner=owner)
        )

    def forget(self, owner: str) -> None:
        """Remove the visitor's test pictures."""
        with self._lock:
            self._newest.pop(owner, None)
            with suppress(IsADirectoryError, PermissionError):  # what is no file was not kept here
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


def _unpacked(path: Path) -> Tried:
    """What `_packed` packed. Raises FileNotFoundError, or one of `_DAMAGE`."""
    check_plain_file(path)
    with zipfile.ZipFile(path) as archive:
        return Tried(
            tuple(
                _entry(archive, number, *entry) for number, entry in enumerate(_read_index(archive))
            )
        )


def _read_index(archive: zipfile.ZipFile) -> list[tuple[str, str, str]]:
    """Name, image id and error of each picture."""
    index = parse_json(_member(archive, _INDEX))
    return [(str(name), str(image_id), str(error)) for name, image_id, error in index]


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > MOST_MEMBER_BYTES:
        raise DamagedFileError("it is too large")
    return archive.read(name)


def _entry(
    archive: zipfile.ZipFile, number: int, name: str, image_id: str, error: str
) -> TriedPicture:
    if not image_id:
        return TriedPicture(name=name, thumbnail=b"", picture=None, error=error)
    encoded = _member(archive, str(number))
    thumbnail = _member(archive, f"{number}{_THUMBNAIL_SUFFIX}")
    picture = Picture(image_id, lambda _: encoded)
    return TriedPicture(name=name, thumbnail=thumbnail, picture=picture, error="")
