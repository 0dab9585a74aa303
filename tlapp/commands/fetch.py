"""`fetch`: download the weights of backbones, for a classroom without internet."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tlapp.backbones.catalog import CARDS, Card, find_card
from tlapp.backbones.weights import DownloadProgress, WeightsStore
from tlapp.commands.progress import Progress
from tlapp.settings import MEGABYTE


def fetch_weights(names: Sequence[str], home: Path) -> int:
    """Fetch what is not here yet. Raises BackboneError, at the first one that cannot be had."""
    cards = CARDS if "all" in names else tuple(find_card(name) for name in names)
    weights = WeightsStore(home / "weights")
    for card in cards:
        if weights.is_ready(card):
            print(f"{card.name}: ready")
        else:
            _fetch(card, weights)
            print(f"{card.name}: downloaded")
    return 0


def _fetch(card: Card, weights: WeightsStore) -> None:
    progress = Progress(sys.stderr)
    try:
        for event in weights.fetch(card, lambda: False):
            if isinstance(event, DownloadProgress):
                done, total = event.done_bytes / MEGABYTE, event.total_bytes / MEGABYTE
                share = done / total if total else None
                progress.show(f"Downloading {card.name}", f"{done:.1f} of {total:.1f} MB", share)
    finally:
        progress.end()
