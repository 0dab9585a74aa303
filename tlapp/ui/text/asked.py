"""What is said of values that cannot be used as they were sent."""

from collections.abc import Collection
from types import MappingProxyType
from typing import Final

from tlapp.bounds import shown

WHERE_IDS_COME_FROM: Final = MappingProxyType(
    {
        "dataset_id": "Name the data set: send the dataset_id that /create_dataset has answered.",
        "run_id": "Name the run: send the run_id that /train has answered.",
        "experiment_id": "Name the experiment: send the experiment_id that /lr_find has answered.",
    }
)
WRITE_TEXT = "Write it as text, between quotation marks."
TRUE_OR_FALSE = "Choose true or false, without quotation marks."
NO_OBJECT = "The settings are no object."
WRITE_OBJECT = 'Write {"epochs": 5}, for example.'
RELOAD = "Reload the page and try again."
NOT_READ = "What was sent cannot be read as this event's values."
PAGE_ALONE = "This event happens on the page alone."
SEE_THE_LIST = "The README lists what each endpoint takes."
UPLOAD_FIRST = "Upload the file to /gradio_api/upload first, then send the path that it answers."

WRITE_LIST = "Put them between [ and ], also when there is one only."
WRITE_MARK = 'Write {"path": "...", "meta": {"_type": "gradio.FileData"}}.'


def nothing_named(field: str) -> str:
    """An id is missing."""
    return f"{field} is empty."


def no_id(field: str, value: object) -> str:
    """This can be nobody's id."""
    return f"{field} cannot be {shown(value)}."


def no_text(field: str, value: object) -> str:
    """Not a text."""
    return f"{field} cannot be {shown(value)}."


def too_long(field: str, length: int) -> str:
    """A text is over its limit."""
    return f"{field} has {length:,} characters."


def write_less(most: int) -> str:
    """What to do about it."""
    return f"Write {most:,} or fewer."


def no_flag(field: str, value: object) -> str:
    """Neither true nor false."""
    return f"{field} cannot be {shown(value)}."


def no_seed(value: object) -> str:
    """No seed."""
    return f"The seed cannot be {shown(value)}."


def whole_number(low: int, high: int) -> str:
    """What to choose instead."""
    return f"Choose a whole number from {low} to {high}."


def no_folder(named: str) -> str:
    """There is no folder under this path of a person's own machine."""
    return f"{shown(named)} is not a folder."


def no_share(value: object) -> str:
    """Not a share of pictures that can be held out."""
    return f"{shown(value)} percent cannot be held out."


def too_many_settings(count: int) -> str:
    """More names than there are settings."""
    return f"{count:,} settings are too many."


def name_fewer(most: int) -> str:
    """What to do about it."""
    return f"Name {most:,} or fewer."


def unknown_setting(name: object) -> str:
    """No setting is called so."""
    return f"There is no setting {shown(name)}."


def choose_setting(known: Collection[str]) -> str:
    """Those that there are."""
    return f"Choose among: {', '.join(sorted(known))}."


def no_event_text(name: str, value: object) -> str:
    """An event of the page does not say what it is about."""
    return f"This event's {name} cannot be {shown(value)}."


def wrong_count(wanted: int, names: Collection[str], sent: int) -> str:
    """Too few values for an event, or too many."""
    which = f" ({', '.join(names)})" if names else ""
    return f"This takes {wanted} values{which}, and {sent} were sent."


def too_deep(field: str) -> str:
    """Lists in lists in lists."""
    return f"{field} has too many lists and objects in one another."


def takes_no_file(field: str) -> str:
    """A file where there is none to be."""
    return f"{field} is no file."


def not_a_file(field: str) -> str:
    """What is named is no file that was uploaded."""
    return f"{field} names no file that was uploaded to this server."


def no_list(field: str) -> str:
    """Several files are wanted, and no list came."""
    return f"{field} is no list of files."


def no_mark(field: str) -> str:
    """Gradio wants to be told that this is a file."""
    return f"{field} does not say that it is a file."


def an_address(field: str) -> str:
    """An address where a file is wanted: this server fetches nothing."""
    return f"{field} is an address, and this server fetches nothing from other addresses."
