"""Data sets on disk: each owns its folder, appears there whole or not at all, and is removed whole.

`<folder>/<dataset_id>/dataset.json` and `pictures/<image_id>.jpg`. An import grows in a folder of
another name, which takes the data set's name as its last step.

Sound descriptions, read or written, are kept in memory, and with them their splits and
fingerprints.
"""

import io
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tlapp.damages import Damage, Damages, short_id
from tlapp.data.archive import open_archive
from tlapp.data.decode import open_working_copy
from tlapp.data.folder import list_folder
from tlapp.data.gather import Gathering
from tlapp.data.images import Picture
from tlapp.data.ingest import read_pictures
from tlapp.data.layout import arrange
from tlapp.data.memory import MemoryBudget
from tlapp.data.record import MOST_BYTES, Dataset, read_dataset, write_dataset
from tlapp.data.source import Listing
from tlapp.errors import DataError, NotFoundError, PictureError, reason_of
from tlapp.messages import Message, message
from tlapp.owners import Owners
from tlapp.recent import Recent, signature_of
from tlapp.settings import Limits
from tlapp.stopping import ShouldStop
from tlapp.stored import DamagedFileError, fault_in, is_sealed, read_content

__all__ = [
    "Dataset",
    "DatasetStore",
    "ImportEvent",
    "ImportFinished",
    "ImportProgress",
    "ImportStarted",
    "ImportStopped",
]

DESCRIPTION_NAME = "dataset.json"
HELD_OUT_SHARE = 0.2  # one picture in five shows how well the others were learned
SPLIT_SEED = 0
PROGRESS_SECONDS = 0.1
LEFTOVER_SECONDS = 6 * 3600  # an import that a crash cut off; none takes longer
MOST_PICTURE_BYTES = 50_000_000  # a working copy; none is that large
THUMBNAIL_QUALITY = 82
MOST_KNOWN = 500  # data sets in memory
MOST_KNOWN_PICTURES = 200_000  # labels of all of them together: some 300 bytes each

_DATASET_ID = re.compile(r"[A-Za-z0-9_-]{32}")
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ImportStarted:
    """The files are listed; now they are read."""

    total: int  # files to try


@dataclass(frozen=True)
class ImportProgress:
    """So many files have been tried; at most ten of these a second."""

    done: int
    total: int
    skipped: int


@dataclass(frozen=True)
class ImportFinished:
    """The data set is on disk."""

    dataset: Dataset


@dataclass(frozen=True)
class ImportStopped:
    """Somebody asked to stop; nothing is left of it."""


ImportEvent = ImportStarted | ImportProgress | ImportFinished | ImportStopped


class DatasetStore:
    """The data sets in one folder. Safe to use from several threads and processes."""

    def __init__(
        self,
        folder: Path,
        limits: Limits,
        damages: Damages | None = None,
        *,
        most_known_pictures: int = MOST_KNOWN_PICTURES,
    ) -> None:
        """`damages` is told what is found damaged; `most_known_pictures` is how many labels the
        data sets in memory may have together."""
        self._damages = damages or Damages()
        self._folder = folder
        self._limits = limits
        self._budget = MemoryBudget()
        self._owners = Owners()
        self._known: Recent[str, Dataset] = Recent(
            MOST_KNOWN, most_weight=most_known_pictures, weigh=_labels_of
        )
        self._growing: set[Path] = set()  # the imports of this process that are under way

    def import_archive(
        self, path: Path, *, name: str, owner: str, should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        """The import of a zip as events. Raises `DataError`; then nothing is left of it."""
        return self._import(open_archive(path, self._limits), name, owner, should_stop)

    def import_folder(
        self, path: Path, *, name: str, owner: str, should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        """The import of a folder as events. Raises `DataError`; then nothing is left of it."""
        return self._import(_listed_folder(path, self._limits), name, owner, should_stop)

    def load(self, dataset_id: str) -> Dataset:
        """The data set with this id. Raises `NotFoundError`; `DataError` if it is damaged."""
        path = self._dataset_folder(dataset_id) / DESCRIPTION_NAME
        signature = signature_of(path)
        known = self._known.get(dataset_id, signature)
        if known is not None:
            return known
        try:
            found = read_dataset(path)
        except DataError as error:
            self._note(dataset_id, fault_in(error))
            raise
        if found.value.dataset_id != dataset_id:
            self._note(dataset_id, message("it is another data set's"))
            raise _no_dataset()
        if found.fault:
            self._note(dataset_id, found.fault, found.value.owner, is_replaced=True)
        else:  # what is damaged is looked at anew each time
            self._known.put(dataset_id, found.value, signature)
        return found.value

    def find_damages(self) -> None:
        """Read every description, as far as it is not as it was written; `damages` is told."""
        for dataset_id in self._ids():
            path = self._folder / dataset_id / DESCRIPTION_NAME
            if not path.exists():
                self._note(dataset_id, message("its description is missing"))
            elif not is_sealed(path, most_bytes=MOST_BYTES):
                with suppress(DataError, NotFoundError):
                    self.load(dataset_id)

    def save(self, dataset: Dataset) -> None:
        """Put `dataset` (renamed, merged, split otherwise) in the place of what has its id."""
        path = self._dataset_folder(dataset.dataset_id) / DESCRIPTION_NAME
        known = self._known.get(dataset.dataset_id, signature_of(path))
        number = write_dataset(dataset, path, is_sound=known is not None)
        self._known.put_written(dataset.dataset_id, dataset, path, number)
        self._damages.forget(dataset.dataset_id)
        self._owners.note(dataset.dataset_id, dataset.owner)

    def delete(self, dataset_id: str) -> None:
        """Remove the data set with this id and its pictures. Raises `NotFoundError`."""
        folder = self._dataset_folder(dataset_id)
        doomed = self._folder / f".deleted-{secrets.token_hex(8)}"
        try:
            folder.rename(doomed)  # gone at once, even if removing the files is cut off
        except FileNotFoundError as fault:  # another thread was quicker
            raise _no_dataset() from fault
        shutil.rmtree(doomed, ignore_errors=True)
        self._known.forget(dataset_id)
        self._damages.forget(dataset_id)

    def list(self, owner: str) -> tuple[Dataset, ...]:
        """The data sets of `owner`, oldest first. Damaged ones are left out."""
        found = []
        for dataset_id in self._owners.possible(self._ids(), owner):
            try:
                dataset = self.load(dataset_id)
            except (DataError, NotFoundError):
                continue
            self._owners.note(dataset_id, dataset.owner)
            if dataset.owner == owner:
                found.append(dataset)
        return tuple(sorted(found, key=lambda dataset: (dataset.created, dataset.dataset_id)))

    def pictures(self, dataset: Dataset) -> Callable[[str], Picture]:
        """Finds a picture by its id. Its `read` raises `NotFoundError` if there is none."""
        stored = partial(self._read_picture, dataset.dataset_id)  # one for all: they may be many
        return lambda image_id: Picture(image_id, stored)

    def thumbnail(self, dataset_id: str, image_id: str, side_pixels: int) -> bytes:
        """A JPEG of the picture that fits into a square of this side. Raises `NotFoundError`."""
        image = open_working_copy(self._read_picture(dataset_id, image_id))
        image.thumbnail((side_pixels, side_pixels))
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=THUMBNAIL_QUALITY)
        return stream.getvalue()

    def _ids(self) -> set[str]:
        return {path.name for path in self._folder.glob("*") if _DATASET_ID.fullmatch(path.name)}

    def _note(
        self, dataset_id: str, fault: Message, owner: str = "", *, is_replaced: bool = False
    ) -> None:
        item = short_id(dataset_id)
        self._damages.note(
            Damage(kind="dataset", item=item, fault=fault, owner=owner, is_replaced=is_replaced)
        )

    def _dataset_folder(self, dataset_id: str) -> Path:
        if not _DATASET_ID.fullmatch(dataset_id) or not (self._folder / dataset_id).is_dir():
            raise _no_dataset()
        return self._folder / dataset_id

    def _read_picture(self, dataset_id: str, image_id: str) -> bytes:
        if not _IMAGE_ID.fullmatch(image_id):
            raise _no_picture()
        path = self._dataset_folder(dataset_id) / "pictures" / f"{image_id}.jpg"
        try:
            return read_content(path, MOST_PICTURE_BYTES)
        except FileNotFoundError as fault:
            raise _no_picture() from fault
        except DamagedFileError as error:
            self._note(dataset_id, message("a picture of it: {fault}", fault=error.fault))
            raise PictureError(
                message("A stored picture of this data set is damaged."),
                hint=message("Import the pictures again."),
            ) from error

    def _import(
        self,
        opened: AbstractContextManager[Listing],
        name: str,
        owner: str,
        should_stop: ShouldStop,
    ) -> Iterator[ImportEvent]:
        dataset_id = secrets.token_urlsafe(24)
        staging = self._folder / f".incoming-{dataset_id}"
        self._growing.add(staging)
        try:
            with opened as listing:
                yield from self._grow(listing, staging, name, owner, should_stop)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
            self._growing.discard(staging)

    def _grow(
        self,
        listing: Listing,
        staging: Path,
        name: str,
        owner: str,
        should_stop: ShouldStop,
    ) -> Iterator[ImportEvent]:
        layout = arrange(listing)
        total = len(layout.placed)
        yield ImportStarted(total)
        self._remove_leftovers()
        with _storing():
            (staging / "pictures").mkdir(parents=True)
        gathering = Gathering(layout, listing.empty_folders, self._limits)
        shown_at = time.monotonic()
        pictures = read_pictures(layout.placed, staging / "pictures", self._limits, self._budget)
        with closing(pictures):
            for done, picture in enumerate(pictures, start=1):
                gathering.add(picture)
                if should_stop():
                    yield ImportStopped()
                    return
                if time.monotonic() - shown_at >= PROGRESS_SECONDS or done == total:
                    shown_at = time.monotonic()
                    yield ImportProgress(done, total, len(gathering.skipped))
        dataset = Dataset(
            dataset_id=staging.name.removeprefix(".incoming-"),
            name=name,
            owner=owner,
            created=datetime.now(UTC).isoformat(),
            images=gathering.labeled_images(),
            skipped=tuple(gathering.skipped),
            ignored_count=gathering.ignored_count,
            held_out_share=HELD_OUT_SHARE,
            split_seed=SPLIT_SEED,
            findings=gathering.findings(),
        )
        number = write_dataset(dataset, staging / DESCRIPTION_NAME)
        folder = self._folder / dataset.dataset_id
        with _storing():
            staging.rename(folder)
        self._known.put_written(dataset.dataset_id, dataset, folder / DESCRIPTION_NAME, number)
        yield ImportFinished(dataset)

    def _remove_leftovers(self) -> None:
        """What a crash cut off long ago; by a clock that jumps nothing of this process is old."""
        for pattern in (".incoming-*", ".deleted-*"):
            for path in self._folder.glob(pattern):
                try:
                    is_old = time.time() - path.stat().st_mtime > LEFTOVER_SECONDS
                except FileNotFoundError:
                    continue
                if is_old and path not in self._growing:
                    shutil.rmtree(path, ignore_errors=True)


def _labels_of(dataset: Dataset) -> int:
    """How many labels, and names of files, a data set holds."""
    before = dataset.before_edit
    labels = len(dataset.images.images) + len(dataset.skipped)
    return 1 + labels + (0 if before is None else len(before.images))


@contextmanager
def _listed_folder(path: Path, limits: Limits) -> Iterator[Listing]:
    yield list_folder(path, limits)


@contextmanager
def _storing() -> Iterator[None]:
    """A disk that refuses is told in words."""
    try:
        yield
    except OSError as fault:
        raise DataError(
            message("The pictures cannot be stored: {reason}.", reason=reason_of(fault)),
            hint=message(
                "Free some space on the disk that holds tlapp's files, or let tlapp write there."
            ),
        ) from fault


def _no_dataset() -> NotFoundError:
    return NotFoundError(
        message("There is no such data set."), hint=message("Import the pictures again.")
    )


def _no_picture() -> NotFoundError:
    return NotFoundError(
        message("The picture is not here any more."), hint=message("Import the pictures again.")
    )
