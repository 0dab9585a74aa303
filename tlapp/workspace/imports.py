"""Imports: from a zip or a folder to a data set of one visitor, within the limits."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tlapp.data.dataset import DatasetStore, ImportEvent, ImportFinished
from tlapp.data.samples import sample_folder
from tlapp.errors import DataError
from tlapp.settings import Settings
from tlapp.stopping import ShouldStop
from tlapp.workspace.datasets import Datasets
from tlapp.workspace.trainings import Trainings
from tlapp.workspace.visitors import VisitorBook


@dataclass(frozen=True, eq=False)
class Imports:
    """Starts imports and makes room for what they bring."""

    settings: Settings
    store: DatasetStore
    datasets: Datasets
    visitors: VisitorBook
    trainings: Trainings

    def archive(
        self, owner: str, path: Path, *, name: str, should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        """Import a zip. Raises DataError."""
        events = self.store.import_archive(path, name=name, owner=owner, should_stop=should_stop)
        return self._follow(owner, events, should_stop)

    def folder(
        self, owner: str, path: Path, *, name: str, should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        """Import a folder of this machine. Raises DataError, also where strangers may visit."""
        if self.settings.is_public:
            raise DataError(
                "Folders of the server cannot be read from here.",
                hint="Drop the folder on the page, or upload a zip.",
            )
        events = self.store.import_folder(path, name=name, owner=owner, should_stop=should_stop)
        return self._follow(owner, events, should_stop)

    def samples(self, owner: str, *, should_stop: ShouldStop) -> Iterator[ImportEvent]:
        """Import the sample pictures that come with tlapp."""
        events = self.store.import_folder(
            sample_folder(), name="Sample pictures", owner=owner, should_stop=should_stop
        )
        return self._follow(owner, events, should_stop)

    def _follow(
        self, owner: str, events: Iterator[ImportEvent], should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        if self.settings.limits.idle_seconds is not None:
            self.visitors.ensure(owner)  # so that the janitor finds what is theirs
        for event in self.datasets.follow_import(owner, events, should_stop=should_stop):
            if isinstance(event, ImportFinished):
                shown = {event.dataset.dataset_id, self.visitors.load(owner).dataset_id}
                self.datasets.make_room(owner, is_in_use=partial(self._is_in_use, shown))
            yield event

    def _is_in_use(self, shown: set[str | None], dataset_id: str) -> bool:
        return dataset_id in shown or self.trainings.uses(dataset_id)
