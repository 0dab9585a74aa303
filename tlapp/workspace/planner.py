"""From a data set and settings to the plan of a training."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tlapp.data.dataset import Dataset, DatasetStore
from tlapp.data.splits import Split, split_images
from tlapp.training.config import TrainConfig
from tlapp.workspace.estimates import Estimates
from tlapp.workspace.plan import TrainingPlan


@dataclass(frozen=True, eq=False)
class Planner:
    """Makes plans, with the time that they will take."""

    store: DatasetStore
    estimates: Estimates

    def plan(self, dataset: Dataset, phases: tuple[TrainConfig, ...], *, name: str) -> TrainingPlan:
        """The data set as it is now, and these phases."""
        return TrainingPlan(
            dataset=dataset,
            split=split_of(dataset),
            picture_of=partial(self.store.picture, dataset),
            phases=phases,
            name=name,
            expected_seconds=self.estimate(dataset, phases),
        )

    def estimate(self, dataset: Dataset, phases: Sequence[TrainConfig]) -> float | None:
        """Expected seconds of these phases on this machine; None: not measured yet."""
        split = split_of(dataset)
        seconds = [self.estimates.seconds(dataset.images, split, phase) for phase in phases]
        return None if None in seconds else sum(each or 0.0 for each in seconds)


def split_of(dataset: Dataset) -> Split:
    """Which pictures are learned from and which are held out."""
    return split_images(
        dataset.images, held_out_share=dataset.held_out_share, seed=dataset.split_seed
    )
