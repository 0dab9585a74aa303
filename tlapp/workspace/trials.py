"""Finding out by trial how long an epoch takes here, before it is trained."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tlapp.backbones.catalog import find_card
from tlapp.backbones.weights import WeightsStore
from tlapp.data.dataset import Dataset
from tlapp.errors import TlappError
from tlapp.training.config import TrainConfig
from tlapp.training.presets import phases_of
from tlapp.training.trial import learning_speed
from tlapp.workspace.estimates import note_learning_speed, workload
from tlapp.workspace.plan import TrainingPlan, training_job
from tlapp.workspace.planner import Planner
from tlapp.workspace.shelf import BackboneShelf


@dataclass(frozen=True, eq=False)
class Trials:
    """Tries some steps on a visitor's own pictures while nobody trains; one trial at a time."""

    planner: Planner
    shelf: BackboneShelf
    weights: WeightsStore
    is_idle: Callable[[], bool]  # nobody trains
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def measure_epoch(
        self, dataset: Dataset, config: TrainConfig, *, is_wanted: Callable[[], bool]
    ) -> bool:
        """Measure how fast these settings learn, so that `Planner.costs` knows it; whether it did.

        Takes some seconds, and ends early when a training comes or nobody wants it any more. Does
        nothing where it is known already, for the head alone, which is quick, for weights that are
        not here, for pictures that cannot be trained on, and while something else is measured.
        """
        card = find_card(config.backbone)
        is_here = not config.pretrained or self.weights.is_ready(card)
        if config.is_head_alone or not is_here or not self.is_idle():
            return False
        if not self._lock.acquire(blocking=False):
            return False
        try:
            return self._try(self.planner.plan(dataset, phases_of(config), name=""), is_wanted)
        except TlappError:  # the training says it
            return False
        finally:
            self._lock.release()

    def _try(self, plan: TrainingPlan, is_wanted: Callable[[], bool]) -> bool:
        config = plan.config
        work = workload(self.shelf, plan.dataset.images, plan.split, config)
        if work.learning_speed is not None:
            return False
        speed = self.shelf.speed(config.backbone) or self.shelf.measure(config.backbone)
        found = learning_speed(
            training_job(plan, self.shelf),
            work,
            images_per_second=speed,
            should_stop=lambda: not (self.is_idle() and is_wanted()),
        )
        if found is not None:
            note_learning_speed(self.shelf, config, work, found)
        return found is not None
