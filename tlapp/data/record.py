"""A data set as a value, and as JSON on disk that is either the old one or the new one."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tlapp.data.images import Finding, LabeledImage, LabeledImages, Skipped
from tlapp.errors import DataError, NotFoundError
from tlapp.files import write_atomically

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

    def with_edit(self, images: LabeledImages) -> "Dataset":
        """The data set with its classes edited to `images`; `without_edit` goes back."""
        return replace(self, images=images, before_edit=self.images)

    def without_edit(self) -> "Dataset":
        """The data set as it was before the last edit. Raises `DataError` if there is none."""
        if self.before_edit is None:
            raise DataError(
                "There is no change of the classes to undo.", hint="Look at the list again."
            )
        return replace(self, images=self.before_edit, before_edit=None)


def write_dataset(dataset: Dataset, path: Path) -> None:
    """Put `dataset` at `path`, whole or not at all. Raises `DataError` if the disk refuses."""
    before = dataset.before_edit
    fields = asdict(replace(dataset, images=LabeledImages((), ()), before_edit=None))
    fields["version"] = _VERSION
    fields["images"] = _labels_fields(dataset.images)
    fields["before_edit"] = None if before is None else _labels_fields(before)
    text = json.dumps(fields, ensure_ascii=True, separators=(",", ":"))
    try:
        write_atomically(path, text.encode("ascii"), durable=True)
    except OSError as fault:
        raise DataError(
            f"The data set cannot be stored: {fault.strerror or 'unknown reason'}.",
            hint="Free some space on the disk that holds tlapp's files, and try again.",
        ) from fault


def read_dataset(path: Path) -> Dataset:
    """The data set at `path`. Raises `NotFoundError` if there is none, `DataError` if damaged."""
    try:
        return _from_fields(json.loads(path.read_text(encoding="ascii")))
    except FileNotFoundError as fault:
        raise NotFoundError(
            "There is no such data set.", hint="Import the pictures again."
        ) from fault
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as fault:
        raise DataError(
            "The data set's description is damaged.", hint="Import the pictures again."
        ) from fault


def _labels_fields(images: LabeledImages) -> dict[str, Any]:
    rows = [(each.image_id, each.class_index, each.name, each.part) for each in images.images]
    return {"class_names": images.class_names, "images": rows}


def _labels(fields: dict[str, Any]) -> LabeledImages:
    rows = tuple(LabeledImage(*row) for row in fields["images"])
    return LabeledImages(tuple(fields["class_names"]), rows)


def _from_fields(fields: dict[str, Any]) -> Dataset:
    if fields.pop("version") != _VERSION:
        raise ValueError("another version")
    fields["images"] = _labels(fields["images"])
    before = fields.get("before_edit")
    fields["before_edit"] = None if before is None else _labels(before)
    fields["skipped"] = tuple(Skipped(**row) for row in fields["skipped"])
    fields["findings"] = tuple(
        Finding(**{**row, "class_names": tuple(row["class_names"])}) for row in fields["findings"]
    )
    return Dataset(**fields)
