"""`fetch`: download the weights of backbones, for a classroom without internet."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tlapp.backbones.catalog import CARDS, Card, find_card
from tlapp.backbones.weights import DownloadProgress, WeightsStore
from tlapp.commands.bench import megabytes_of
from tlapp.commands.progress import Progress
from tlapp.messages import Words, message


def fetch_weights(names: Sequence[str], home: Path, words: Words) -> int:
    """Fetch what is not here yet. Raises BackboneError, at the first one that cannot be had."""
    cards = CARDS if "all" in names else tuple(find_card(name) for name in names)
    weights = WeightsStore(home / "weights")
    for card in cards:
        if weights.is_ready(card):
            print(words.say(message("{name}: ready", name=card.name)))
        else:
            _fetch(card, weights, Progress(sys.stderr, words))
            print(words.say(message("{name}: downloaded", name=card.name)))
    return 0


def _fetch(card: Card, weights: WeightsStore, progress: Progress) -> None:
    doing = message("Downloading {name}", name=card.name)
    try:
        for event in weights.fetch(card, lambda: False):
            if isinstance(event, DownloadProgress):
                done, total = event.done_bytes, event.total_bytes
                share = done / total if total else None
                progress.show(doing, megabytes_of(done, total), share)
    finally:
        progress.end()
