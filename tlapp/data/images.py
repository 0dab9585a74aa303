"""Labelled pictures as values: which picture belongs to which class, and where its bytes are."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Part = Literal["", "train", "valid", "test"]  # "": the folder does not say


@dataclass(frozen=True)
class Picture:
    """One picture at its working size, ready to be read again and again."""

    image_id: str  # SHA-256 (hex) of the decoded pixels; equal pictures have equal ids
    read: Callable[[], bytes]  # the working copy, as made by `decode.make_working_copy`


@dataclass(frozen=True)
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

    def fingerprint(self) -> str:
        """A SHA-256 (hex) over class names, pictures, labels and parts, in order."""
        digest = hashlib.sha256()
        for name in self.class_names:
            digest.update(f"class {name}\n".encode("utf-8", "surrogatepass"))
        for image in self.images:
            digest.update(f"{image.image_id} {image.class_index} {image.part}\n".encode())
        return digest.hexdigest()
