"""Models: what is known of one before it is trained, measured where it is not, and downloads."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.pictures import class_folder
from tests.workspace.conftest import PATIENCE_SECONDS, bring
from tlapp.backbones.speed import SpeedBook
from tlapp.backbones.weights import WeightsStore
from tlapp.data.dataset import Dataset
from tlapp.errors import JobError
from tlapp.settings import Limits
from tlapp.stopping import ShouldStop
from tlapp.training.config import TrainConfig
from tlapp.training.estimate import Workload
from tlapp.training.task import TrainJob
from tlapp.workspace import Workspace, estimates
from tlapp.workspace.models import Downloads


def test_a_download_that_is_refused_can_be_asked_for_again(tmp_path: Path, limits: Limits) -> None:
    downloads = Downloads(WeightsStore(tmp_path), replace(limits, waiting_jobs=0))
    for _ in range(2):
        with pytest.raises(JobError):
            downloads.start("resnet18")
        assert downloads.state("resnet18").state == "absent"
    downloads.close(1.0)


def test_cards_know_what_is_ready_and_how_fast(workspace: Workspace) -> None:
    SpeedBook(workspace.settings.home / "speeds.json").put("efficientnet_lite1", 10.0)
    views = {view.card.name: view for view in workspace.models.cards()}
    assert views["efficientnet_lite0"].is_ready
    assert not views["resnet18"].is_ready
    assert views["efficientnet_lite1"].images_per_second == 10.0
    assert views["resnet18"].images_per_second is None


def test_counts_follow_the_freezing_and_name_the_replaced_layer(
    workspace: Workspace, dataset: Dataset
) -> None:
    frozen = workspace.models.counts(dataset, TrainConfig(backbone="resnet18"))
    learning = workspace.models.counts(dataset, TrainConfig(backbone="resnet18", freeze="none"))
    assert str(frozen.replaced_layer) == "fc: 512 -> 1000 becomes 512 -> 2"
    assert (frozen.trainable, learning.frozen) == (513 * 2, 0)
    assert learning.trainable == frozen.trainable + frozen.frozen


LAST = TrainConfig(freeze="last:1", epochs=2, batch_size=8)


@pytest.fixture(autouse=True)
def known_speed(workspace: Workspace) -> None:
    """The backbone's plain speed, far from the truth."""
    SpeedBook(workspace.settings.home / "speeds.json").put("efficientnet_lite0", 1000.0)


def measure(workspace: Workspace, dataset: Dataset, config: TrainConfig = LAST) -> bool:
    """Whether the time of an epoch is known after it could be measured."""
    assert workspace.models.measure_epoch(dataset, config, is_wanted=lambda: True)
    return workspace.models.costs(dataset, config).is_epoch_measured


def test_what_a_few_steps_say_is_what_an_epoch_then_takes(
    workspace: Workspace, owner: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = class_folder(tmp_path_factory.mktemp("more"), ("dots", "stripes"), per_class=60)
    dataset = bring(workspace, owner, folder, "More")
    SpeedBook(workspace.settings.home / "speeds.json").put("efficientnet_lite0", 5.0)
    guessed = workspace.models.costs(dataset, LAST)
    assert measure(workspace, dataset)
    measured = workspace.models.costs(dataset, LAST)
    assert (guessed.is_epoch_measured, measured.is_epoch_measured) == (False, True)
    run_id = workspace.trainings.start(owner, dataset, LAST)
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    took = min(epoch.seconds for epoch in workspace.run(run_id).epochs)
    assert guessed.epoch_seconds is not None
    assert measured.epoch_seconds is not None
    assert measured.epoch_seconds != guessed.epoch_seconds
    assert 0.2 < measured.epoch_seconds / took < 5  # the machine may be busy with other things


def test_other_ways_to_learn_are_measured_for_themselves(
    workspace: Workspace, dataset: Dataset
) -> None:
    assert measure(workspace, dataset)
    other = TrainConfig(freeze="last:1", batch_size=2)
    assert not workspace.models.costs(dataset, other).is_epoch_measured
    assert measure(workspace, dataset, other)


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(TrainConfig(), id="the head alone"),
        pytest.param(TrainConfig(backbone="resnet18", freeze="last:1"), id="weights not here"),
    ],
)
def test_some_things_cannot_be_measured(
    workspace: Workspace, dataset: Dataset, config: TrainConfig
) -> None:
    assert not workspace.models.can_measure(config)
    assert workspace.models.can_measure(LAST)


def test_a_backbone_of_unknown_speed_is_measured_first(
    workspace: Workspace, dataset: Dataset
) -> None:
    config = TrainConfig(backbone="efficientnet_lite1", freeze="last:1", batch_size=2)
    assert workspace.models.costs(dataset, config).seconds is None
    assert measure(workspace, dataset, config)
    assert workspace.models.costs(dataset, config).is_epoch_measured


def test_pictures_that_cannot_be_trained_on_are_left_to_the_training_to_refuse(
    workspace: Workspace, owner: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = class_folder(tmp_path_factory.mktemp("one"), ("dots",), per_class=4)
    assert not measure(workspace, bring(workspace, owner, folder, "One"))


def test_what_nobody_wants_any_more_is_not_measured(workspace: Workspace, dataset: Dataset) -> None:
    assert workspace.models.measure_epoch(dataset, LAST, is_wanted=lambda: False)
    assert not workspace.models.costs(dataset, LAST).is_epoch_measured
    assert measure(workspace, dataset)  # and the next one may begin


def test_nothing_is_measured_beside_a_training_or_another_measurement(
    workspace: Workspace, owner: str, dataset: Dataset
) -> None:
    wait = partial(workspace.models.measure_epoch, dataset, LAST, is_wanted=lambda: True)
    endless = TrainConfig(epochs=1000, batch_size=1)
    run_id = workspace.trainings.start(owner, dataset, endless)
    assert not wait()
    workspace.trainings.stop(run_id)
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    with workspace.models.estimates.measuring:
        assert not wait()
    assert not workspace.models.costs(dataset, LAST).is_epoch_measured
    assert measure(workspace, dataset)


def test_a_training_that_comes_ends_it(
    workspace: Workspace, owner: str, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def throughput(job: TrainJob, work: Workload, *, should_stop: ShouldStop, **_: float) -> None:
        asked.append(should_stop())
        workspace.trainings.start(owner, dataset, TrainConfig(epochs=1000, batch_size=1))
        asked.append(should_stop())

    monkeypatch.setattr(estimates, "measure_throughput", throughput)
    assert workspace.models.measure_epoch(dataset, LAST, is_wanted=lambda: True)
    assert asked == [False, True]


def test_a_defect_costs_the_figure_and_nothing_else(
    workspace: Workspace, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(estimates, "measure_throughput", fail)
        assert workspace.models.measure_epoch(dataset, LAST, is_wanted=lambda: True)
    assert measure(workspace, dataset)


def test_a_backbone_that_is_borrowed_takes_nobodys_place(workspace: Workspace) -> None:
    backbones = workspace.models.backbones
    kept = backbones.get("efficientnet_lite0")
    assert backbones.borrow("efficientnet_lite0", pretrained=True, seed=0) is kept
    borrowed = [backbones.borrow("resnet18", pretrained=False, seed=seed) for seed in (1, 2, 3)]
    assert len({id(each) for each in borrowed}) == 3
    assert backbones.get("efficientnet_lite0") is kept
