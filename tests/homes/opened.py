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

from tests.shown import shown_state
from tlapp.backbones.catalog import DEFAULT_BACKBONE
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
        self._own = workspace.of(self._owner)

    def damages(self) -> tuple[object, ...]:
        """What is damaged; () when all can be read."""
        return self._workspace.damages.look()

    def state(self) -> dict[str, Any]:
        """What the page shows: the ids, and the settings as a dictionary."""
        return asdict(shown_state(self._workspace, self._owner))

    def dataset(self, dataset_id: str) -> Dataset:
        """A data set of the visitor's."""
        return self._own.dataset(dataset_id)

    def save(self, dataset: Dataset) -> None:
        """Keep it in place of the earlier one."""
        self._workspace.library.save(dataset)

    def dataset_ids(self) -> list[str]:
        """All data sets of the visitor's."""
        return [dataset.dataset_id for dataset in self._own.datasets()]

    def split(self, dataset: Dataset) -> dict[str, Any]:
        """Which pictures are learned from, held out and put aside."""
        return asdict(dataset.split)

    def skipped(self, dataset: Dataset) -> list[tuple[str, str]]:
        """Each file that was left out, and why, in words."""
        return [(each.name, str(each.reason)) for each in dataset.skipped]

    def findings(self, dataset: Dataset) -> list[tuple[str, str]]:
        """What deserves attention: a kind, and in words."""
        return [
            (each.kind, str(each.message)) for each in self._workspace.library.findings(dataset)
        ]

    def thumbnail(self, dataset_id: str, image_id: str) -> bytes:
        """A small JPEG of one picture."""
        return self._workspace.library.thumbnail(dataset_id, image_id)

    def records(self) -> list[RunRecord]:
        """The runs, newest first."""
        return list(self._own.runs())

    def record(self, run_id: str) -> RunRecord:
        """One run."""
        return self._own.run(run_id)

    def said(self, record: RunRecord) -> tuple[str, str]:
        """How the run ended and what to do about it, in words."""
        return str(record.message), str(record.hint)

    def can_resume(self, run_id: str) -> bool:
        """Whether the run can go on where it was stopped."""
        return self._own.live(run_id).can_go_on

    def newest_race(self) -> list[str]:
        """The run ids of the newest race, in the order of its lanes."""
        return [record.run_id for record in self._workspace.experiments.newest_race(self._owner)]

    def rename_run(self, run_id: str, name: str) -> None:
        """Call the run so."""
        self._workspace.trainings.change(run_id, name=name)

    def resume(self, run_id: str) -> RunRecord:
        """The run that goes on where this one was stopped, at its end."""
        record = self.record(run_id)
        dataset = self.dataset(record.dataset_id)
        return self._at_its_end(self._workspace.trainings.resume(record, dataset))

    def train(self, dataset_id: str, config: TrainConfig) -> RunRecord:
        """The record of a training with these settings, at its end."""
        dataset = self.dataset(dataset_id)
        return self._at_its_end(self._workspace.trainings.start(self._owner, dataset, config))

    def answers(self, run_id: str | None) -> list[dict[str, Any]]:
        """What a run says of the visitor's test pictures; None: what the ImageNet head says."""
        visitors = self._workspace.visitors
        pictures = visitors.test_pictures(self._owner)
        assert pictures is not None, "The test pictures are gone."
        answers = (
            visitors.imagenet_answers(pictures, self._workspace.models.backbone(DEFAULT_BACKBONE))
            if run_id is None
            else visitors.answers(pictures, self._workspace.trainings.classifier(run_id))
        )
        return [
            {
                "name": result.name,
                "ranked": [(share.name, share.probability) for share in result.ranked],
                "error": str(result.error),
            }
            for result in answers
        ]

    def speeds(self) -> dict[str, float | None]:
        """Pictures per second of each backbone that was measured."""
        return {view.card.name: view.images_per_second for view in self._workspace.models.cards()}

    def _at_its_end(self, run_id: str) -> RunRecord:
        assert self._workspace.trainings.wait(run_id, PATIENCE_SECONDS)
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
