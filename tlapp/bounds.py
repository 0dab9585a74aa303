"""How much one value may be, whoever sends it, and how a value is shown in a message.

Every value is held against these before anything is computed with it: a refusal must cost next to
nothing, and no message gives back a megabyte that somebody has sent. What a machine allows, such as
its epochs, is in `settings.Limits`.
"""

import reprlib
from typing import TypeGuard

from tlapp.messages import Message, counted_message, message, verbatim

ID_CHARACTERS = 100  # of a data set, a run or an experiment; ours have 34
NAME_CHARACTERS = 200  # of a backbone, a stage, a file, a mistake
PATH_CHARACTERS = 4_096  # of a folder of this machine; Linux allows no more
SETTINGS = 50  # in the settings of one training; there are 21
PHASES = 10  # of one training
PHASES_CHARACTERS = 1_000  # in which they are written
STAGES = 100  # that are named for their rate; no backbone has more than 20
FREEZE_CHARACTERS = 2_000  # in which the stages that are frozen are named
LEAST_RATE, MOST_RATE = 1e-30, 1e30  # as 32-bit numbers they are neither 0 nor infinite
MOST_SEED = 2**63 - 1
NESTED = 20  # lists and objects in one another, in the value of one event
SHOWN_CHARACTERS = 80  # of a value in a message; two values and the words stay under 200

_BITS_SHOWN = 128  # of a whole number; the digits of one with more are counted
_DIGITS_PER_BIT = 0.30103  # log10(2)


def is_text(value: object, most: int) -> TypeGuard[str]:
    """Whether this is a text of so many characters at most that can be written anywhere: JSON may
    hold halves of characters, which no file and no answer takes."""
    if not isinstance(value, str) or len(value) > most:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(value: object, most: int = SHOWN_CHARACTERS) -> Message:
    """`value` as code writes it, in `most` characters at most; what is left out shows as "...".

    Never raises: Python itself refuses to write a whole number of more than 4,300 digits.
    """
    if isinstance(value, int) and value.bit_length() > _BITS_SHOWN:
        return counted_message(
            "a number of {count} digit",
            "a number of {count} digits",
            count=int(value.bit_length() * _DIGITS_PER_BIT) + 1,
        )
    short = reprlib.Repr()
    short.maxlevel, short.maxlist, short.maxtuple, short.maxdict = 3, 4, 4, 4
    short.maxstring = short.maxother = most
    try:
        return verbatim(shortened(short.repr(value), most))
    except (ValueError, RecursionError):  # a whole number in it has too many digits
        return message("a {kind} with too much in it", kind=type(value).__name__)


def shortened(text: str, most: int = SHOWN_CHARACTERS) -> str:
    """The beginning of `text`, in `most` characters at most; what is left out shows as "..."."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
