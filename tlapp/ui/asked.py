"""Values that a program or a page has sent: any JSON may come, and words say what was wanted.

Each reader raises a `TlappError` that names the field. `null` means that nothing was given.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from tlapp.bounds import (
    ID_CHARACTERS,
    MOST_SEED,
    NAME_CHARACTERS,
    PATH_CHARACTERS,
    SETTINGS,
    is_text,
)
from tlapp.errors import DataError, NotFoundError, TrainingError
from tlapp.ui import text
from tlapp.ui.text import asked as words

LEAST_PERCENT, MOST_PERCENT = 5, 50  # of the pictures, to be held out


def asked_id(field: str, value: object) -> str:
    """An id, as it was sent; whether it is known is for others to say."""
    if value is None or value == "":
        raise NotFoundError(words.nothing_named(field), hint=words.WHERE_IDS_COME_FROM[field])
    if not is_text(value, ID_CHARACTERS):
        raise NotFoundError(words.cannot_be(field, value), hint=words.WHERE_IDS_COME_FROM[field])
    return value


def asked_text(field: str, value: object, *, usual: str, most: int = NAME_CHARACTERS) -> str:
    """A text; `usual` when none is given."""
    if value is None:
        return usual
    if isinstance(value, str) and len(value) > most:
        raise TrainingError(words.too_long(field, len(value)), hint=words.write_less(most))
    if not is_text(value, most):
        raise TrainingError(words.cannot_be(field, value), hint=words.WRITE_TEXT)
    return value


def asked_folder(value: object) -> Path:
    """A folder of this machine, as a person has typed or copied it. Raises DataError."""
    named = (
        value.strip().strip("\"'") if is_text(value, PATH_CHARACTERS) else ""
    )  # as Windows copies
    if value is None or named == "":
        raise DataError(text.NO_PATH, hint=text.TYPE_PATH)
    try:
        folder = Path(named).expanduser()
        is_there = folder.is_dir()
    except (OSError, RuntimeError):  # a name that the disk refuses, or a home that nobody has
        is_there = False
    if not is_there:
        raise DataError(words.no_folder(named), hint=text.TYPE_PATH)
    return folder


def asked_seed(value: object) -> int:
    """A seed; 0 when none is given."""
    whole = 0 if value is None else asked_whole(value)
    if not isinstance(whole, int) or isinstance(whole, bool) or not 0 <= whole <= MOST_SEED:
        raise TrainingError(words.no_seed(value), hint=words.whole_number(0, MOST_SEED))
    return whole


def asked_whole(number: Any) -> Any:
    """1.0 as 1, since JSON numbers may come as floats; anything else is for others to refuse.

    A rate of 1e30 stays one: no answer and no file takes a whole number of more than 64 bits.
    """
    is_whole = isinstance(number, float) and number.is_integer() and abs(number) <= MOST_SEED
    return int(number) if is_whole else number


def asked_percent(value: object) -> float:
    """The percent of pictures to hold out. Raises DataError, also for NaN."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not LEAST_PERCENT <= cast(float, value) <= MOST_PERCENT:
        raise DataError(words.no_share(value), hint=words.whole_number(LEAST_PERCENT, MOST_PERCENT))
    return float(cast(float, value))


def asked_flag(field: str, value: object, *, usual: bool) -> bool:
    """True or false, and nothing that could be taken for one of them."""
    if value is None:
        return usual
    if not isinstance(value, bool):
        raise TrainingError(words.cannot_be(field, value), hint=words.TRUE_OR_FALSE)
    return value


def asked_settings(value: object, known: frozenset[str]) -> dict[str, Any]:
    """An object whose names are all `known`, as a dictionary of one's own."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TrainingError(words.NO_OBJECT, hint=words.WRITE_OBJECT)
    if len(value) > SETTINGS:
        raise TrainingError(words.too_many_settings(len(value)), hint=words.name_fewer(SETTINGS))
    for name in value:
        if name not in known:
            raise TrainingError(words.unknown_setting(name), hint=words.choose_setting(known))
    return dict(value)


def event_text(event: Mapping[str, Any], name: str) -> str:
    """A text that an event of the page must say. Raises DataError for anything else."""
    value = event.get(name)
    if not is_text(value, NAME_CHARACTERS):
        raise DataError(words.no_event_text(name, value), hint=words.RELOAD)
    return value
