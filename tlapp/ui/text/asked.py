"""What is said of values that cannot be used as they were sent.

A `field` is a message: the label of a component, or the name of a value of the API.
"""

from collections.abc import Collection, Sequence
from types import MappingProxyType
from typing import Final

from tlapp.bounds import shown
from tlapp.messages import Message, counted_message, joined, message

WHERE_IDS_COME_FROM: Final = MappingProxyType(
    {
        "dataset_id": message(
            "Name the data set: send the dataset_id that /create_dataset has answered."
        ),
        "run_id": message("Name the run: send the run_id that /train has answered."),
        "experiment_id": message(
            "Name the experiment: send the experiment_id that /lr_find has answered."
        ),
    }
)
WRITE_TEXT: Final = message("Write it as text, between quotation marks.")
TRUE_OR_FALSE: Final = message("Choose true or false, without quotation marks.")
NO_OBJECT: Final = message("The settings are no object.")
WRITE_OBJECT: Final = message("Write {example}, for example.", example='{"epochs": 5}')
RELOAD: Final = message("Reload the page and try again.")
NOT_READ: Final = message("What was sent cannot be read as this event's values.")
PAGE_ALONE: Final = message("This event happens on the page alone.")
SEE_THE_LIST: Final = message("The README lists what each endpoint takes.")
UPLOAD_FIRST: Final = message(
    "Upload the file to /gradio_api/upload first, then send the path that it answers."
)
UNNAMED_FIELD: Final = message("This value")
WRITE_LIST: Final = message("Put them between [ and ], also when there is one only.")
WRITE_MARK: Final = message(
    "Write {example}.", example='{"path": "...", "meta": {"_type": "gradio.FileData"}}'
)


def nothing_named(field: str) -> Message:
    """An id is missing."""
    return message("{field} is empty.", field=field)


def cannot_be(field: str, value: object) -> Message:
    """This can be nobody's id, no text, or neither true nor false."""
    return message("{field} cannot be {value}.", field=field, value=shown(value))


def too_long(field: str, length: int) -> Message:
    """A text is over its limit."""
    return counted_message(
        "{field} has {count} character.",
        "{field} has {count} characters.",
        count=length,
        field=field,
    )


def write_less(most: int) -> Message:
    """What to do about it."""
    return message("Write {most} or fewer.", most=most)


def no_seed(value: object) -> Message:
    """No seed."""
    return message("The seed cannot be {value}.", value=shown(value))


def whole_number(low: int, high: int) -> Message:
    """What to choose instead."""
    return message("Choose a whole number from {low} to {high}.", low=str(low), high=str(high))


def no_folder(named: str) -> Message:
    """There is no folder under this path of a person's own machine."""
    return message("{named} is not a folder.", named=shown(named))


def no_share(value: object) -> Message:
    """Not a share of pictures that can be held out."""
    return message("{value} percent cannot be held out.", value=shown(value))


def too_many_settings(count: int) -> Message:
    """More names than there are settings."""
    return counted_message(
        "{count} setting is too many.", "{count} settings are too many.", count=count
    )


def name_fewer(most: int) -> Message:
    """What to do about it."""
    return message("Name {most} or fewer.", most=most)


def unknown_setting(name: object) -> Message:
    """No setting is called so."""
    return message("There is no setting {name}.", name=shown(name))


def choose_setting(known: Collection[str]) -> Message:
    """Those that there are."""
    return message("Choose among: {known}.", known=", ".join(sorted(known)))


def no_event_text(name: str, value: object) -> Message:
    """An event of the page does not say what it is about."""
    return message("This event's {name} cannot be {value}.", name=name, value=shown(value))


def wrong_count(wanted: int, fields: Sequence[Message], sent: int) -> Message:
    """Too few values for an event, or too many."""
    if not fields:
        return message(
            "This takes {wanted} values, and {sent} were sent.", wanted=wanted, sent=sent
        )
    return message(
        "This takes {wanted} values ({fields}), and {sent} were sent.",
        wanted=wanted,
        fields=joined(*fields, by=", "),
        sent=sent,
    )


def too_deep(field: Message) -> Message:
    """Lists in lists in lists."""
    return message("{field} has too many lists and objects in one another.", field=field)


def takes_no_file(field: Message) -> Message:
    """A file where there is none to be."""
    return message("{field} is no file.", field=field)


def not_a_file(field: Message) -> Message:
    """What is named is no file that was uploaded."""
    return message("{field} names no file that was uploaded to this server.", field=field)


def no_list(field: Message) -> Message:
    """Several files are wanted, and no list came."""
    return message("{field} is no list of files.", field=field)


def no_mark(field: Message) -> Message:
    """Gradio wants to be told that this is a file."""
    return message("{field} does not say that it is a file.", field=field)


def an_address(field: Message) -> Message:
    """An address where a file is wanted: this server fetches nothing."""
    return message(
        "{field} is an address, and this server fetches nothing from other addresses.", field=field
    )
