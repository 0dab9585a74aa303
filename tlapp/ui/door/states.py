"""What Gradio keeps of each session, without a copy of the whole page.

Gradio describes every component anew for each session that asks something: 50 ms of the event loop
and 0.4 MB, for links into a page's state (`/deep_link`) that this app does not have. On a flood of
fresh sessions that was more than half of all work.
"""

from copy import copy
from typing import Any

from gradio.blocks import Blocks
from gradio.components import State
from gradio.state_holder import SessionState, StateHolder
from starlette.applications import Starlette

STATES_KEPT = 1_000  # sessions; more than the shares of four clients


class LightSession(SessionState):
    """A session whose components are kept as they were changed, and not described besides."""

    def __init__(self, blocks: Blocks) -> None:
        # Gradio's own __init__ is what costs; these are its other fields.
        self.blocks_config = copy(blocks.default_config)
        self.config_values: dict[int, Any] = {}
        self.state_data: dict[int, Any] = {}
        self._state_ttl: dict[int, Any] = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = 3600

    def __setitem__(self, key: int, value: Any) -> None:
        if isinstance(self.blocks_config.blocks.get(key), State):
            super().__setitem__(key, value)
        else:
            self.blocks_config.blocks[key] = value

    def _update_config(self, key: int) -> None:
        """Nothing is described."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """The same."""


class LightStates(StateHolder):
    """Makes light sessions."""

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = LightSession(self.blocks)
        return super().__getitem__(session_id)


def use_light_states(app: Starlette, blocks: Blocks) -> None:
    """Before the first event."""
    states = LightStates()  # type: ignore[no-untyped-call]  # Gradio names no types there
    states.set_blocks(blocks)
    states.capacity = STATES_KEPT
    app.state_holder = states  # type: ignore[attr-defined]  # it is Gradio's own app
