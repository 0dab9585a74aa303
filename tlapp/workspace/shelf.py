"""Loaded backbones: a bounded shelf, each loaded once, shared by everybody (read only)."""

from dataclasses import dataclass

from tlapp.backbones.catalog import Card


@dataclass(frozen=True, kw_only=True)
class CardView:
    """A card, and what this machine knows about it."""

    card: Card
    is_ready: bool  # its weights are here: works without internet
    images_per_second: float | None  # measured here; None: not measured yet
