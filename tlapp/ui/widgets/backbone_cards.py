"""The pretrained networks to choose from, as cards."""

from dataclasses import dataclass
from typing import Any, Literal

from tlapp.bounds import NAME_CHARACTERS
from tlapp.ui.text.widgets import BACKBONE_CARDS_WORDS
from tlapp.ui.widgets.display import Display


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


class BackboneCards(Display):
    """A radio group of cards.

    Event ``choose`` carries ``name``; event ``fetch`` (the Download button) carries ``name``.
    As an input, a listener gets the chosen name ("" when there is none): check it, a visitor may
    send any text.
    """

    root_class = "tl-backbones"
    scripts = ("backbone_cards.js",)
    default_words = BACKBONE_CARDS_WORDS

    def preprocess(self, payload: Any) -> Any:
        """The chosen card's name."""
        selected = payload.get("selected") if isinstance(payload, dict) else ""
        is_name = isinstance(selected, str) and len(selected) <= NAME_CHARACTERS
        return selected if is_name else ""
