"""What learns, what stays as it is, and what is computed once."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.training.test_session import (
    events_of,
    is_equal,
    result_of,
    training_in_phases,
    weights_of,
)
from tests.training.tiny import Album, tiny_backbone
from tlapp.backbones.stages import Stage, stage_parameters
from tlapp.errors import TrainingError
from tlapp.training import inputs
from tlapp.training.config import TrainConfig
from tlapp.training.events import EpochFinished, PhaseStarted
from tlapp.training.finetune import _parameter_groups
from tlapp.training.freezing import find_boundary, plan_stages
from tlapp.training.network import Network

STAGES = tuple(Stage(f"stage {n}", (f"layer{n}",), 10 * n) for n in range(1, 5))
LAST = {"freeze": "last:1", "learning_rate": 0.01, "backbone_learning_rate": 0.01}


def rates(freeze: str, **wishes: Any) -> list[float | None]:
    config = TrainConfig(freeze=freeze, backbone_learning_rate=0.08, **wishes)
    return [plan.learning_rate for plan in plan_stages(STAGES, config)]


def test_every_choice_opens_what_it_says() -> None:
    assert rates("head") == [None] * 4
    assert rates("none") == [0.08] * 4
    assert rates("last:2") == [None, None, 0.08, 0.08]
    assert rates("stage 1,stage 2") == [None, None, 0.08, 0.08]
    assert rates(" Layer1 , stage3 ") == [None, 0.08, None, 0.08]


def test_stages_further_below_learn_slower() -> None:
    assert rates("stage 1", rate_decay=0.5) == [None, 0.02, 0.04, 0.08]
    own = (("stage 3", 1.0),)
    assert rates("stage 1", rate_decay=0.5, stage_rates=own) == [None, 0.02, 1.0, 0.08]


def test_the_boundary_is_the_lowest_stage_that_learns() -> None:
    found = {
        freeze: find_boundary(plan_stages(STAGES, TrainConfig(freeze=freeze)))
        for freeze in ("head", "none", "last:1", "stage 1,stage 3", "stage 4")
    }
    assert found == {"head": 4, "none": 0, "last:1": 3, "stage 1,stage 3": 1, "stage 4": 0}


@pytest.mark.parametrize(
    ("freeze", "known"),
    [
        ("last:5", ("count", 4)),
        ("everything", ("names", "stage 1, stage 2, stage 3, stage 4")),
        ("stage 1,stage 9", ("names", "stage 1, stage 2, stage 3, stage 4")),
    ],
)
def test_a_stage_that_is_not_there_is_refused_with_the_names_of_those_that_are(
    freeze: str, known: tuple[str, object]
) -> None:
    with pytest.raises(TrainingError) as caught:
        plan_stages(STAGES, TrainConfig(freeze=freeze))
    assert caught.value.hint.values == (known,)


def test_frozen_stages_stay_as_they_are_and_open_ones_change() -> None:
    backbone = tiny_backbone()
    trained = result_of(Album(), backbone, epochs=3, **LAST).classifier.backbone.module
    before, after = backbone.module.state_dict(), trained.state_dict()
    for name, tensor in before.items():
        is_open = (
            name.startswith("features.top.")
            and not name.startswith("features.top.1.")
            and "bias" not in name
        )
        if name.startswith("features.stem.") or "running" in name or "num_batches" in name:
            assert torch.equal(after[name], tensor), name
        elif is_open:
            assert not torch.equal(after[name], tensor), name


def test_every_learning_stage_and_the_head_get_the_rates_that_are_shown() -> None:
    backbone = tiny_backbone()
    config = TrainConfig(
        freeze="none", learning_rate=0.5, backbone_learning_rate=0.25, rate_decay=0.1
    )
    plans = plan_stages(backbone.stages, config)
    network = Network(
        backbone,
        plans,
        torch.nn.Linear(12, 3),
        boundary=0,
        train_batchnorm=False,
        workers=1,
    )
    rate_of = {
        id(parameter): group["lr"]
        for group in _parameter_groups(network, config)
        for parameter in group["params"]
    }
    for plan, parameters in network.stages:
        assert {rate_of[id(p)] for p in parameters} == {plan.learning_rate}
    assert {rate_of[id(p)] for p in network.head.parameters()} == {0.5}
    assert [plan.learning_rate for plan in plans] == [0.025, 0.25]
    assert len(rate_of) == len(network.parameters)


def test_activations_from_the_cache_train_to_the_same_accuracy_as_whole_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    album = Album(train=8, valid=4)
    cached = result_of(album, tiny_backbone(), epochs=4, **LAST)
    monkeypatch.setattr(inputs, "MOST_ACTIVATION_BYTES", 0)
    whole = result_of(album, tiny_backbone(), epochs=4, **LAST)
    assert abs(cached.valid_correct - whole.valid_correct) <= 1
    for name, tensor in weights_of(whole).items():
        assert torch.allclose(weights_of(cached)[name].float(), tensor.float(), atol=0.02), name
    assert not is_equal(weights_of(cached), weights_of(whole))  # half precision: it was used


def test_batchnorm_left_in_training_mode_spoils_the_statistics_of_frozen_stages_too() -> None:
    backbone = tiny_backbone()
    module = result_of(
        Album(), backbone, train_batchnorm=True, **LAST
    ).classifier.backbone.module.state_dict()
    before = backbone.module.state_dict()
    assert torch.equal(module["features.stem.0.weight"], before["features.stem.0.weight"])
    assert not torch.equal(
        module["features.stem.1.running_mean"], before["features.stem.1.running_mean"]
    )
    assert not module["features.stem.1.weight"].requires_grad


def phases(*configs: TrainConfig, album: Album | None = None) -> list[Any]:
    return list(training_in_phases(album or Album(), tiny_backbone(), configs))


HEAD = TrainConfig(epochs=3, batch_size=6)
FINE = TrainConfig(epochs=2, batch_size=6, **LAST)  # type: ignore[arg-type]


def test_a_second_phase_goes_on_from_the_best_head_and_its_epochs_are_counted_on() -> None:
    events = phases(HEAD, FINE)
    epochs = [event for event in events if isinstance(event, EpochFinished)]
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3, 4, 5]
    assert [epoch.phase for epoch in epochs] == [1, 1, 1, 2, 2]
    started = [event for event in events if isinstance(event, PhaseStarted)]
    assert [(phase.phase, phase.first_epoch) for phase in started] == [(1, 1), (2, 4)]
    assert started[0].counts.trainable < started[1].counts.trainable
    still = replace(FINE, epochs=1, learning_rate=1e-12, backbone_learning_rate=1e-12)
    *_, last = phases(HEAD, still)
    best = max((e for e in epochs[:3]), key=lambda e: (e.valid_accuracy, -(e.valid_loss or 0)))
    head = last.result.classifier.head
    assert torch.allclose(head.weight, best.classifier.head.weight, atol=1e-6)


def test_a_second_phase_begins_with_a_fresh_optimizer() -> None:
    """What a phase does depends on where it starts, not on how the one before got there."""
    quick = replace(HEAD, learning_rate=1e-12, weight_decay=0.0)
    slow = replace(quick, epochs=1)
    one = [e for e in phases(quick, FINE) if isinstance(e, EpochFinished)][-1]
    two = [e for e in phases(slow, FINE) if isinstance(e, EpochFinished)][-1]
    assert torch.allclose(one.classifier.head.weight, two.classifier.head.weight, atol=1e-3)


def test_the_same_seed_gives_the_same_weights_over_both_phases() -> None:
    first, second = (phases(HEAD, FINE)[-1].result for _ in range(2))
    assert is_equal(weights_of(first), weights_of(second))


def test_augmented_views_are_learnt_from_above_the_boundary_too() -> None:
    plain = result_of(Album(), tiny_backbone(), **LAST)
    viewed = result_of(Album(), tiny_backbone(), augmented_views=2, **LAST)
    assert not is_equal(weights_of(plain), weights_of(viewed))


def test_parameters_of_frozen_stages_are_shared_not_copied() -> None:
    backbone = tiny_backbone()
    epochs = [e for e in events_of(Album(), backbone, **LAST) if isinstance(e, EpochFinished)]
    stem = [id(p) for p in stage_parameters(backbone.module, ("features.stem",))]
    for epoch in epochs:
        module = epoch.classifier.backbone.module
        assert [id(p) for p in stage_parameters(module, ("features.stem",))] == stem
