"""What a panel is: a part of the page that is drawn from a visit."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeGuard

from gradio.blocks import Block

from tlapp.ui.visit import Visit

# What Gradio takes: a component's value, or an update of its properties. What is absent stays.
Update = Mapping[Block, Any]


class Panel(Protocol):
    """A part of the page. Its components are made by `build`, inside the page's `Blocks`."""

    def build(self) -> None:
        """Make the components."""

    @property
    def outputs(self) -> tuple[Block, ...]:
        """All components that `render` may fill."""

    def view(self, visit: Visit) -> object:
        """A small value that is another one whenever something else is to be shown."""

    def render(self, visit: Visit) -> Update:
        """Everything that the panel shows of this visit."""


def merged(*updates: Update) -> dict[Block, Any]:
    """One update that does all of these; two of the same component's properties are both kept."""
    together: dict[Block, Any] = {}
    for update in updates:
        for component, change in update.items():
            before = together.get(component)
            if _is_properties(before) and _is_properties(change):
                change = {**before, **change}
            together[component] = change
    return together


def _is_properties(change: object) -> TypeGuard[dict[str, Any]]:
    """Whether this is what `gr.update` returns."""
    return isinstance(change, dict) and change.get("__type__") == "update"
