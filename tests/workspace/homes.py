"""A home folder as real stores leave it: of everything that is kept there, two."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from tests.pictures import class_folder, jpeg
from tests.runs.examples import epoch_finished, finished, make_classifier, make_record
from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.catalog import find_card
from tlapp.backbones.speed import SpeedBook
from tlapp.backbones.weights import WeightsStore
from tlapp.classifier import Classifier
from tlapp.data.dataset import Dataset, ImportFinished
from tlapp.evaluation.test_pictures import prepare_test_pictures
from tlapp.messages import message
from tlapp.runs.recorder import RunRecorder
from tlapp.runs.store import RunStore
from tlapp.settings import LOCAL_LIMITS, Settings
from tlapp.training.events import TrainingStopped
from tlapp.workspace import VisitorState, Workspace

WIDTH = 8
IMAGE_IDS = tuple(f"{number:064x}" for number in range(50))
KEY = "key"
DOWNLOADED = "resnet18"  # a card whose weights are no package


@dataclass(frozen=True)
class FullHome:
    """What is in it. Of each pair the first is for damaging."""

    folder: Path
    owners: tuple[str, str]
    dataset_ids: tuple[str, str]
    run_ids: tuple[str, str]

    @property
    def settings(self) -> Settings:
        return Settings(home=self.folder, is_public=False, limits=LOCAL_LIMITS)

    def at(self, folder: Path) -> "FullHome":
        """The same in another folder."""
        return replace(self, folder=folder)

    def run_path(self, name: str) -> Path:
        """A file of the first run."""
        return self.folder / "runs" / self.run_ids[0] / name

    def only(self, pattern: str) -> Path:
        """The one file that fits."""
        (path,) = self.folder.glob(pattern)
        return path


def make_home(folder: Path) -> FullHome:
    """A home folder with two of everything."""
    settings = Settings(home=folder / "home", is_public=False, limits=LOCAL_LIMITS)
    workspace = Workspace(settings)
    try:
        pictures = class_folder(folder / "pictures", ("dots", "stripes"), per_class=3)
        owners = ("a" * 64, "b" * 64)
        datasets = tuple(_bring(workspace, owner, pictures) for owner in owners)
        backbone = workspace.models.backbone("efficientnet_lite0")
        test_pictures = prepare_test_pictures([("secret-name.jpg", jpeg())], settings.limits)
        runs = workspace.trainings._runs
        run_ids = tuple(
            _make_run(runs, owner, dataset, lambda epoch: make_classifier(backbone, epoch))
            for owner, dataset in zip(owners, datasets, strict=True)
        )
        for owner, dataset, run_id in zip(owners, datasets, run_ids, strict=True):
            state = VisitorState(dataset_id=dataset.dataset_id)
            workspace.visitors.change(owner, lambda _, state=state: state)
            state = replace(state, run_id=run_id)
            workspace.visitors.change(owner, lambda _, state=state: state)
            workspace.visitors.keep_test_pictures(owner, test_pictures)
    finally:
        workspace.close()
    _fill_others(settings.home)
    return FullHome(
        settings.home, owners, (datasets[0].dataset_id, datasets[1].dataset_id), (*run_ids,)[:2]
    )


def cache_of(home: Path) -> FeatureCache:
    return FeatureCache(home / "features", 10**9)


def features() -> torch.Tensor:
    return torch.arange(len(IMAGE_IDS) * WIDTH, dtype=torch.float32).view(-1, WIDTH)


def _bring(workspace: Workspace, owner: str, pictures: Path) -> Dataset:
    for event in workspace.library.import_folder(
        owner, pictures, name="Small", should_stop=lambda: False
    ):
        if isinstance(event, ImportFinished):
            workspace.library.save(replace(event.dataset, name="Renamed"))
            return workspace.dataset(event.dataset.dataset_id)
    raise AssertionError("The import did not finish.")


def _make_run(
    runs: RunStore, owner: str, dataset: Dataset, classifier_of: Callable[[int], Classifier]
) -> str:
    """Three epochs, then stopped: record, log, model and state are there."""
    record = make_record(owner, dataset_id=dataset.dataset_id, class_names=("dots", "stripes"))
    recorder = RunRecorder(runs.create(record), record)
    recorder.start()
    for epoch in (1, 2, 3):
        event = epoch_finished(classifier_of(epoch), epoch)
        state = {"weight": torch.full((100,), float(epoch))}
        recorder.on_event(replace(event, save_state=lambda state=state: state))
    recorder.on_event(TrainingStopped(finished(classifier_of(3), 3).result))
    recorder.end("stopped", why=message("Stopped."))
    runs.release(record.run_id)
    return record.run_id


def _fill_others(home: Path) -> None:
    speeds = SpeedBook(home / "speeds.json")
    speeds.put(DOWNLOADED, 10.0)
    speeds.put("vgg16", 20.0)
    cache_of(home).put(KEY, IMAGE_IDS, features())
    card = find_card(DOWNLOADED)
    store = WeightsStore(home / "weights")
    store._folder.mkdir(parents=True)
    store._part(card).write_bytes(b"weights" * 100)
    store._put_in_place(card, store._part(card), "0" * 64)
    assert json.loads((home / "weights" / f"{card.file_name}.json").read_text())["bytes"] == 700
