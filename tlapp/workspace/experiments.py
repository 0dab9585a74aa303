"""Experiments of all visitors: one question, asked of the queue, looked at while it is answered.

A race is trainings that are kept as runs. The other experiments are generators of values, each of
which is the whole of what is known by then; they are in memory only.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from math import ceil
from types import MappingProxyType
from typing import Any, Final

from tlapp.backbones.weights import DownloadEvent
from tlapp.data.dataset import Dataset
from tlapp.errors import NotFoundError, RunError
from tlapp.experiments.bench import Bench, MistakeValue, Side
from tlapp.experiments.lr_finder import STEPS, RateSweep, find_rate
from tlapp.experiments.mistakes import HEAD_MISTAKES, begin_mistake, run_mistake
from tlapp.experiments.race import LANES, lanes_at_once, race_phases
from tlapp.jobs.job import Job, JobState
from tlapp.jobs.queue import JobQueue
from tlapp.messages import ENGLISH, NOTHING, Message, message, verbatim, words
from tlapp.recent import Recent
from tlapp.runs.record import RunRecord
from tlapp.stopping import ShouldStop
from tlapp.training.config import TrainConfig
from tlapp.training.presets import phases_of
from tlapp.workspace.estimates import total_seconds
from tlapp.workspace.models import Models
from tlapp.workspace.plan import TrainingPlan, check_same_pictures, phases_of_run
from tlapp.workspace.trainings import Trainings
from tlapp.workspace.visitors import Changes, Unsubscribe

MISTAKE = "mistake"  # the kind of these experiments; their values are `MistakeValue`s
RATE_FINDER = "lr"  # the kind of these experiments; their values are `RateSweep`s
WHAT: Final = MappingProxyType(  # as their owner calls them
    {MISTAKE: message("classic mistake"), RATE_FINDER: message("search for a learning rate")}
)
MOST_KEPT = 200  # of all visitors; a value takes some 100 kB at most
MOST_RACES = 2_000  # owners whose newest race is remembered; its run ids alone


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One experiment at one moment."""

    experiment_id: str
    kind: str
    state: JobState
    value: Any  # the newest one; None: nothing is known yet
    position: int = 0  # 1: the next to run; 0: not waiting
    message: Message = NOTHING  # why it failed
    hint: Message = NOTHING  # what to do about it

    @property
    def is_over(self) -> bool:
        """Nothing will change any more."""
        return self.state not in ("waiting", "running")


class _Values:
    """Holds the newest value of an experiment."""

    def __init__(self, first: Any) -> None:
        self.newest = first

    def take(self, value: Any) -> None:
        self.newest = value


@dataclass(frozen=True, eq=False)
class _Kept:
    owner: str
    kind: str
    job: Job
    values: _Values


class Experiments:
    """Starts experiments, and finds the newest of each kind and visitor again. Any thread may call
    any method."""

    def __init__(
        self, trainings: Trainings, models: Models, queue: JobQueue, changes: Changes
    ) -> None:
        """`changes` is told of every value and end."""
        self._trainings = trainings
        self._models = models
        self._queue = queue
        self._changes = changes
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._races: Recent[str, tuple[str, ...]] = Recent(MOST_RACES)  # the newest, by owner
        self._lock = threading.Lock()

    def start_race(
        self,
        owner: str,
        dataset: Dataset,
        backbone_name: str,
        *,
        seed: int = 0,
        language: str = ENGLISH,
    ) -> tuple[str, ...]:
        """Put a freeze race in the queue as one job; the run ids of its lanes, gentlest first.

        The runs get names of this language. Raises what `Trainings.start` raises.
        """
        say = words(language).say
        lanes = _lanes(dataset, backbone_name, seed=seed)
        for phases in lanes.values():
            self._trainings.check_start(owner, phases)
        race_id = secrets.token_urlsafe(12)
        plans = [
            replace(
                self._trainings.plan(
                    dataset,
                    phases,
                    name=say(message("{dataset}, {lane}", dataset=dataset.name, lane=LANES[lane])),
                ),
                race_id=race_id,
                lane=lane,
            )
            for lane, phases in lanes.items()
        ]
        at_once = lanes_at_once(self._models.sketch(backbone_name).parameter_count)
        run_ids = self._trainings.submit(owner, *plans, at_once=at_once)
        with self._lock:
            self._races.put(owner, run_ids)
        return run_ids

    def estimate_race(self, dataset: Dataset, backbone_name: str) -> float | None:
        """Expected seconds of a race on this machine; None: not measured yet."""
        seconds = [
            self._models.estimates.seconds(dataset, phases, knows_features=lane > 0)
            for lane, phases in enumerate(_lanes(dataset, backbone_name, seed=0).values())
        ]
        return total_seconds(seconds)

    def newest_race(self, owner: str) -> tuple[RunRecord, ...]:
        """The lanes of the owner's newest race, gentlest first; (): there is none.

        Reads the records of that race alone: its run ids are remembered, until one is gone.
        """
        known = self._races.get(owner)
        if known is not None:
            with suppress(NotFoundError, RunError):  # one is removed or damaged: look again
                return tuple(map(self._trainings.record, known))
        lanes = [record for record in self._trainings.records(owner) if record.race_id]
        newest = [record for record in reversed(lanes) if record.race_id == lanes[0].race_id]
        with self._lock:
            if self._races.get(owner) is known:  # else one was started while we looked
                self._races.put(owner, tuple(record.run_id for record in newest))
        return tuple(newest)

    def start_mistake(
        self, record: RunRecord, dataset: Dataset, name: str, *, guess: str = ""
    ) -> str:
        """Put a classic mistake on a copy of a finished run in the queue; the experiment's id.

        Its values are `MistakeValue`s. Raises TrainingError (no such mistake), RunError (the run
        has no result on held-out pictures, or the pictures have changed since), JobError.
        """
        start = begin_mistake(
            name, _right_side(record, name), class_count=len(record.class_names), guess=guess
        )
        check_same_pictures(record, dataset)
        plan = self._trainings.plan(dataset, (_head_of(record),), name="")

        def values(should_stop: ShouldStop) -> Iterator[DownloadEvent | MistakeValue]:
            job = yield from self._trainings.make_job(plan, should_stop)
            if job is not None:
                classifier = self._trainings.classifier(record.run_id)
                bench = Bench(job=job, classifier=classifier)
                yield from run_mistake(
                    start, bench, cache=self._trainings.cache, should_stop=should_stop
                )

        uses = plan.uses | {record.run_id}
        return self.start(record.owner, MISTAKE, values, first=start, uses=uses)

    def start_rate_finder(self, owner: str, dataset: Dataset, config: TrainConfig) -> str:
        """Put a search for a learning rate for these settings in the queue; the experiment's id.

        Its values are `RateSweep`s, before them those of the download if there is one. Raises
        TrainingError (settings that cannot work), BackboneError, JobError.
        """
        self._trainings.check_start(owner, phases_of(config))
        plan = self._trainings.plan(dataset, phases_of(config), name="")

        def values(should_stop: ShouldStop) -> Iterator[DownloadEvent | RateSweep]:
            job = yield from self._trainings.make_job(plan, should_stop)
            if job is not None:
                cache = self._trainings.cache
                yield from find_rate(job, cache=cache, should_stop=should_stop)

        return self.start(
            owner,
            RATE_FINDER,
            values,
            expected_seconds=self._rate_finder_seconds(dataset, plan),
            uses=plan.uses,
        )

    def _rate_finder_seconds(self, dataset: Dataset, plan: TrainingPlan) -> float | None:
        """About as long as the phases before, and as many epochs as the steps make."""
        steps_a_pass = max(1, ceil(len(plan.split.train) / plan.config.batch_size))
        last = replace(plan.config, epochs=ceil(STEPS / steps_a_pass))
        return self._models.estimates.seconds(dataset, (*plan.phases[:-1], last))

    def start(
        self,
        owner: str,
        kind: str,
        make_values: Callable[[ShouldStop], Iterator[Any]],
        *,
        first: Any = None,
        expected_seconds: float | None = None,
        uses: frozenset[str] = frozenset(),
    ) -> str:
        """Put an experiment in the queue, in place of the owner's earlier one of this kind.

        Returns its id; its value is `first` until it runs. Raises JobError (queue full, or the
        owner has something under way).
        """
        values = _Values(first)
        job = self._queue.submit(
            owner,
            make_values,
            values.take,
            what=WHAT.get(kind, verbatim(kind)),
            expected_seconds=expected_seconds,
            uses=uses,
        )
        job.add_listener(lambda: self._changes.tell(owner))
        experiment_id = secrets.token_urlsafe(24)
        with self._lock:
            for earlier in [key for key, kept in self._kept.items() if _is_of(kept, owner, kind)]:
                del self._kept[earlier]
            self._kept[experiment_id] = _Kept(owner, kind, job, values)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._changes.tell(owner)
        return experiment_id

    def forget(self, owner: str) -> None:
        """Let go of what is the owner's."""
        with self._lock:
            self._races.forget(owner)
            for key in [key for key, kept in self._kept.items() if kept.owner == owner]:
                del self._kept[key]

    def newest(self, owner: str, kind: str) -> Experiment | None:
        """The owner's experiment of this kind at this moment; None: there is none."""
        with self._lock:
            own = [key for key, kept in self._kept.items() if _is_of(kept, owner, kind)]
        try:
            return self.look(own[0]) if own else None
        except NotFoundError:  # a later one has just taken its place, or room was made
            return None

    def look(self, experiment_id: str) -> Experiment:
        """The experiment at this moment. Raises NotFoundError."""
        kept = self._find(experiment_id)
        snapshot = self._queue.snapshot(kept.job)
        return Experiment(
            experiment_id=experiment_id,
            kind=kept.kind,
            state=snapshot.state,
            value=kept.values.newest,
            position=snapshot.position,
            message=snapshot.end.message if snapshot.end else NOTHING,
            hint=snapshot.end.hint if snapshot.end else NOTHING,
        )

    def listen(self, experiment_id: str, callback: Callable[[], object]) -> Unsubscribe:
        """Call `callback` at every change, until the returned function is called."""
        return self._find(experiment_id).job.add_listener(callback)

    def stop(self, experiment_id: str) -> None:
        """Ask it to stop. Harmless when it is over."""
        self._queue.stop(self._find(experiment_id).job)

    def wait(self, experiment_id: str, timeout_seconds: float | None) -> bool:
        """Wait until it is over; False when the time ran out first."""
        return self._find(experiment_id).job.wait(timeout_seconds)

    def _find(self, experiment_id: str) -> _Kept:
        with self._lock:
            kept = self._kept.get(experiment_id)
        if kept is None:
            raise NotFoundError(
                message("This experiment is not here any more."), hint=message("Start it again.")
            )
        return kept


def _lanes(dataset: Dataset, backbone: str, *, seed: int) -> dict[str, tuple[TrainConfig, ...]]:
    return race_phases(backbone, seed=seed, train_count=len(dataset.split.train))


def _right_side(record: RunRecord, mistake: str) -> Side:
    """How a run did, or its head. Raises RunError where a mistake can be held against nothing."""
    phase = 1 if mistake in HEAD_MISTAKES and phases_of_run(record)[0].is_head_alone else None
    best = record.best_row(phase)
    if best is None or not best.valid_hits:
        raise RunError(
            message("This run has no result on held-out pictures yet."),
            hint=message("Train to the end, with some pictures held out."),
        )
    if not phases_of_run(record)[-1].pretrained:
        raise RunError(
            message(
                "This run began from scratch; the mistakes are about what a network knows already."
            ),
            hint=message("Train from the pretrained weights, then come back."),
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


def _is_of(kept: _Kept, owner: str, kind: str) -> bool:
    return (kept.owner, kept.kind) == (owner, kind)
