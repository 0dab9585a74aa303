"""The pretrained networks to choose from, as cards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr

from tlapp.ui.text.widgets import BACKBONE_CARDS_WORDS
from tlapp.ui.widgets.assets import read_script
from tlapp.ui.widgets.quiet import QuietComponentMeta
from tlapp.ui.widgets.values import to_json


@dataclass(frozen=True, kw_only=True)
class BackboneCard:
    """What one card says."""

    name: str  # as in the catalog: "resnet18"
    title: str  # "ResNet18"
    facts: tuple[str, ...]  # "11.7 M parameters", "70 % ImageNet top-1", "43 pictures/s here"
    ready: bool  # the weights are on this machine
    weights: str  # "ready offline", "download 45 MB", "12 of 45 MB", "the download failed: ..."
    download: Literal["", "offered", "running", "failed"] = ""  # offered: `weights` is a button
    progress: float | None = None  # 0 to 1 while the download runs; None: not known yet


@dataclass(frozen=True, kw_only=True)
class BackboneCardsValue:
    """All cards, and which one is chosen."""

    cards: tuple[BackboneCard, ...]
    selected: str
    first_shown: int = 4  # the others wait behind "All 16 backbones"


class BackboneCards(gr.HTML, metaclass=QuietComponentMeta):
    """A radio group of cards.

    Event ``choose`` carries ``name``; event ``fetch`` (the Download button) carries ``name``.
    As an input, a listener gets the chosen name ("" when there is none): check it, a visitor may
    send any text.
    """

    def __init__(
        self,
        value: BackboneCardsValue | None = None,
        *,
        words: Mapping[str, str] = BACKBONE_CARDS_WORDS,
        **options: Any,
    ) -> None:
        super().__init__(
            value=value,
            html_template='<div class="tl-root tl-backbones"></div>',
            js_on_load=read_script("backbone_cards.js"),
            apply_default_css=False,
            words=dict(words),
            **options,
        )

    def preprocess(self, payload: Any) -> Any:
        """The chosen card's name."""
        selected = payload.get("selected") if isinstance(payload, dict) else ""
        return selected if isinstance(selected, str) else ""

    def postprocess(self, value: Any) -> Any:
        """The value as JSON."""
        return to_json(value)
