"""What is doubted before a training starts, and in which words."""

from typing import Any

from tests.training.test_freezing import STAGES
from tlapp.training.config import TrainConfig
from tlapp.training.doubts import Doubt, doubts
from tlapp.training.freezing import plan_stages
from tlapp.ui.text.doubts import sentence

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
    assert doubts_of("head", learning_rate=1e9) == [Doubt(name="wild head", rate=1e9)]
    assert doubts_of("last:1", train_batchnorm=True) == [Doubt(name="batchnorm", count=16)]
    assert doubts_of("none", pretrained=False) == [Doubt(name="from scratch", count=500)]


def test_every_doubt_is_a_sentence_with_its_figures() -> None:
    assert "Stage 2 learns below stage 3, which is locked" in sentence(
        Doubt(name="locked above", stage="stage 2", above="stage 3")
    )
    assert "One rate of 0.001" in sentence(Doubt(name="one rate", rate=1e-3))
    assert "A rate of 0.01 rewrites" in sentence(Doubt(name="wrecking rate", rate=0.01))
    assert "A rate of 1e+09 makes the head" in sentence(Doubt(name="wild head", rate=1e9))
    assert "batches of 16" in sentence(Doubt(name="batchnorm", count=16))
    assert "From scratch with 4,999 pictures" in sentence(Doubt(name="from scratch", count=4999))
