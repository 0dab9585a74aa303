"""What an import has found so far: labels, skipped files, and what is worth saying about them."""

from tlapp.data.images import (
    Finding,
    LabeledImage,
    LabeledImages,
    Skipped,
    some_names,
    some_quoted,
)
from tlapp.data.ingest import ReadPicture
from tlapp.data.layout import Layout
from tlapp.data.source import is_named_as_picture
from tlapp.errors import DataError
from tlapp.messages import NOTHING, Message, counted_message, joined, message
from tlapp.settings import Limits

_CHOOSE_CLASS_FOLDERS = message(
    "Choose the folder whose folders are your classes, or a part of it."
)


class Gathering:
    """Collects the outcome of every file of one import; then gives the labelled pictures."""

    def __init__(self, layout: Layout, empty_folders: tuple[str, ...], limits: Limits) -> None:
        self.skipped = list(layout.skipped)
        self.ignored_count = layout.ignored_count
        self._layout = layout
        self._empty_folders = empty_folders
        self._limits = limits
        self._read: list[ReadPicture] = []
        named = [file for file in layout.placed if is_named_as_picture(file.file.name)]
        _check_pictures(len(named), limits)
        _check_classes(len({file.class_name for file in named}), limits)

    def add(self, picture: ReadPicture) -> None:
        """Note one outcome. Raises `DataError` at the first picture over the limit."""
        if picture.reason:
            self.skipped.append(Skipped(picture.placed.file.name, picture.reason))
        elif not picture.image_id:
            self.ignored_count += 1
        else:
            self._read.append(picture)
        _check_pictures(len(self._read), self._limits)

    def labeled_images(self) -> LabeledImages:
        """The pictures, by class and name. Raises `DataError`: none, or too many classes."""
        if not self._read:
            raise DataError(message("No pictures found."), hint=self._hint_without_pictures())
        names = sorted({picture.placed.class_name for picture in self._read}, key=_sorting_key)
        _check_classes(len(names), self._limits)
        index_of = {name: index for index, name in enumerate(names)}
        images = [
            LabeledImage(
                picture.image_id,
                index_of[picture.placed.class_name],
                picture.placed.file.name,
                picture.placed.part,
            )
            for picture in self._read
        ]
        # The same order from a zip and from a folder, so that the same split and weights follow.
        images.sort(key=lambda image: (image.class_index, image.name, image.image_id))
        return LabeledImages(tuple(names), tuple(images))

    def findings(self) -> tuple[Finding, ...]:
        """What the person may want to know about names, folders and files."""
        return (*self._layout.findings, *self._empty_finding(), *self._animated_finding())

    def _hint_without_pictures(self) -> Message:
        if not self.skipped:
            return message(
                "Give one folder per class, with JPG, PNG, WebP, GIF, BMP or TIFF pictures in it."
            )
        more = len(self.skipped) - 1
        others = counted_message(
            "({count} more were skipped as well.)",
            "({count} more were skipped as well.)",
            count=more,
        )
        return joined(self.skipped[0].reason, others if more else NOTHING)

    def _empty_finding(self) -> list[Finding]:
        present = {picture.placed.class_name for picture in self._read}
        lost = sorted({file.class_name for file in self._layout.placed} - present)
        names = [*self._empty_folders, *lost]
        if not names:
            return []
        said = message(
            "No picture could be read from {folders}; left out.", folders=some_quoted(names)
        )
        return [Finding("empty_class", said, (), len(names))]

    def _animated_finding(self) -> list[Finding]:
        names = [picture.placed.file.name for picture in self._read if picture.notice]
        if not names:
            return []
        said = counted_message(
            "{count} picture is animated; its first frame is used: {names}.",
            "{count} pictures are animated; their first frames are used: {names}.",
            count=len(names),
            names=some_names(names),
        )
        return [Finding("animated", said, (), len(names))]


def _check_pictures(count: int, limits: Limits) -> None:
    if count > limits.images:
        said = counted_message(
            "There is {count} picture. At most {limit} pictures can be imported.",
            "There are {count} pictures. At most {limit} pictures can be imported.",
            count=count,
            limit=limits.images,
        )
        raise DataError(said, hint=_CHOOSE_CLASS_FOLDERS)


def _check_classes(count: int, limits: Limits) -> None:
    if count > limits.classes:
        said = counted_message(
            "There is {count} class. At most {limit} classes can be imported.",
            "There are {count} classes. At most {limit} classes can be imported.",
            count=count,
            limit=limits.classes,
        )
        raise DataError(said, hint=_CHOOSE_CLASS_FOLDERS)


def _sorting_key(name: str) -> tuple[str, str]:
    return name.casefold(), name
