"""Finding out how long an epoch takes here, before it is trained."""

from collections.abc import Callable
from dataclasses import dataclass

from tlapp.backbones.catalog import find_card
from tlapp.backbones.weights import WeightsStore
from tlapp.data.dataset import Dataset
from tlapp.jobs.guard import failure_of
from tlapp.jobs.memory import give_back_memory
from tlapp.training.config import TrainConfig
from tlapp.training.estimate import Workload
from tlapp.training.presets import phases_of
from tlapp.training.throughput import measure_throughput
from tlapp.workspace.estimates import note_learning_speed, workload
from tlapp.workspace.plan import TrainingPlan, training_job
from tlapp.workspace.planner import Planner
from tlapp.workspace.shelf import BackboneShelf


@dataclass(frozen=True, eq=False)
class Timing:
    """Takes a few steps on a visitor's own pictures while nobody trains.

    Not a job of the queue: a training that comes must not wait for it, and what it finds is a
    figure for everybody, not somebody's result.
    """

    planner: Planner
    shelf: BackboneShelf
    weights: WeightsStore
    is_idle: Callable[[], bool]  # nobody trains, and the program is not about to end

    def can_measure(self, config: TrainConfig) -> bool:
        """Whether there is anything to measure: not for the head alone, which is quick, and not for
        weights that are not here."""
        is_here = not config.pretrained or self.weights.is_ready(find_card(config.backbone))
        return is_here and not config.is_head_alone

    def measure_epoch(
        self, dataset: Dataset, config: TrainConfig, *, is_wanted: Callable[[], bool]
    ) -> bool:
        """Measure how fast these settings learn, if it can be; `Planner.costs` knows it then.

        Takes some seconds, and ends early when a training comes or nobody wants it any more. False:
        somebody trains, or something else is measured; ask again later. Pictures that cannot be
        trained on are left for the training to refuse.
        """
        if not self.is_idle() or not self.shelf.measuring.acquire(blocking=False):
            return False
        try:
            failure_of(lambda: self._measure(dataset, config, is_wanted))
        finally:
            self.shelf.measuring.release()
            give_back_memory()
        return True

    def _measure(
        self, dataset: Dataset, config: TrainConfig, is_wanted: Callable[[], bool]
    ) -> None:
        plan = self.planner.plan(dataset, phases_of(config), name="")
        work = workload(self.shelf, plan.dataset.images, plan.split, plan.config)
        if work.learning_speed is None and is_wanted():
            throughput = self._throughput(plan, work, is_wanted)
            if throughput is not None:
                note_learning_speed(self.shelf, plan.config, work, throughput)

    def _throughput(
        self, plan: TrainingPlan, work: Workload, is_wanted: Callable[[], bool]
    ) -> float | None:
        config = plan.config
        backbone = self.shelf.borrow(
            config.backbone, pretrained=config.pretrained, seed=config.seed
        )
        return measure_throughput(
            training_job(plan, backbone),
            work,
            images_per_second=self.shelf.known_speed(config.backbone),
            should_stop=lambda: not (self.is_idle() and is_wanted()),
        )
