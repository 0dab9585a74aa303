"""The usual choices, and the phases that settings stand for."""

from dataclasses import replace

import pytest

from tlapp.backbones.stages import Stage
from tlapp.bounds import PHASES, PHASES_CHARACTERS
from tlapp.errors import TrainingError
from tlapp.training.config import TrainConfig
from tlapp.training.freezing import plan_stages
from tlapp.training.presets import (
    FINE_TUNING,
    PRESETS,
    Preset,
    apply_preset,
    asked_phases,
    defaults,
    find_preset,
    fine_tuning_of,
    matching_preset,
    phases_of,
)

STAGES = tuple(Stage(f"stage {n}", (f"layer{n}",), n) for n in range(1, 5))


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_each_preset_is_recognised_and_found_by_its_name(preset: Preset) -> None:
    config = apply_preset(preset, backbone="resnet18", seed=3)
    assert matching_preset(config) == preset
    assert find_preset(preset.name) == preset
    assert (config.backbone, config.seed) == ("resnet18", 3)


@pytest.mark.parametrize(
    ("train_count", "epochs", "rate"),
    [
        (None, 6, 1e-3),
        (800, 6, 1e-3),
        (403, 6, 8e-4),
        (100, 15, 5e-4),
        (72, 15, 4e-4),
        (10, 15, 7e-5),
    ],
)
def test_few_pictures_get_more_epochs_at_a_smaller_rate(
    train_count: int | None, epochs: int, rate: float
) -> None:
    config = defaults("last:2", backbone="resnet18", train_count=train_count)
    assert (config.epochs, config.backbone_learning_rate) == (epochs, rate)
    assert fine_tuning_of(TrainConfig(backbone="resnet18"), train_count=train_count) == config


def test_a_preset_for_few_pictures_is_recognised_where_there_are_few() -> None:
    for preset in PRESETS:
        config = apply_preset(preset, backbone="resnet18", train_count=72)
        assert matching_preset(config, train_count=72) == preset
    few = apply_preset(FINE_TUNING, backbone="resnet18", train_count=72)
    assert matching_preset(few, train_count=800) is None


def rates(name: str) -> list[float | None]:
    preset = find_preset(name)
    assert preset is not None
    config = apply_preset(preset, backbone="resnet18")
    return [plan.learning_rate for plan in plan_stages(STAGES, config)]


def test_presets_open_what_they_say() -> None:
    assert rates("head") == [None] * 4
    assert [rate is None for rate in rates("last_two")] == [True, True, False, False]
    falling = rates("slower_below")
    assert falling == sorted(falling, key=lambda rate: rate or 0)
    assert len(set(falling)) == 4
    assert set(rates("one_rate")) == {TrainConfig(freeze="none").learning_rate}


def test_settings_of_ones_own_are_no_preset() -> None:
    config = apply_preset(PRESETS[1], backbone="resnet18")
    assert matching_preset(replace(config, freeze="stage 1")) is None
    assert matching_preset(replace(config, rate_decay=0.3)) is None
    assert matching_preset(replace(config, head_epochs=0)) is None


def test_the_head_learns_first_as_a_phase_of_its_own() -> None:
    config = TrainConfig(freeze="last:1", head_epochs=7, seed=4, label_smoothing=0.1)
    first, last = phases_of(config)
    assert (first.freeze, first.epochs, first.seed, first.label_smoothing) == ("head", 7, 4, 0.1)
    assert last == replace(config, head_epochs=0)
    assert phases_of(TrainConfig(head_epochs=7)) == (TrainConfig(),)
    assert len(phases_of(TrainConfig(freeze="none"))) == 1


def test_phases_can_be_written_down() -> None:
    config = TrainConfig(backbone="resnet18", seed=5)
    head, last, fine = asked_phases(config, "head:20, last:2:3, fine:5")
    assert (head.freeze, head.epochs) == ("head", 20)
    assert (last.freeze, last.epochs) == ("last:2", 3)
    assert (fine.freeze, fine.epochs) == (FINE_TUNING.freeze, 5)
    assert {(each.backbone, each.seed) for each in (head, last, fine)} == {("resnet18", 5)}
    assert all(each.head_epochs == 0 for each in (head, last, fine))


def test_fine_is_what_the_settings_let_learn() -> None:
    config = TrainConfig(freeze="last:1", backbone_learning_rate=1e-5, pretrained=False)
    head, fine = asked_phases(config, "head:4,fine:2")
    assert fine == replace(config, epochs=2)
    assert not head.pretrained


def test_without_a_wish_the_settings_are_the_phases() -> None:
    assert asked_phases(TrainConfig(epochs=3)) == (TrainConfig(epochs=3),)
    assert len(asked_phases(TrainConfig(freeze="last:1", head_epochs=3))) == 2


@pytest.mark.parametrize("wish", ["head", "head:", "head:x", ":5", "head:5,", "head:0", "last:0:5"])
def test_what_is_no_phase_is_refused(wish: str) -> None:
    with pytest.raises(TrainingError):
        asked_phases(TrainConfig(), wish)


def test_the_textbook_rate_is_one_press_away() -> None:
    assert set(rates("textbook")) == {1e-5}
    preset = find_preset("textbook")
    assert preset is not None
    config = apply_preset(preset, backbone="resnet18")
    assert (config.learning_rate, config.freeze) == (1e-5, "none")
    assert config.head_epochs > 0


def test_the_heads_phase_learns_from_plain_pictures_whose_features_are_kept() -> None:
    preset = find_preset("last_two")
    assert preset is not None
    head, fine = phases_of(apply_preset(preset, backbone="resnet18"))
    assert (head.augmented_views, head.learning_rate) == (0, TrainConfig().learning_rate)
    assert fine.augmented_views > 0


@pytest.mark.parametrize("freeze", ["head", "last:1", "none", "stage 1,stage 2"])
def test_defaults_let_the_head_learn_first(freeze: str) -> None:
    config = defaults(freeze, backbone="resnet18", seed=3)
    assert (config.freeze, config.backbone, config.seed) == (freeze, "resnet18", 3)
    assert (config.head_epochs > 0) == (freeze != "head")


@pytest.mark.parametrize(
    "wish",
    [
        "head:1," * 5_000,
        ",".join(["head:1"] * (PHASES + 1)),
        "head:1" + " " * PHASES_CHARACTERS,
        "x" * 900,
        "head:" + "9" * 900,
        "head:0",
        "head:21",
        "head:-1",
        "head:1.5",
    ],
    ids=lambda wish: wish[:20],
)
def test_a_wish_that_is_too_much_is_refused_in_a_short_message(wish: str) -> None:
    with pytest.raises(TrainingError) as caught:
        asked_phases(TrainConfig(), wish, most_epochs=20)
    assert len(f"{caught.value} {caught.value.hint}") < 300


def test_as_many_phases_as_are_allowed_are_taken() -> None:
    assert len(asked_phases(TrainConfig(), ",".join(["head:1"] * PHASES))) == PHASES
    assert asked_phases(TrainConfig(), "head:20", most_epochs=20)[0].epochs == 20
