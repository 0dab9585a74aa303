"""What every handler of the page works with, and who asks.

The page keeps nothing of a visitor by itself: all that must be found again (data set, settings, run,
test pictures) is with the workspace.
"""

from dataclasses import dataclass, field

from tlapp.errors import NotFoundError
from tlapp.settings import Settings
from tlapp.ui import text
from tlapp.ui.watchers import Watchers
from tlapp.workspace import Workspace, is_token, owner_of


@dataclass(frozen=True, kw_only=True)
class Page:
    """The rooms, the limits, and who follows what."""

    workspace: Workspace
    settings: Settings
    key: str = ""  # of the machine's own folders; see `door.key`
    watchers: Watchers = field(default_factory=Watchers)

    def owner_of(self, token: str) -> str:
        """Who the visitor with this token is.

        Raises NotFoundError for anything but a token of ours: all who send nothing would be one.
        """
        if not is_token(token):
            raise NotFoundError(text.NO_VISITOR, hint=text.RELOAD)
        return owner_of(token)
