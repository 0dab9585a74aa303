"""What most widgets are: a value of the server's, drawn by a script on the page."""

from collections.abc import Mapping
from typing import Any, ClassVar

import gradio as gr

from tlapp.messages import Message
from tlapp.ui.widgets.assets import read_script
from tlapp.ui.widgets.quiet import QuietComponentMeta
from tlapp.ui.widgets.values import to_json, words_to_json


class Display(gr.HTML, metaclass=QuietComponentMeta):
    """Shows a value. As an input, a listener gets None, unless a subclass says otherwise."""

    root_class: ClassVar[str]  # of the element that the script fills
    scripts: ClassVar[tuple[str, ...]]
    default_words: ClassVar[Mapping[str, Message]]

    def __init__(
        self, value: Any = None, *, words: Mapping[str, object] | None = None, **options: Any
    ) -> None:
        super().__init__(
            value=value,
            html_template=f'<div class="tl-root {self.root_class}"></div>',
            js_on_load=read_script(*self.scripts),
            apply_default_css=False,
            words=dict(words_to_json(self.default_words) if words is None else words),
            **options,
        )

    def preprocess(self, payload: Any) -> Any:
        """Nothing: what is shown is known to the server, and a browser may say anything."""
        return None

    def postprocess(self, value: Any) -> Any:
        """The value as JSON."""
        return to_json(value)
