"""How long an epoch takes is known before the first one is trained."""

import math

import pytest

from tests.pictures import class_folder
from tests.workspace.conftest import PATIENCE_SECONDS, bring
from tlapp.backbones.speed import SpeedBook
from tlapp.data.dataset import Dataset
from tlapp.training.config import TrainConfig
from tlapp.workspace import Workspace

LAST = TrainConfig(freeze="last:1", epochs=2, batch_size=6)


@pytest.fixture(autouse=True)
def known_speed(workspace: Workspace) -> None:
    """The backbone's plain speed, far from the truth."""
    SpeedBook(workspace.settings.home / "speeds.json").put("efficientnet_lite0", 1000.0)


def measure(workspace: Workspace, dataset: Dataset, config: TrainConfig = LAST) -> bool:
    return workspace.trials.measure_epoch(dataset, config, is_wanted=lambda: True)


def test_what_a_trial_says_is_what_an_epoch_then_takes(
    workspace: Workspace, owner: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = class_folder(tmp_path_factory.mktemp("more"), ("dots", "stripes"), per_class=60)
    dataset = bring(workspace, owner, folder, "More")
    SpeedBook(workspace.settings.home / "speeds.json").put("efficientnet_lite0", 1.0)
    guessed = workspace.costs(dataset.dataset_id, LAST)
    assert measure(workspace, dataset)
    tried = workspace.costs(dataset.dataset_id, LAST)
    assert (guessed.is_epoch_measured, tried.is_epoch_measured) == (False, True)
    run_id = workspace.start_training(owner, dataset.dataset_id, LAST)
    assert workspace.wait(run_id, PATIENCE_SECONDS)
    took = min(epoch.seconds for epoch in workspace.run(run_id).epochs)
    assert guessed.epoch_seconds is not None
    assert tried.epoch_seconds is not None
    off = abs(math.log(tried.epoch_seconds / took))  # the machine may be busy with other things
    assert off < 0.5 * abs(math.log(guessed.epoch_seconds / took))
    assert not measure(workspace, dataset)  # it is known


def test_other_ways_to_learn_are_measured_for_themselves(
    workspace: Workspace, dataset: Dataset
) -> None:
    assert measure(workspace, dataset)
    other = TrainConfig(freeze="last:1", batch_size=2)
    assert not workspace.costs(dataset.dataset_id, other).is_epoch_measured
    assert measure(workspace, dataset, other)


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(TrainConfig(), id="the head alone"),
        pytest.param(TrainConfig(backbone="resnet18", freeze="last:1"), id="weights not here"),
    ],
)
def test_what_cannot_be_tried_is_left(
    workspace: Workspace, dataset: Dataset, config: TrainConfig
) -> None:
    assert not measure(workspace, dataset, config)
    assert not workspace.costs(dataset.dataset_id, config).is_epoch_measured


def test_a_backbone_of_unknown_speed_is_measured_first(
    workspace: Workspace, dataset: Dataset
) -> None:
    config = TrainConfig(backbone="efficientnet_lite1", freeze="last:1", batch_size=2)
    assert workspace.costs(dataset.dataset_id, config).seconds is None
    assert measure(workspace, dataset, config)
    assert workspace.costs(dataset.dataset_id, config).is_epoch_measured


def test_pictures_that_cannot_be_trained_on_are_left_to_the_training_to_refuse(
    workspace: Workspace, owner: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = class_folder(tmp_path_factory.mktemp("one"), ("dots",), per_class=4)
    assert not measure(workspace, bring(workspace, owner, folder, "One"))


def test_a_trial_that_nobody_wants_any_more_ends(workspace: Workspace, dataset: Dataset) -> None:
    assert not workspace.trials.measure_epoch(dataset, LAST, is_wanted=lambda: False)
    assert measure(workspace, dataset)  # and the next one may begin


def test_nothing_is_tried_while_somebody_trains(
    workspace: Workspace, owner: str, dataset: Dataset
) -> None:
    endless = TrainConfig(epochs=1000, batch_size=1)
    run_id = workspace.start_training(owner, dataset.dataset_id, endless)
    assert not measure(workspace, dataset)
    workspace.stop(run_id)
    assert workspace.wait(run_id, PATIENCE_SECONDS)
    assert measure(workspace, dataset)
