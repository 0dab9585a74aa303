"""Labelled pictures as values: which picture belongs to which class, and where its bytes are."""

import hashlib
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from tlapp.errors import DataError
from tlapp.messages import Message, counted_message, joined, message, verbatim

Part = Literal["", "train", "valid", "test"]  # "": the folder does not say


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture at its working size, ready to be read again and again."""

    image_id: str  # SHA-256 (hex) of the decoded pixels; equal pictures have equal ids
    stored: Callable[[str], bytes]  # the working copy of this id, from `decode.make_working_copy`

    def read(self) -> bytes:
        """The working copy; raises what `stored` raises."""
        return self.stored(self.image_id)


@dataclass(frozen=True, slots=True)
class LabeledImage:
    """One picture's label. The bytes are found through its id."""

    image_id: str
    class_index: int  # into LabeledImages.class_names
    name: str  # as the person named it, e.g. "cat/3.jpg"; for showing only, never a path
    part: Part = ""  # the part that the folder itself assigns


@dataclass(frozen=True)
class LabeledImages:
    """The pictures of one data set, with their classes."""

    class_names: tuple[str, ...]
    images: tuple[LabeledImage, ...]

    def counts(self) -> tuple[int, ...]:
        """Pictures per class, in the order of `class_names`."""
        counts = [0] * len(self.class_names)
        for image in self.images:
            counts[image.class_index] += 1
        return tuple(counts)

    @cached_property
    def fingerprint(self) -> str:
        """A SHA-256 (hex) over class names, pictures, labels and parts, in order; reckoned once."""
        digest = hashlib.sha256()
        for name in self.class_names:
            digest.update(f"class {name}\n".encode("utf-8", "surrogatepass"))
        for image in self.images:
            digest.update(f"{image.image_id} {image.class_index} {image.part}\n".encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Skipped:
    """A file that was left out, and why."""

    name: str  # as the person named it, for showing only
    reason: Message  # a sentence that contains the name


@dataclass(frozen=True)
class Finding:
    """Something about the pictures that a person may want to act on before training."""

    kind: str  # a stable word for code, e.g. "few_pictures"
    message: Message  # a sentence or two: what was found, and what to do about it
    class_names: tuple[str, ...]  # the classes it is about
    count: int  # how many pictures, classes or folders


NAMES_SHOWN = 3  # of files, in a finding
QUOTED_SHOWN = 4  # of folders and classes


def some_names(names: Sequence[str]) -> Message:
    """The first few of these files: "a.jpg, b.jpg, c.jpg and 12 more"."""
    shown = joined(*map(verbatim, names[:NAMES_SHOWN]), by=", ")
    return _and_more(shown, len(names) - NAMES_SHOWN)


def some_quoted(names: Sequence[str]) -> Message:
    """The first few of these folders or classes, each in quotation marks."""
    shown = joined(*map(quoted, names[:QUOTED_SHOWN]), by=", ")
    return _and_more(shown, len(names) - QUOTED_SHOWN)


def quoted(name: str) -> Message:
    """A name in quotation marks, as the language writes them."""
    return message('"{name}"', name=name)


def _and_more(shown: Message, more: int) -> Message:
    if more <= 0:
        return shown
    return counted_message(
        "{names} and {count} more", "{names} and {count} more", names=shown, count=more
    )


CLASS_NAME_CHARACTERS = 255  # what a folder's name can have on common disks


def same_class_key(name: str) -> str:
    """Equal for names that people and some disks take for the same: `Cat`, `cat`, both café."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).strip(" .")


def rename_class(images: LabeledImages, index: int, name: str) -> LabeledImages:
    """`images` with the class at `index` called `name`. Raises `DataError`."""
    _check_index(images, index)
    wanted = unicodedata.normalize("NFC", name).strip()
    if not wanted:
        raise DataError(
            message("A class needs a name."), hint=message("Type at least one character.")
        )
    if len(wanted) > CLASS_NAME_CHARACTERS:
        raise DataError(
            counted_message(
                "This name has {count} character; the limit is {limit}.",
                "This name has {count} characters; the limit is {limit}.",
                count=len(wanted),
                limit=CLASS_NAME_CHARACTERS,
            ),
            hint=message("Choose a shorter name."),
        )
    for other, other_name in enumerate(images.class_names):
        if other != index and same_class_key(other_name) == same_class_key(wanted):
            raise DataError(
                message('There is a class "{name}" already.', name=other_name),
                hint=message("Merge the two classes, or choose another name."),
            )
    names = (*images.class_names[:index], wanted, *images.class_names[index + 1 :])
    return replace(images, class_names=names)


def merge_classes(images: LabeledImages, source_index: int, target_index: int) -> LabeledImages:
    """`images` with the source class's pictures in the target class, and the source class gone.

    Raises `DataError`.
    """
    _check_index(images, source_index)
    _check_index(images, target_index)
    if source_index == target_index:
        raise DataError(
            message(
                '"{name}" cannot be merged with itself.', name=images.class_names[source_index]
            ),
            hint=message("Choose another class to merge it with."),
        )
    moved = tuple(
        replace(image, class_index=target_index) if image.class_index == source_index else image
        for image in images.images
    )
    return _without_class(replace(images, images=moved), source_index)


def remove_class(images: LabeledImages, index: int) -> LabeledImages:
    """`images` without the class at `index` and its pictures. Raises `DataError`."""
    _check_index(images, index)
    if len(images.class_names) == 1:
        raise DataError(
            message('"{name}" is the only class left.', name=images.class_names[0]),
            hint=message("Import other pictures instead."),
        )
    return _without_class(images, index)


def _without_class(images: LabeledImages, index: int) -> LabeledImages:
    kept = tuple(
        replace(image, class_index=image.class_index - (image.class_index > index))
        for image in images.images
        if image.class_index != index
    )
    return LabeledImages(images.class_names[:index] + images.class_names[index + 1 :], kept)


def _check_index(images: LabeledImages, index: int) -> None:
    if not 0 <= index < len(images.class_names):
        raise DataError(
            counted_message(
                "There is no class number {number}; there are {count}.",
                "There is no class number {number}; there are {count}.",
                number=index + 1,
                count=len(images.class_names),
            ),
            hint=message("Choose one of the classes shown."),
        )
