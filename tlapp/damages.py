"""What was found damaged on disk: said once in the log, and kept for the page to show."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from tlapp.messages import Message

logger = logging.getLogger(__name__)

DamageKind = Literal[
    "run",  # its record
    "epochs",  # of a run
    "model",  # of a run
    "state",  # what going on with a stopped run takes
    "dataset",  # its description
    "visitor",  # what the page showed to one
    "tried",  # the test pictures of a visitor
    "speeds",  # measured on this machine
    "features",  # kept, of pictures
    "weights",  # of a published network
    "folder",  # of the home folder
]
MOST_DAMAGES = 200  # nobody reads more, and a disk may have lost everything
ITEM_CHARACTERS = 8  # of an id: enough to find it in the folder, too few to use it


@dataclass(frozen=True, kw_only=True)
class Damage:
    """One thing that cannot be read, or only as it was before."""

    kind: DamageKind
    item: str  # the beginning of its id; "" where there is one alone
    fault: Message  # a clause after a colon: "it is torn, or no JSON"
    is_replaced: bool = False  # what was kept before it is used instead
    owner: str = ""  # whose it is; "": nobody's, or not known


Note = Callable[[Damage], None]


class Damages:
    """All that were met since the start, each once. Safe for several threads."""

    def __init__(self) -> None:
        self._found: dict[Damage, Damage] = {}  # by itself without its owner, in order
        self._lock = threading.Lock()

    def note(self, damage: Damage) -> None:
        """Keep it and say so in the log, unless that was done: whoever met it first may not have
        known its owner."""
        key = replace(damage, owner="")
        with self._lock:
            known = self._found.get(key)
            if known is not None and not known.owner:
                self._found[key] = damage
            if known is not None or len(self._found) >= MOST_DAMAGES:
                return
            self._found[key] = damage
            is_last = len(self._found) == MOST_DAMAGES
        logger.warning("Damaged %s: %s%s", _name(damage), damage.fault, _what_is_used(damage))
        if is_last:
            logger.warning("Further damaged files are not told.")

    def forget(self, item: str, kind: DamageKind | None = None) -> None:
        """The thing with this id is gone, or was written anew; `kind`: only that of it was."""
        names = (item, short_id(item))  # a backbone's is told in full
        with self._lock:
            for key in [each for each in self._found if each.item in names]:
                if kind in (None, key.kind):
                    del self._found[key]

    def found(self) -> tuple[Damage, ...]:
        """All, in the order in which they were met."""
        with self._lock:
            return tuple(self._found.values())


def short_id(item_id: str) -> str:
    """As much of an id as the log and the page may show."""
    return item_id[:ITEM_CHARACTERS]


def _name(damage: Damage) -> str:
    return f"{damage.kind} {damage.item}".strip()


def _what_is_used(damage: Damage) -> str:
    return "; the one before it is used" if damage.is_replaced else ""
