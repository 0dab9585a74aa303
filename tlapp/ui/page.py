"""What the page works with, who asks, and what each open tab has been shown.

The page keeps nothing of a visitor by itself: all that must be found again (data set, settings, run,
test pictures) is with the workspace.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

import gradio as gr

from tlapp.errors import NotFoundError
from tlapp.messages import ENGLISH
from tlapp.settings import Settings
from tlapp.ui import text
from tlapp.ui.door.asgi import client_of
from tlapp.ui.tabs import Tabs
from tlapp.ui.visit import Visit
from tlapp.workspace import Workspace, is_token, owner_of


@dataclass(frozen=True, kw_only=True)
class Page:
    """The rooms, the limits, and the open tabs."""

    workspace: Workspace
    settings: Settings
    key: str = ""  # of the machine's own folders; see `door.key`
    tabs: Tabs = field(default_factory=Tabs)

    def visit(self, token: object, tab: str = "", language: str = ENGLISH) -> Visit:
        """The visitor's page as it is now.

        Raises NotFoundError for anything but a token of ours: all who send nothing would be one.
        """
        if not is_token(token):
            raise NotFoundError(text.NO_VISITOR, hint=text.RELOAD)
        return Visit(self.workspace, owner_of(str(token)), tab, language)

    def note_client(self, address: str, values: Sequence[object]) -> None:
        """The visitor whose token is among what was sent comes from this address."""
        for value in values:
            if is_token(value):
                self.workspace.visitors.note_address(owner_of(str(value)), address)

    def program_owner(self, request: gr.Request) -> str:
        """Who a program is, which has no token: its address, and its session if it names one.

        The same after a restart, since `key` is kept; the address cannot be told from it.
        """
        scope = {} if request.request is None else request.request.scope
        address = client_of(scope)
        session = (scope.get("tlapp.body") or {}).get("session_hash") or ""
        said = f"{address}\n{session}".encode("utf-8", "surrogatepass")
        owner = hmac.new(self.key.encode(), said, "sha256").hexdigest()
        self.workspace.visitors.note_address(owner, address)
        return owner
