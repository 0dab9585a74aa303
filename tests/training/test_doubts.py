"""What is doubted before a training starts."""

from typing import Any

from tests.training.test_freezing import STAGES
from tlapp.training.config import TrainConfig
from tlapp.training.doubts import Doubt, doubts
from tlapp.training.freezing import plan_stages

ONE_RATE = {"learning_rate": 1e-3, "backbone_learning_rate": 1e-3}


def doubts_of(freeze: str, **wishes: Any) -> list[Doubt]:
    config = TrainConfig(freeze=freeze, **wishes)
    return list(doubts(plan_stages(STAGES, config), config, train_count=500))


def test_the_usual_choices_are_not_doubted() -> None:
    assert doubts_of("head") == doubts_of("last:2") == doubts_of("none", rate_decay=0.5) == []
    assert doubts_of("none", head_epochs=30, **ONE_RATE) == []
    assert doubts_of("head", train_batchnorm=True) == []
    assert doubts_of("head", optimizer="sgd", learning_rate=1.0) == []


def test_locks_and_rates_that_make_no_sense_are_doubted() -> None:
    assert doubts_of("stage 1,stage 3") == [
        Doubt(name="locked above", stage="stage 2", above="stage 3")
    ]
    assert doubts_of("none", **ONE_RATE) == [Doubt(name="one rate", rate=1e-3)]
    assert doubts_of("last:1", backbone_learning_rate=0.01) == [
        Doubt(name="wrecking rate", rate=0.01)
    ]
    assert doubts_of("head", learning_rate=1e9) == [Doubt(name="wild head", rate=1e9, usual=2e-3)]
    assert doubts_of("last:1", train_batchnorm=True) == [Doubt(name="batchnorm", count=16)]
    assert doubts_of("none", pretrained=False) == [Doubt(name="from scratch", count=500)]
