"""Experiments on a visitor's pictures, as jobs of the one queue."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

from tlapp.backbones.weights import DownloadEvent
from tlapp.data.dataset import Dataset
from tlapp.errors import RunError
from tlapp.experiments.bench import Bench, MistakeValue, Side
from tlapp.experiments.lr_finder import STEPS, RateSweep, find_rate
from tlapp.experiments.mistakes import HEAD_MISTAKES, begin_mistake, run_mistake
from tlapp.experiments.race import LANES, lanes_at_once, race_phases
from tlapp.runs.record import RunRecord
from tlapp.stopping import ShouldStop
from tlapp.training.config import TrainConfig
from tlapp.training.presets import phases_of
from tlapp.workspace.earlier import check_same_pictures, phases_of_run
from tlapp.workspace.estimates import total_seconds
from tlapp.workspace.experiments import Experiments
from tlapp.workspace.lane import RACE, TRAINING
from tlapp.workspace.plan import TrainingPlan
from tlapp.workspace.planner import Planner, split_of
from tlapp.workspace.shelf import BackboneShelf
from tlapp.workspace.trainings import Trainings

MISTAKE = "mistake"  # the kind of these experiments; their values are `MistakeValue`s
RATE_FINDER = "lr"  # the kind of these experiments; their values are `RateSweep`s
WHAT = {MISTAKE: "classic mistake", RATE_FINDER: "search for a learning rate"}  # to their owner


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
        lanes = _lanes(dataset, backbone_name, seed=seed)
        for phases in lanes.values():
            self.trainings.check_start(owner, phases)
        race_id = secrets.token_urlsafe(12)
        plans = [
            replace(
                self.planner.plan(dataset, phases, name=f"{dataset.name}, {LANES[lane]}"),
                race_id=race_id,
                lane=lane,
            )
            for lane, phases in lanes.items()
        ]
        at_once = lanes_at_once(self.shelf.sketch(backbone_name).parameter_count)
        return self.trainings.start(owner, *plans, at_once=at_once)

    def estimate_race(self, dataset: Dataset, backbone_name: str) -> float | None:
        """Expected seconds of a race on this machine; None: not measured yet."""
        seconds = [
            self.planner.seconds(dataset, phases, knows_features=lane > 0)
            for lane, phases in enumerate(_lanes(dataset, backbone_name, seed=0).values())
        ]
        return total_seconds(seconds)

    def newest_race(self, owner: str) -> tuple[RunRecord, ...]:
        """The lanes of the owner's newest race, gentlest first; (): there is none."""
        runs = [record for record in self.trainings.list(owner) if record.race_id]
        return tuple(record for record in reversed(runs) if record.race_id == runs[0].race_id)

    def under_way(self, owner: str) -> str:
        """What of the owner's waits or runs, as they call it; "": nothing, they may begin.

        Told by the records, as to those who follow them: the queue holds a job a moment longer,
        and a button that is locked in that moment would stay so.
        """
        if going := [each for each in self.trainings.list(owner) if not each.is_over]:
            return RACE if going[0].race_id else TRAINING
        kinds = (kind for kind in WHAT if self.experiments.is_going(owner, kind))
        return next((WHAT[kind] for kind in kinds), "")

    def start_mistake(
        self, owner: str, record: RunRecord, dataset: Dataset, name: str, *, guess: str = ""
    ) -> str:
        """Put a classic mistake on a copy of a finished run in the queue; the experiment's id.

        Its values are `MistakeValue`s. Raises TrainingError (no such mistake), RunError (the run
        has no result on held-out pictures, or the pictures have changed since), JobError.
        """
        start = begin_mistake(
            name, _right_side(record, name), class_count=len(record.class_names), guess=guess
        )
        check_same_pictures(record, dataset)
        plan = self.planner.plan(dataset, (_head_of(record),), name="")

        def values(should_stop: ShouldStop) -> Iterator[DownloadEvent | MistakeValue]:
            job = yield from self.trainings.make_job(plan, should_stop)
            if job is not None:
                classifier = self.trainings.classifier(record.run_id)
                bench = Bench(job=job, classifier=classifier)
                yield from run_mistake(
                    start, bench, cache=self.trainings.cache, should_stop=should_stop
                )

        uses = plan.uses | {record.run_id}
        return self.experiments.start(
            owner, MISTAKE, values, what=WHAT[MISTAKE], first=start, uses=uses
        )

    def start_rate_finder(self, owner: str, dataset: Dataset, config: TrainConfig) -> str:
        """Put a search for a learning rate for these settings in the queue; the experiment's id.

        Its values are `RateSweep`s, before them those of the download if there is one. Raises
        TrainingError (settings that cannot work), BackboneError, JobError.
        """
        self.trainings.check_start(owner, phases_of(config))
        plan = self.planner.plan(dataset, phases_of(config), name="")

        def values(should_stop: ShouldStop) -> Iterator[DownloadEvent | RateSweep]:
            job = yield from self.trainings.make_job(plan, should_stop)
            if job is not None:
                cache = self.trainings.cache
                yield from find_rate(job, cache=cache, should_stop=should_stop)

        return self.experiments.start(
            owner,
            RATE_FINDER,
            values,
            what=WHAT[RATE_FINDER],
            expected_seconds=self._rate_finder_seconds(dataset, plan),
            uses=plan.uses,
        )

    def _rate_finder_seconds(self, dataset: Dataset, plan: TrainingPlan) -> float | None:
        """About as long as the phases before, and as many epochs as the steps make."""
        steps_a_pass = max(1, ceil(len(plan.split.train) / plan.config.batch_size))
        last = replace(plan.config, epochs=ceil(STEPS / steps_a_pass))
        return self.planner.seconds(dataset, (*plan.phases[:-1], last))


def _lanes(dataset: Dataset, backbone: str, *, seed: int) -> dict[str, tuple[TrainConfig, ...]]:
    return race_phases(backbone, seed=seed, train_count=len(split_of(dataset).train))


def _right_side(record: RunRecord, mistake: str) -> Side:
    """How a run did, or its head. Raises RunError where a mistake can be held against nothing."""
    phase = 1 if mistake in HEAD_MISTAKES and phases_of_run(record)[0].is_head_alone else None
    best = record.best_row(phase)
    if best is None or not best.valid_hits:
        raise RunError(
            "This run has no result on held-out pictures yet.",
            hint="Train to the end, with some pictures held out.",
        )
    if not phases_of_run(record)[-1].pretrained:
        raise RunError(
            "This run began from scratch; the mistakes are about what a network knows already.",
            hint="Train from the pretrained weights, then come back.",
        )
    accuracies = (row.valid_accuracy for row in record.epochs if phase in (None, row.phase))
    return Side(
        best.valid_hits.count("1"),
        len(best.valid_hits),
        accuracies=tuple(each or 0.0 for each in accuracies),
    )


def _head_of(record: RunRecord) -> TrainConfig:
    """The settings of a run's head; by default where it never learned alone."""
    first = phases_of_run(record)[0]
    if first.is_head_alone:
        return first
    return TrainConfig(backbone=first.backbone, pretrained=first.pretrained, seed=first.seed)
