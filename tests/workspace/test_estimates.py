"""Before a training starts: how long it will take, and what will learn."""

from dataclasses import replace

import pytest

from tests.workspace.conftest import PATIENCE_SECONDS
from tlapp.backbones.speed import SpeedBook
from tlapp.data.dataset import Dataset
from tlapp.training.config import TrainConfig
from tlapp.workspace import Workspace


def _speeds(workspace: Workspace) -> SpeedBook:
    return SpeedBook(workspace.settings.home / "speeds.json")


def test_before_the_speed_is_measured_there_is_no_estimate(
    workspace: Workspace, dataset: Dataset
) -> None:
    costs = workspace.models.costs(dataset, TrainConfig(freeze="none"))
    assert (costs.seconds, costs.epoch_seconds) == (None, None)
    assert costs.memory_bytes > 0


def test_everything_takes_longer_than_the_head_and_the_cache_saves_the_most(
    workspace: Workspace, owner: str, dataset: Dataset
) -> None:
    _speeds(workspace).put("efficientnet_lite0", 10.0)
    head, whole = TrainConfig(epochs=3), TrainConfig(epochs=3, freeze="none")
    first = workspace.models.costs(dataset, head).seconds
    longer = workspace.models.costs(dataset, whole).seconds
    assert first is not None
    assert longer is not None
    assert longer > first > 1.0
    run_id = workspace.trainings.start(owner, dataset, head)
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    again = workspace.models.costs(dataset, head).seconds
    assert again is not None
    assert again < 0.5 < first


@pytest.mark.parametrize(
    "config",
    [
        TrainConfig(augmented_views=2, epochs=1),
        TrainConfig(freeze="last:1", augmented_views=2, epochs=1),
    ],
)
def test_the_cache_spares_views_and_what_crosses_a_boundary(
    workspace: Workspace, owner: str, dataset: Dataset, config: TrainConfig
) -> None:
    """12 pictures at 1 picture a second: what is left of the estimate is the learning."""
    _speeds(workspace).put("efficientnet_lite0", 1.0)
    before = workspace.models.costs(dataset, config).seconds
    run_id = workspace.trainings.start(owner, dataset, config)
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    after = workspace.models.costs(dataset, config).seconds
    other_views = workspace.models.costs(dataset, replace(config, seed=1)).seconds
    assert before is not None
    assert after is not None
    assert other_views is not None
    assert after < 1 < other_views < before


def test_an_epoch_that_was_trained_here_is_what_later_ones_are_reckoned_from(
    workspace: Workspace, owner: str, dataset: Dataset
) -> None:
    _speeds(workspace).put("efficientnet_lite0", 1000.0)  # far from the truth
    last = TrainConfig(freeze="last:1", epochs=1, head_epochs=2)
    before = workspace.models.costs(dataset, last)
    assert not before.is_epoch_measured
    run_id = workspace.trainings.start(owner, dataset, last)
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    took = workspace.run(run_id).epochs[-1].seconds
    after = workspace.models.costs(dataset, last)
    assert after.is_epoch_measured
    assert after.epoch_seconds == pytest.approx(took, rel=0.1)
    assert before.epoch_seconds != pytest.approx(took, rel=0.1)
    other = workspace.models.costs(dataset, TrainConfig(freeze="none"))
    assert not other.is_epoch_measured
    head = workspace.models.costs(dataset, TrainConfig())
    assert (head.epoch_seconds, head.is_epoch_measured) == (None, False)


def test_a_speed_measured_on_a_busy_machine_gives_way_to_that_of_a_training(
    workspace: Workspace, owner: str, dataset: Dataset
) -> None:
    speeds = _speeds(workspace)
    speeds.put("efficientnet_lite0", 0.01)
    last = TrainConfig(freeze="last:1", epochs=1)  # not all pictures pass the whole backbone
    for config, is_noted in ((last, False), (TrainConfig(epochs=1), True)):
        run_id = workspace.trainings.start(owner, dataset, config)
        assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
        assert ((speeds.get("efficientnet_lite0") or 0.0) > 0.01) is is_noted
    speeds.put("efficientnet_lite0", 1e6)  # more than a training, which decodes, can show
    run_id = workspace.trainings.start(owner, dataset, TrainConfig(epochs=1, seed=1))
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    assert speeds.get("efficientnet_lite0") == 1e6


def test_cards_know_what_is_ready_and_how_fast(workspace: Workspace) -> None:
    _speeds(workspace).put("efficientnet_lite1", 10.0)
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
    assert frozen.replaced_layer == "fc: 512 -> 1000 becomes 512 -> 2"
    assert (frozen.trainable, learning.frozen) == (513 * 2, 0)
    assert learning.trainable == frozen.trainable + frozen.frozen
