"""The classes of a data set with their pictures, what was left out, and edits to the classes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from tlapp.bounds import PATH_CHARACTERS, is_text
from tlapp.errors import DataError
from tlapp.messages import message
from tlapp.ui.text.widgets import CLASS_LIST_WORDS
from tlapp.ui.widgets.display import Display

THUMBNAILS_PER_CLASS = 6
THUMBNAILS_IN_ALL = 300  # at about 2 kB each the value stays well under a megabyte
SKIPPED_SHOWN = 200  # names and reasons in the value; the line above them gives the whole count


@dataclass(frozen=True)
class ClassRow:
    """One class."""

    name: str
    count: int  # pictures
    thumbnails: tuple[str, ...] = ()  # addresses: data URIs, or paths of this server


@dataclass(frozen=True)
class SkippedRow:
    """One file that was left out."""

    name: str
    reason: str  # a sentence, in which the name stands


@dataclass(frozen=True, kw_only=True)
class ClassListValue:
    """What the list shows."""

    dataset: str = ""  # which data set this is: another one is shown without what was open
    summary: str  # "376 pictures in 6 classes. 300 to learn from, 76 held out."
    classes: tuple[ClassRow, ...]
    notes: tuple[str, ...] = ()  # findings, as calm sentences
    skipped_line: str = ""  # "3 files were left out: 2 damaged, 1 is not a picture."
    skipped: tuple[SkippedRow, ...] = ()
    skipped_rest: str = ""  # "and 812 more", when `skipped` was cut
    can_undo: bool = False  # whether the last change of the classes can be taken back
    can_edit: bool = True  # False while a training uses the pictures


@dataclass(frozen=True)
class ClassEdit:
    """What a visitor wants done with the classes."""

    action: Literal["rename", "merge", "remove", "undo"]
    index: int = -1  # of the class, in the value that was shown
    class_name: str = ""  # its name there: refuse the edit when it is another one by now
    name: str = ""  # rename: the wanted name
    target: int = -1  # merge: the index of the class that takes the pictures


class ClassList(Display):
    """Classes with thumbnails and counts; rename, merge and remove in an edit mode; undo.

    Event ``edit`` carries an edit that `read_class_edit` checks. As an input, a listener gets None.
    """

    root_class = "tl-classes"
    scripts = ("class_list.js",)
    default_words = CLASS_LIST_WORDS


def thumbnails_per_class(class_count: int) -> int:
    """How many thumbnails of each class to put into the value: 6, fewer of very many classes."""
    return max(0, min(THUMBNAILS_PER_CLASS, THUMBNAILS_IN_ALL // max(1, class_count)))


def skipped_rows(
    skipped: Iterable[tuple[str, str]], *, limit: int = SKIPPED_SHOWN
) -> tuple[SkippedRow, ...]:
    """The first `limit` of the (name, sentence) pairs, as rows."""
    return tuple(SkippedRow(name, reason) for name, reason in islice(skipped, limit))


def read_class_edit(fields: Mapping[str, Any]) -> ClassEdit:
    """The edit that an event says.

    Raises DataError when it is none: any client can send any event.
    """
    index, target = _index(fields.get("index")), _index(fields.get("target"))
    class_name, name = fields.get("class_name"), fields.get("name")
    action = fields.get("action")
    if action == "undo":
        return ClassEdit("undo")
    if isinstance(class_name, str) and index >= 0:
        if action == "rename" and is_text(name, PATH_CHARACTERS):
            return ClassEdit("rename", index, class_name, name=name)
        if action == "merge" and target >= 0:
            return ClassEdit("merge", index, class_name, target=target)
        if action == "remove":
            return ClassEdit("remove", index, class_name)
    raise DataError(
        message("This change of the classes cannot be understood."),
        hint=message("Reload the page and try again."),
    )


def _index(value: Any) -> int:
    """`value` as an index, -1 when it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else -1
