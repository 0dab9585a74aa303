"""Where visitors come from: the address behind each owner, for the limits of an address.

Whoever makes up a fresh token for each request is a fresh owner each time, but has one address.
Addresses are kept in memory only: nothing on disk tells who was here, and after a restart what is
kept counts for nobody's address until its owner comes again.
"""

import threading
from collections import OrderedDict

MOST_OWNERS = 20_000  # 200 bytes each


class Origins:
    """The newest address of each owner. Safe for several threads."""

    def __init__(self) -> None:
        self._addresses: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, owner: str, address: str) -> None:
        """This owner comes from there; "" is nowhere."""
        if not address:
            return
        with self._lock:
            self._addresses[owner] = address
            self._addresses.move_to_end(owner)
            while len(self._addresses) > MOST_OWNERS:
                self._addresses.popitem(last=False)

    def address_of(self, owner: str) -> str | None:
        """The owner's address; None when it is not known."""
        with self._lock:
            return self._addresses.get(owner)
