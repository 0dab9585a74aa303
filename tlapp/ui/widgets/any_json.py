"""A value of the API: any JSON, as it was sent, so that our own functions can say what is wrong."""

from typing import Any

import gradio as gr

from tlapp.ui.widgets.quiet import QuietComponentMeta


class AnyJson(gr.JSON, metaclass=QuietComponentMeta):
    """Passes on what a program sends. `schema` is what the API's description says of it: Gradio's
    other components refuse a wrong type themselves, without words."""

    is_template = True  # Gradio then calls it by the name of its parent, which the page knows

    def __init__(self, value: Any = None, *, label: str = "", schema: Any = None) -> None:
        self.schema = {} if schema is None else schema  # Gradio reads parameters back
        super().__init__(value, label=label)

    def preprocess(self, payload: Any) -> Any:
        """What was sent."""
        return payload

    def postprocess(self, value: Any) -> Any:
        """The default value, as it is: `gr.JSON` would read a text as JSON."""
        return value

    def api_info(self) -> dict[str, Any]:
        """The value's JSON schema."""
        return dict(self.schema)
