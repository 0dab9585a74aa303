"""A home folder opened by the code as it is, whichever version has written it.

All that the tests of earlier versions' homes ask of the workspace is asked here: when its services
change, this file follows, and the tests stay as they are.
"""

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tlapp.data.dataset import Dataset
from tlapp.runs.record import RunRecord
from tlapp.settings import LOCAL_LIMITS, Settings
from tlapp.training.config import TrainConfig
from tlapp.workspace import Workspace, owner_of

PATIENCE_SECONDS = 120.0  # far longer than anything here takes


def unpack_home(archive: Path, folder: Path) -> Path:
    """The home folder in this zip, as `folder`."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return folder


class OpenedHome:
    """What one visitor, who brings the token of a browser, finds in a home folder."""

    def __init__(self, workspace: Workspace, token: str) -> None:
        self._workspace = workspace
        self._owner = owner_of(token)

    def damages(self) -> tuple[object, ...]:
        """What is damaged; () when all can be read."""
        return self._workspace.damages.look()

    def state(self) -> dict[str, Any]:
        """What the page shows: the ids, and the settings as a dictionary."""
        return asdict(self._workspace.visitor_state(self._owner))

    def dataset(self, dataset_id: str) -> Dataset:
        """A data set of the visitor's."""
        return self._workspace.dataset(dataset_id, owner=self._owner)

    def save(self, dataset: Dataset) -> None:
        """Keep it in place of the earlier one."""
        self._workspace.save_dataset(dataset, owner=self._owner)

    def dataset_ids(self) -> list[str]:
        """All data sets of the visitor's."""
        return [dataset.dataset_id for dataset in self._workspace.datasets(self._owner)]

    def split(self, dataset: Dataset) -> dict[str, Any]:
        """Which pictures are learned from, held out and put aside."""
        return asdict(self._workspace.split(dataset))

    def skipped(self, dataset: Dataset) -> list[tuple[str, str]]:
        """Each file that was left out, and why, in words."""
        return [(each.name, each.reason) for each in dataset.skipped]

    def findings(self, dataset: Dataset) -> list[tuple[str, str]]:
        """What deserves attention: a kind, and in words."""
        return [(each.kind, each.message) for each in self._workspace.findings(dataset)]

    def thumbnail(self, dataset_id: str, image_id: str) -> bytes:
        """A small JPEG of one picture."""
        return self._workspace.thumbnail(dataset_id, image_id)

    def records(self) -> list[RunRecord]:
        """The runs, newest first."""
        return list(self._workspace.runs(self._owner))

    def record(self, run_id: str) -> RunRecord:
        """One run."""
        return self._workspace.run(run_id, owner=self._owner)

    def said(self, record: RunRecord) -> tuple[str, str]:
        """How the run ended and what to do about it, in words."""
        return record.message, record.hint

    def can_resume(self, run_id: str) -> bool:
        """Whether the run can go on where it was stopped."""
        return self._workspace.live(run_id, owner=self._owner).can_go_on

    def newest_race(self) -> list[str]:
        """The run ids of the newest race, in the order of its lanes."""
        return [record.run_id for record in self._workspace.lab.newest_race(self._owner)]

    def rename_run(self, run_id: str, name: str) -> None:
        """Call the run so."""
        self._workspace.change_run(run_id, name=name, owner=self._owner)

    def resume(self, run_id: str) -> RunRecord:
        """The run that goes on where this one was stopped, at its end."""
        return self._at_its_end(self._workspace.take_up(run_id, owner=self._owner))

    def train(self, dataset_id: str, config: TrainConfig) -> RunRecord:
        """The record of a training with these settings, at its end."""
        return self._at_its_end(self._workspace.start_training(self._owner, dataset_id, config))

    def answers(self, run_id: str | None) -> list[dict[str, Any]]:
        """What a run says of the visitor's test pictures; None: what the ImageNet head says."""
        tried = self._workspace.tried.get(self._owner)
        assert tried is not None, "The test pictures are gone."
        return [
            {
                "name": result.name,
                "ranked": [(share.name, share.probability) for share in result.ranked],
                "error": result.error,
            }
            for result in self._workspace.answers(tried, run_id)
        ]

    def speeds(self) -> dict[str, float | None]:
        """Pictures per second of each backbone that was measured."""
        return {view.card.name: view.images_per_second for view in self._workspace.cards()}

    def _at_its_end(self, run_id: str) -> RunRecord:
        assert self._workspace.wait(run_id, PATIENCE_SECONDS)
        return self.record(run_id)


@contextmanager
def opened_home(folder: Path, token: str) -> Iterator[OpenedHome]:
    """The home in this folder, open for one visitor."""
    workspace = Workspace(Settings(home=folder, is_public=False, limits=LOCAL_LIMITS))
    try:
        yield OpenedHome(workspace, token)
    finally:
        workspace.close()


def as_json(values: Any) -> Any:
    """Tuples as lists, all the way down: as JSON gives them back."""
    if isinstance(values, dict):
        return {name: as_json(each) for name, each in values.items()}
    if isinstance(values, Sequence) and not isinstance(values, str):
        return [as_json(each) for each in values]
    return values
