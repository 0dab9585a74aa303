"""The network's stages from stem to head, what is frozen and what learns, and the switch for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from tlapp.ui.text.widgets import LADDER_WORDS
from tlapp.ui.widgets.assets import read_script
from tlapp.ui.widgets.quiet import QuietComponentMeta
from tlapp.ui.widgets.values import to_json


@dataclass(frozen=True)
class LadderStage:
    """One bar."""

    name: str  # "stage 3"
    parameters: int


@dataclass(frozen=True, kw_only=True)
class LadderValue:
    """Both positions of the switch at once, so that it answers before the server does."""

    stages: tuple[LadderStage, ...]  # stem to top, without the head
    head: LadderStage
    frozen: bool  # the backbone; the head learns in any case
    sentence_frozen: str  # "**7,686** of 3.4 M parameters learn. About **6 s**."
    sentence_open: str  # the same with nothing frozen
    replaced_layer: str  # "classifier: 1280 -> 1000 becomes 1280 -> 6"
    can_change: bool = True  # False while a training runs


class Ladder(gr.HTML, metaclass=QuietComponentMeta):
    """Bars per stage and the "Freeze the backbone" switch.

    Event ``toggle`` carries ``frozen`` (bool). As an input, a listener gets ``frozen`` (bool).
    """

    def __init__(
        self,
        value: LadderValue | None = None,
        *,
        words: Mapping[str, str] = LADDER_WORDS,
        **options: Any,
    ) -> None:
        super().__init__(
            value=value,
            html_template='<div class="tl-root tl-ladder"></div>',
            js_on_load=read_script("ladder.js"),
            apply_default_css=False,
            words=dict(words),
            **options,
        )

    def preprocess(self, payload: Any) -> Any:
        """Whether the backbone is to be frozen; True when the page says nothing sensible."""
        return not (isinstance(payload, dict) and payload.get("frozen") is False)

    def postprocess(self, value: Any) -> Any:
        """The value as JSON."""
        return to_json(value)
