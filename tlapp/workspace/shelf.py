"""Loaded backbones: a bounded shelf, each loaded once, shared by everybody (read only)."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tlapp.backbones.catalog import CARDS, Card, find_card
from tlapp.backbones.costs import TopCosts, stage_shares, top_costs
from tlapp.backbones.loading import Backbone, load_backbone, sketch_backbone
from tlapp.backbones.speed import SpeedBook, measure_speed
from tlapp.backbones.weights import WeightsStore
from tlapp.jobs.memory import give_back_memory

MEASURE_DELAY_SECONDS = 5.0  # after the start of a server: the first page comes first
BETWEEN_SECONDS = 1.0  # two backbones: somebody may wait to have an epoch timed
SHELF_SIZE = 2  # the largest takes half a gigabyte

_SlotKey = tuple[str, bool, int]  # backbone, whether pretrained, seed of weights that are not
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, kw_only=True)
class CardView:
    """A card, and what this machine knows about it."""

    card: Card
    is_ready: bool  # its weights are here: works without internet
    images_per_second: float | None  # measured here; None: not measured yet


class _Slot:
    """One place on the shelf. Its own lock: loading one backbone does not hold up another."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.backbone: Backbone | None = None


class BackboneShelf:
    """The backbones in use. Every method may be called from any thread."""

    def __init__(self, weights: WeightsStore, speeds: SpeedBook, size: int = SHELF_SIZE) -> None:
        self._weights = weights
        self._speeds = speeds
        self._size = size
        self._slots: OrderedDict[_SlotKey, _Slot] = OrderedDict()
        self._sketches: dict[str, Backbone] = {}  # one a card at most, without weights
        self._shares: dict[str, tuple[float, ...]] = {}
        self._top_costs: dict[tuple[str, int], TopCosts] = {}
        self._lock = threading.Lock()
        self.measuring = threading.Lock()  # held by whoever times something

    def get(self, name: str, *, pretrained: bool = True, seed: int = 0) -> Backbone:
        """A loaded backbone. Raises BackboneError when its weights are not here.

        `seed` draws the weights when they are not pretrained.
        """
        key = _slot_key(name, pretrained=pretrained, seed=seed)
        slot = self._slot(key)
        with slot.lock:
            if slot.backbone is None:
                slot.backbone = self._load(key)
            return slot.backbone

    def borrow(self, name: str, *, pretrained: bool, seed: int) -> Backbone:
        """The same for a short while: one that is not on the shelf is not put there."""
        key = _slot_key(name, pretrained=pretrained, seed=seed)
        with self._lock:
            slot = self._slots.get(key)
        backbone = slot.backbone if slot else None
        return backbone or self._load(key)

    def views(self) -> tuple[CardView, ...]:
        """Every card with what this machine knows about it."""
        return tuple(
            CardView(
                card=card,
                is_ready=self._weights.is_ready(card),
                images_per_second=self._speeds.get(card.name),
            )
            for card in CARDS
        )

    def sketch(self, name: str) -> Backbone:
        """A backbone's shapes and stages without weights; also when they are not here yet."""
        return self._known(self._sketches, name, lambda: sketch_backbone(find_card(name)))

    def stage_shares(self, name: str) -> tuple[float, ...]:
        """Each stage's share of the backbone's work (`costs.stage_shares`)."""
        return self._known(self._shares, name, lambda: stage_shares(self.sketch(name)))

    def top_costs(self, name: str, boundary: int) -> TopCosts:
        """What a picture takes while the stages from there on learn (`costs.top_costs`)."""
        return self._known(
            self._top_costs, (name, boundary), lambda: top_costs(self.sketch(name), boundary)
        )

    def measure_all(self, is_idle: Callable[[], bool], pause: Callable[[float], bool]) -> None:
        """Measure all backbones, one after the other, while `is_idle` says so.

        `pause(seconds)` waits, and is true when it is time to end.
        """
        if pause(MEASURE_DELAY_SECONDS):
            return
        for name in self.unmeasured():
            while not is_idle():
                if pause(1.0):
                    return
            with self.measuring:
                self.measure(name)
            if pause(BETWEEN_SECONDS):
                return

    def unmeasured(self) -> tuple[str, ...]:
        """The backbones whose speed is not known, those that are ready first."""
        views = [view for view in self.views() if view.images_per_second is None]
        return tuple(view.card.name for view in sorted(views, key=lambda view: not view.is_ready))

    def measure(self, name: str) -> float:
        """Measure the speed of a backbone (some seconds of the whole machine) and keep it.

        Weights that are not here are drawn: they take as long. Loaded outside the shelf, so that
        nobody's backbone has to make room. For whoever holds `measuring`.
        """
        card = find_card(name)
        is_ready = self._weights.is_ready(card)
        try:
            speed = measure_speed(load_backbone(card, self._weights, pretrained=is_ready))
        finally:
            give_back_memory()
        self._speeds.put(name, speed)
        return speed

    def speed(self, name: str) -> float | None:
        """Pictures a second on this machine; None: not measured yet."""
        return self._speeds.get(name)

    def known_speed(self, name: str) -> float:
        """The same, measured now where it is not known. For whoever holds `measuring`."""
        return self.speed(name) or self.measure(name)

    def note_pass(self, name: str, images_per_second: float) -> None:
        """Pictures have passed the whole backbone at this speed, decoding counted: where less was
        measured, something else was using the machine then."""
        known = self.speed(name)
        if known is not None and images_per_second > known:
            self._speeds.put(name, images_per_second)

    def learning_speed(self, name: str, kind: str) -> float | None:
        """Forward passes' worth of work a second while it learns; None: not measured yet.

        `kind` tells apart what makes it faster or slower.
        """
        return self._speeds.get(f"{name}, learning {kind}")

    def put_learning_speed(self, name: str, kind: str, forwards_per_second: float) -> None:
        """Keep what a training, or a few steps of one, has shown."""
        self._speeds.put(f"{name}, learning {kind}", forwards_per_second)

    def _known(self, table: dict[_Key, _Value], key: _Key, make: Callable[[], _Value]) -> _Value:
        """What the table has; made outside the lock and put there when it has nothing."""
        with self._lock:
            known = table.get(key)
        if known is None:
            known = make()
            with self._lock:
                table[key] = known
        return known

    def _load(self, key: _SlotKey) -> Backbone:
        name, pretrained, seed = key
        return load_backbone(find_card(name), self._weights, pretrained=pretrained, seed=seed)

    def _slot(self, key: _SlotKey) -> _Slot:
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > self._size:
                self._slots.popitem(last=False)
            return slot


def _slot_key(name: str, *, pretrained: bool, seed: int) -> _SlotKey:
    """Where a backbone stands. Raises BackboneError when there is none of this name."""
    return find_card(name).name, pretrained, 0 if pretrained else seed
