"""A data set as a value, and as JSON on disk that is either the old one or the new one."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

from tlapp.data.images import Finding, LabeledImage, LabeledImages, Part, Skipped
from tlapp.data.splits import Split, split_images
from tlapp.errors import DataError, NotFoundError, reason_of
from tlapp.files import write_atomically
from tlapp.messages import message
from tlapp.stored import (
    DamagedFileError,
    Generation,
    build,
    keep_earlier,
    plain,
    read_generation,
    sealed,
)

MOST_BYTES = 200_000_000  # 100,000 pictures take 12 MB, twice that with an edit to undo
_VERSION = 1


@dataclass(frozen=True)
class Dataset:
    """One data set: its labels and what is known about it. The pictures are in the store."""

    dataset_id: str
    name: str
    owner: str
    created: str  # ISO 8601, UTC
    images: LabeledImages
    skipped: tuple[Skipped, ...]
    ignored_count: int  # system files that are not worth a word
    held_out_share: float  # 0 to 1; used unless the folders have their own split
    split_seed: int
    findings: tuple[Finding, ...] = ()  # of the import; `checks.check_images` has those of labels
    unnamed_skipped_count: int = 0  # files that were left out beside those in `skipped`
    before_edit: LabeledImages | None = None  # what the last edit of the classes can go back to

    @cached_property
    def split(self) -> Split:
        """Which pictures are learned from and which are held out; drawn once for this value."""
        return split_images(self.images, held_out_share=self.held_out_share, seed=self.split_seed)

    def with_edit(self, images: LabeledImages) -> "Dataset":
        """The data set with its classes edited to `images`; `without_edit` goes back."""
        return replace(self, images=images, before_edit=self.images)

    def without_edit(self) -> "Dataset":
        """The data set as it was before the last edit. Raises `DataError` if there is none."""
        if self.before_edit is None:
            raise DataError(
                message("There is no change of the classes to undo."),
                hint=message("Look at the list again."),
            )
        return replace(self, images=self.before_edit, before_edit=None)


def write_dataset(dataset: Dataset, path: Path, *, is_sound: bool = False) -> int:
    """Put `dataset` at `path`, whole or not at all; the file's number on disk.

    `is_sound` says that what stands there was read as it is now, and was sound. Raises `DataError`
    if the disk refuses.
    """
    before = dataset.before_edit
    fields = plain(replace(dataset, images=LabeledImages((), ()), before_edit=None))
    fields["version"] = _VERSION
    fields["images"] = _labels_fields(dataset.images)
    fields["before_edit"] = None if before is None else _labels_fields(before)
    content = sealed(fields, separators=(",", ":"))
    if len(content) > MOST_BYTES:
        raise DataError(
            message("The names of these pictures are too long to be stored."),
            hint=message("Shorten the names of the files, or import fewer pictures."),
        )
    try:
        keep_earlier(path, most_bytes=MOST_BYTES, is_sound=is_sound)
        return write_atomically(path, content, durable=True)
    except OSError as fault:
        raise DataError(
            message("The data set cannot be stored: {reason}.", reason=reason_of(fault)),
            hint=message("Free some space on the disk that holds tlapp's files, and try again."),
        ) from fault


def read_dataset(path: Path) -> Generation[Dataset]:
    """The data set at `path`, or the one before its last change where the newest is damaged.

    Raises `NotFoundError` if there is none, `DataError` if neither can be read.
    """
    try:
        return read_generation(path, _from_fields, most_bytes=MOST_BYTES)
    except FileNotFoundError as fault:
        raise NotFoundError(
            message("There is no such data set."), hint=message("Import the pictures again.")
        ) from fault
    except DamagedFileError as error:
        raise DataError(
            message("The data set's description is damaged: {fault}.", fault=error.fault),
            hint=message("Import the pictures again."),
        ) from error


def _labels_fields(images: LabeledImages) -> dict[str, Any]:
    rows = [(each.image_id, each.class_index, each.name, each.part) for each in images.images]
    return {"class_names": images.class_names, "images": rows}


def _from_fields(values: object) -> Dataset:
    """What `write_dataset` wrote. Raises DamagedFileError."""
    if not isinstance(values, dict) or values.get("version") != _VERSION:
        raise DamagedFileError(message("it is of no version that is known here"))
    labels = {name: _labels(values.get(name)) for name in ("images", "before_edit")}
    if labels["images"] is None:
        raise DamagedFileError(message("it lacks its pictures"))
    others = {name: value for name, value in values.items() if name not in labels}
    bare = build(Dataset, {**others, "images": {"class_names": [], "images": []}})
    if not 0 <= bare.held_out_share <= 1:
        raise DamagedFileError(message("its held_out_share is not within 0 to 1"))
    return replace(bare, images=labels["images"], before_edit=labels["before_edit"])


def _labels(values: object) -> LabeledImages | None:
    """Labels whose pictures are of the classes they name; there may be 100,000."""
    if values is None:
        return None
    names, rows = _list_of(values, "class_names"), _list_of(values, "images")
    if not _are_all(names, str) or not _are_all(rows, list):
        raise DamagedFileError(message("its labels are of another kind"))
    try:
        columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
        image_ids, indices, picture_names, parts = columns
        images = tuple(LabeledImage(*row) for row in rows)
    except (ValueError, TypeError):
        raise DamagedFileError(message("a label of it has not four values")) from None
    if not (_are_all(image_ids, str) and _are_all(picture_names, str) and _are_all(parts, str)):
        raise DamagedFileError(message("its labels are of another kind"))
    if not _are_all(indices, int) or not set(indices) <= set(range(len(names))):
        raise DamagedFileError(message("a label of it names no class"))
    if not set(parts) <= set(get_args(Part)):
        raise DamagedFileError(message("a label of it names no part"))
    return LabeledImages(tuple(names), images)


def _list_of(values: object, name: str) -> list[Any]:
    value = values.get(name) if isinstance(values, dict) else None
    if not isinstance(value, list):
        raise DamagedFileError(message("its field {name} is no list", name=name))
    return value


def _are_all(values: Iterable[object], kind: type) -> bool:
    """Whether every value is of exactly this type: `True` is no number."""
    return set(map(type, values)) <= {kind}
