"""What belongs to which visitor, for the janitor."""

from contextlib import suppress
from dataclasses import dataclass

from tlapp.errors import NotFoundError, RunError
from tlapp.workspace.datasets import Datasets
from tlapp.workspace.experiments import Experiments
from tlapp.workspace.trainings import Trainings
from tlapp.workspace.tried import TriedBook
from tlapp.workspace.visitors import VisitorBook


@dataclass(frozen=True, eq=False)
class Household:
    """All visitors and their things."""

    visitors: VisitorBook
    tried: TriedBook
    datasets: Datasets
    trainings: Trainings
    experiments: Experiments

    def owners(self) -> tuple[str, ...]:
        """Everybody who has something here."""
        return tuple(sorted({*self.visitors.owners(), *self.tried.owners()}))

    def is_busy(self, owner: str) -> bool:
        """Whether a training of theirs waits or runs."""
        return self.trainings.owner_is_busy(owner)

    def remove(self, owner: str) -> None:
        """Remove all that is theirs; the state last, so that a crash in between is made good."""
        self.experiments.forget(owner)
        for record in self.trainings.list(owner):
            with suppress(NotFoundError, RunError):  # somebody else removed it, or just began
                self.trainings.delete(record.run_id)
        for dataset in self.datasets.list(owner):
            with suppress(NotFoundError):
                self.datasets.delete(dataset.dataset_id)
        self.tried.forget(owner)
        self.visitors.forget(owner)
