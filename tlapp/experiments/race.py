"""The freeze race: the same pictures, split and seed, learned in five ways, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tlapp.messages import message
from tlapp.runs.record import RunRecord, gain
from tlapp.training.config import TrainConfig
from tlapp.training.presets import apply_preset, find_preset, phases_of

LANES: Final = MappingProxyType(  # presets, the gentlest first, and what runs are called after them
    {
        "head": message("head only"),
        "last": message("last stage"),
        "slower_below": message("slower below"),
        "one_rate": message("one rate"),
        "scratch": message("from scratch"),
    }
)

_LANE_BYTES = 58  # a parameter that learns: see `training.memory`
_MOST_BYTES = 2_400_000_000  # of all lanes that are begun


@dataclass(frozen=True)
class RaceResult:
    """What a race has shown, on the same held-out pictures. Gains come as (gain, low, high),
    shares of 0 to 1 with a 95 % interval."""

    level: tuple[str, ...]  # lanes with the highest accuracy, the winner first
    accuracy: float  # theirs
    runner_up_gain: tuple[float, float, float] | None  # of the winner over the next best
    transfer_gain: tuple[float, float, float] | None  # of the head alone over from scratch
    freezing_gain: tuple[float, float, float] | None  # of slower below over all at one rate

    @property
    def winner(self) -> str:
        """The lane in front, of level ones the gentlest."""
        return self.level[0]


def race_phases(
    backbone: str, *, seed: int, train_count: int
) -> dict[str, tuple[TrainConfig, ...]]:
    """The phases of each lane: what its preset stands for, with so many pictures to learn from."""
    found = {name: find_preset(name) for name in LANES}
    return {
        name: phases_of(apply_preset(preset, backbone=backbone, seed=seed, train_count=train_count))
        for name, preset in found.items()
        if preset is not None
    }


def lanes_at_once(parameter_count: int) -> int:
    """How many lanes fit into memory beside one another: at least one."""
    return max(1, _MOST_BYTES // (_LANE_BYTES * max(1, parameter_count)))


def race_result(records: Sequence[RunRecord]) -> RaceResult | None:
    """What the lanes' records say; None: one was stopped before its end, which says nothing of what
    it would have come to, or fewer than two have a held-out accuracy."""
    if any(record.state == "stopped" for record in records):
        return None
    measured = [record for record in records if record.valid_accuracy is not None]
    by_lane = {record.lane: record for record in measured}
    ranked = sorted(by_lane, key=lambda lane: -(by_lane[lane].valid_accuracy or 0.0))
    if len(ranked) < 2:
        return None
    return RaceResult(
        accuracy=by_lane[ranked[0]].valid_accuracy or 0.0,
        level=tuple(
            lane
            for lane in ranked
            if by_lane[lane].valid_accuracy == by_lane[ranked[0]].valid_accuracy
        ),
        runner_up_gain=_gain(by_lane, ranked[1], ranked[0]),
        transfer_gain=_gain(by_lane, "scratch", "head"),
        freezing_gain=_gain(by_lane, "one_rate", "slower_below"),
    )


def _gain(
    by_lane: dict[str, RunRecord], before: str, after: str
) -> tuple[float, float, float] | None:
    if before not in by_lane or after not in by_lane:
        return None
    return gain(by_lane[before].best_row(), by_lane[after].best_row())
