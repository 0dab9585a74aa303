"""Settings of a training."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from tlapp.errors import TrainingError
from tlapp.training.config import TrainConfig


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
