"""Experiments on a visitor's pictures, as jobs of the one queue."""

import secrets
from dataclasses import dataclass, replace

from tlapp.data.dataset import Dataset
from tlapp.experiments.race import LANES, lanes_at_once, race_phases
from tlapp.runs.record import RunRecord
from tlapp.workspace.experiments import Experiments
from tlapp.workspace.planner import Planner
from tlapp.workspace.shelf import BackboneShelf
from tlapp.workspace.trainings import Trainings


@dataclass(frozen=True, eq=False)
class Lab:
    """Starts experiments, and finds them again. Callers have checked whose the pictures are."""

    planner: Planner
    trainings: Trainings
    shelf: BackboneShelf
    experiments: Experiments

    def start_race(
        self, owner: str, dataset: Dataset, backbone_name: str, *, seed: int = 0
    ) -> tuple[str, ...]:
        """Put a freeze race in the queue as one job; the run ids of its lanes, gentlest first.

        Raises what `Workspace.start_training` raises.
        """
        race_id = secrets.token_urlsafe(12)
        plans = [
            replace(
                self.planner.plan(dataset, phases, name=f"{dataset.name}, {LANES[lane]}"),
                race_id=race_id,
                lane=lane,
            )
            for lane, phases in race_phases(backbone_name, seed=seed).items()
        ]
        at_once = lanes_at_once(self.shelf.sketch(backbone_name).parameter_count)
        return self.trainings.start(owner, *plans, at_once=at_once)

    def estimate_race(self, dataset: Dataset, backbone_name: str) -> float | None:
        """Expected seconds of a race on this machine; None: not measured yet."""
        seconds = [
            self.planner.estimate(dataset, phases)
            for phases in race_phases(backbone_name, seed=0).values()
        ]
        return None if None in seconds else sum(each or 0.0 for each in seconds)

    def newest_race(self, owner: str) -> tuple[RunRecord, ...]:
        """The lanes of the owner's newest race, gentlest first; (): there is none."""
        runs = [record for record in self.trainings.list(owner) if record.race_id]
        return tuple(record for record in reversed(runs) if record.race_id == runs[0].race_id)
