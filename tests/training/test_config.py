"""Settings of a training."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from tlapp.bounds import LEAST_RATE, MOST_RATE, STAGES
from tlapp.errors import TrainingError
from tlapp.training.config import TrainConfig, config_from_values


def test_what_is_left_out_is_filled_by_freeze_mode() -> None:
    frozen, learning = TrainConfig(), TrainConfig(freeze="none")
    assert None not in asdict(frozen).values()
    assert frozen.epochs == 30
    assert learning.epochs < frozen.epochs
    assert learning.backbone_learning_rate < learning.learning_rate


def test_none_means_the_default() -> None:
    wishes: dict[str, Any] = {"epochs": None, "learning_rate": None, "batch_size": None}
    assert TrainConfig(**wishes) == TrainConfig()


def test_the_backbone_may_learn_as_fast_as_the_head() -> None:
    config = TrainConfig(freeze="none", learning_rate=0.01, backbone_learning_rate=0.01)
    assert config.backbone_learning_rate == config.learning_rate


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("epochs", -3),
        ("epochs", 10**6),
        ("epochs", 2.5),
        ("epochs", True),
        ("epochs", "ten"),
        ("learning_rate", 0.0),
        ("learning_rate", -1.0),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("learning_rate", "fast"),
        ("backbone_learning_rate", -1e-3),
        ("weight_decay", -0.1),
        ("label_smoothing", 1.0),
        ("dropout", 1.0),
        ("dropout", float("nan")),
        ("batch_size", 0),
        ("patience", -1),
        ("augmented_views", 1000),
        ("seed", -1),
        ("seed", 2**64),
        ("freeze", ""),
        ("freeze", "stem,,top"),
        ("freeze", "last:0"),
        ("freeze", None),
        ("optimizer", "lion"),
        ("optimizer", ["adamw"]),
    ],
)
def test_a_value_that_cannot_work_is_refused_and_named(field: str, value: object) -> None:
    with pytest.raises(TrainingError) as caught:
        TrainConfig(**{field: value})  # type: ignore[arg-type]
    assert repr(value) in str(caught.value)
    assert caught.value.hint


def test_replace_checks_again() -> None:
    with pytest.raises(TrainingError):
        replace(TrainConfig(), epochs=0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("backbone", "x" * 100_000),
        ("backbone", ["resnet18"]),
        ("backbone", ""),
        ("freeze", "stage 1," * 99_000 + "stage 2"),
        ("stage_rates", (("stage 1", 0.1),) * (STAGES + 1)),
        ("stage_rates", (("x" * 100_000, 0.1),)),
        ("stage_rates", (("stage 1", 10**400),)),
        *[(name, 10**400) for name in ("epochs", "seed", "learning_rate", "dropout", "patience")],
        *[(name, 10**5_000) for name in ("epochs", "seed", "learning_rate", "weight_decay")],
        ("optimizer", "x" * 100_000),
        ("pretrained", "x" * 100_000),
        ("batch_size", [10**5_000] * 100),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, str) else "value",
)
def test_a_value_of_any_size_is_refused_in_a_short_message(field: str, value: object) -> None:
    with pytest.raises(TrainingError) as caught:
        TrainConfig(**{field: value})  # type: ignore[arg-type]
    assert len(str(caught.value)) < 200
    assert len(str(caught.value.hint)) < 200


def test_the_head_s_rate_is_blamed_for_what_follows_from_it() -> None:
    least = TrainConfig(freeze="none", learning_rate=LEAST_RATE)
    assert least.backbone_learning_rate >= LEAST_RATE
    for rate in (5e-324, LEAST_RATE / 2, MOST_RATE * 2):
        with pytest.raises(TrainingError, match="The learning rate cannot be"):
            TrainConfig(learning_rate=rate)


@pytest.mark.parametrize("rates", [3, "ab", [["a"]], [["a", 1, 2]], [[["a"], 0.1]], {"a": 0.1}])
def test_rates_of_stages_that_are_none_are_refused(rates: object) -> None:
    with pytest.raises(TrainingError):
        config_from_values({"stage_rates": rates})
