"""From a data set and settings to the plan of a training."""

from collections.abc import Sequence
from dataclasses import dataclass

from tlapp.data.dataset import Dataset, DatasetStore
from tlapp.data.splits import Split, split_images
from tlapp.training.config import TrainConfig
from tlapp.workspace.estimates import Costs, Estimates
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
            picture_of=self.store.pictures(dataset),
            phases=phases,
            name=name,
            expected_seconds=self.seconds(dataset, phases),
        )

    def seconds(
        self, dataset: Dataset, phases: Sequence[TrainConfig], *, knows_features: bool = False
    ) -> float | None:
        """How long these phases will take on this machine (`Estimates.seconds`)."""
        return self.estimates.seconds(
            dataset.images, split_of(dataset), phases, knows_features=knows_features
        )

    def costs(self, dataset: Dataset, phases: Sequence[TrainConfig]) -> Costs:
        """What these phases will take on this machine (`Estimates.costs`)."""
        return self.estimates.costs(dataset.images, split_of(dataset), phases)


def split_of(dataset: Dataset) -> Split:
    """Which pictures are learned from and which are held out."""
    return split_images(
        dataset.images, held_out_share=dataset.held_out_share, seed=dataset.split_seed
    )
