"""What the server remembers of a visit while it lasts: choices and test pictures, never models.

Bounded: the longest unused visit makes room. What must outlive the process (data set, run) is
kept by the workspace; everything here can be lost without losing work.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from tlapp.errors import NotFoundError
from tlapp.settings import Settings
from tlapp.training.config import TrainConfig
from tlapp.ui import text
from tlapp.ui.watchers import Watchers
from tlapp.workspace import Tried, Workspace, is_token, owner_of

MOST_VISITS = 200  # each holds at most `limits.try_images` test pictures at working size


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One visitor's choices. Changed by replacing it."""

    pending_dataset_id: str | None = None  # imported and shown, but not yet in use
    config: TrainConfig | None = None  # the settings on the page; None: nobody touched them
    tried: Tried | None = None  # the test pictures on the page


class Visits:
    """The visits of this process, by owner. Thread-safe."""

    def __init__(self, most: int = MOST_VISITS) -> None:
        self._most = most
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, owner: str) -> Visit:
        """The visit of this owner; a fresh one when there is none."""
        with self._lock:
            if owner not in self._visits:
                return Visit()
            self._visits.move_to_end(owner)
            return self._visits[owner]

    def change(self, owner: str, change: Callable[[Visit], Visit]) -> Visit:
        """Replace the visit by `change(visit)` and return it."""
        with self._lock:
            visit = change(self._visits.get(owner, Visit()))
            self._visits[owner] = visit
            self._visits.move_to_end(owner)
            while len(self._visits) > self._most:
                self._visits.popitem(last=False)
            return visit


@dataclass(frozen=True, kw_only=True)
class Page:
    """What every handler of the page works with."""

    workspace: Workspace
    visits: Visits
    settings: Settings
    watchers: Watchers = field(default_factory=Watchers)

    def owner_of(self, token: str) -> str:
        """Who the visitor with this token is.

        Raises NotFoundError for anything but a token of ours: all who send nothing would be one.
        """
        if not is_token(token):
            raise NotFoundError(text.NO_VISITOR, hint=text.RELOAD)
        return owner_of(token)
