"""Who owns what in a folder, as far as it has been read: a visitor's list does not read all."""

import threading
from collections.abc import Collection


class Owners:
    """Owners by id. An owner never changes. Safe for several threads."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}
        self._lock = threading.Lock()

    def note(self, item_id: str, owner: str) -> None:
        """This one is the owner's."""
        with self._lock:
            self._owners[item_id] = owner

    def possible(self, item_ids: Collection[str], owner: str) -> tuple[str, ...]:
        """Those that the owner's may be: the own ones and the unknown ones.

        `item_ids` are all that there are; the others are forgotten.
        """
        with self._lock:
            self._owners = {
                each: theirs for each, theirs in self._owners.items() if each in item_ids
            }
            return tuple(each for each in item_ids if self._owners.get(each, owner) == owner)
