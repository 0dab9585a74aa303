"""Class weights, dropout, what is measured, and the end of a lost training."""

from types import SimpleNamespace

import pytest
import torch

from tlapp.errors import TrainingError
from tlapp.training.loss import (
    check_loss,
    class_weights,
    dropout_mask,
    measure,
    rank,
)


def test_balanced_weights_make_every_class_count_the_same() -> None:
    labels_N = torch.tensor([0] * 9 + [1] * 3)
    weights_K = class_weights(labels_N, 2, is_balanced=True)
    assert weights_K[0] * 9 == weights_K[1] * 3
    assert float(weights_K[labels_N].mean()) == pytest.approx(1)


def test_a_class_without_pictures_gets_a_finite_weight() -> None:
    assert class_weights(torch.tensor([0, 0]), 2, is_balanced=True).isfinite().all()


@pytest.mark.parametrize("dropout", [0.1, 0.5, 0.9])
def test_dropout_leaves_out_its_share_and_keeps_the_mean(dropout: float) -> None:
    mask_BD = dropout_mask((101, 999), dropout, torch.Generator().manual_seed(0))
    assert float((mask_BD == 0).float().mean()) == pytest.approx(dropout, abs=0.01)
    assert float(mask_BD.mean()) == pytest.approx(1, abs=0.03)
    assert len(mask_BD.unique()) == 2


def test_scores_are_measured() -> None:
    scores_NK = torch.tensor([[5.0, 0.0], [5.0, 0.0], [0.0, 5.0], [0.0, 5.0]])
    measured = measure(scores_NK, torch.tensor([0, 0, 1, 0]))
    assert (measured.class_correct, measured.count, measured.accuracy) == ((2, 1), 4, 0.75)
    assert measured.hits == (True, True, True, False)


def test_held_out_accuracy_ranks_first_then_held_out_loss_then_training_loss() -> None:
    def epoch(train_loss: float, valid: tuple[float, float] | None) -> SimpleNamespace:
        loss, accuracy = valid or (None, None)
        return SimpleNamespace(train_eval_loss=train_loss, valid_loss=loss, valid_accuracy=accuracy)

    assert rank(epoch(0.5, (0.9, 0.8))) > rank(epoch(0.1, (0.1, 0.7)))
    assert rank(epoch(0.5, (0.1, 0.8))) > rank(epoch(0.1, (0.9, 0.8)))
    assert rank(epoch(0.1, None)) > rank(epoch(0.5, None))


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), 1e9])
def test_a_lost_loss_says_that_the_learning_rate_is_too_high(loss: float) -> None:
    with pytest.raises(TrainingError, match="Learning rate too high: with 10 "):
        check_loss(loss, learning_rate=10.0)
