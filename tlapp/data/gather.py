"""What an import has found so far: labels, skipped files, and what is worth saying about them."""

from tlapp.data.images import Finding, LabeledImage, LabeledImages, Skipped, some_names
from tlapp.data.ingest import ReadPicture
from tlapp.data.layout import Layout
from tlapp.data.source import is_named_as_picture
from tlapp.errors import DataError
from tlapp.settings import Limits


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
        _check_count("pictures", len(named), limits.images)
        _check_count("classes", len({file.class_name for file in named}), limits.classes)

    def add(self, picture: ReadPicture) -> None:
        """Note one outcome. Raises `DataError` at the first picture over the limit."""
        if picture.reason:
            self.skipped.append(Skipped(picture.placed.file.name, picture.reason))
        elif not picture.image_id:
            self.ignored_count += 1
        else:
            self._read.append(picture)
        _check_count("pictures", len(self._read), self._limits.images)

    def labeled_images(self) -> LabeledImages:
        """The pictures, by class and name. Raises `DataError`: none, or too many classes."""
        if not self._read:
            raise DataError("No pictures found.", hint=self._hint_without_pictures())
        names = sorted({picture.placed.class_name for picture in self._read}, key=_sorting_key)
        _check_count("classes", len(names), self._limits.classes)
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

    def _hint_without_pictures(self) -> str:
        if not self.skipped:
            return (
                "Give one folder per class, with JPG, PNG, WebP, GIF, BMP or TIFF pictures in it."
            )
        more = len(self.skipped) - 1
        others = f" ({more} more were skipped as well.)" if more else ""
        return f"{self.skipped[0].reason}{others}"

    def _empty_finding(self) -> list[Finding]:
        present = {picture.placed.class_name for picture in self._read}
        lost = sorted({file.class_name for file in self._layout.placed} - present)
        names = [*self._empty_folders, *lost]
        if not names:
            return []
        shown = ", ".join(f'"{name}"' for name in names[:4])
        return [
            Finding(
                "empty_class",
                f"No picture could be read from {shown}"
                f"{f' and {len(names) - 4} more' if len(names) > 4 else ''}; left out.",
                (),
                len(names),
            )
        ]

    def _animated_finding(self) -> list[Finding]:
        names = [picture.placed.file.name for picture in self._read if picture.notice]
        if not names:
            return []
        what = (
            "1 picture is animated; its first frame is used"
            if len(names) == 1
            else f"{len(names)} pictures are animated; their first frames are used"
        )
        return [Finding("animated", f"{what}: {some_names(names)}.", (), len(names))]


def _check_count(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise DataError(
            f"There are {count:,} {what}. At most {limit:,} {what} can be imported.",
            hint="Choose the folder whose folders are your classes, or a part of it.",
        )


def _sorting_key(name: str) -> tuple[str, str]:
    return name.casefold(), name
