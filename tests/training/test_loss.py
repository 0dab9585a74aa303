"""The training loss, held against torch's own, and the end of a lost training."""

import pytest
import torch
from torch.nn import functional

from tlapp.errors import TrainingError
from tlapp.training.loss import Measured, check_loss, class_weights, measure, rank, soft_targets


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("is_balanced", [False, True])
def test_soft_targets_give_the_loss_of_torch(smoothing: float, is_balanced: bool) -> None:
    labels_N = torch.tensor([0, 0, 0, 1, 2, 2])
    scores_NK = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    weights_K = class_weights(labels_N, 3, is_balanced=is_balanced)
    targets_NK = soft_targets(weights_K, smoothing)[labels_N]
    ours = -(targets_NK * scores_NK.log_softmax(dim=1)).sum() / weights_K[labels_N].sum()
    theirs = functional.cross_entropy(
        scores_NK, labels_N, weight=weights_K, label_smoothing=smoothing
    )
    torch.testing.assert_close(ours, theirs)


def test_balanced_weights_make_every_class_count_the_same() -> None:
    labels_N = torch.tensor([0] * 9 + [1] * 3)
    weights_K = class_weights(labels_N, 2, is_balanced=True)
    assert weights_K[0] * 9 == weights_K[1] * 3
    assert float(weights_K[labels_N].mean()) == pytest.approx(1)


def test_a_class_without_pictures_gets_a_finite_weight() -> None:
    assert class_weights(torch.tensor([0, 0]), 2, is_balanced=True).isfinite().all()


def test_scores_are_measured() -> None:
    scores_NK = torch.tensor([[5.0, 0.0], [5.0, 0.0], [0.0, 5.0], [0.0, 5.0]])
    measured = measure(scores_NK, torch.tensor([0, 0, 1, 0]))
    assert (measured.correct, measured.count, measured.accuracy) == (3, 4, 0.75)


def test_held_out_accuracy_ranks_first_then_held_out_loss_then_training_loss() -> None:
    train, better_train = Measured(0.5, 5, 10), Measured(0.1, 9, 10)
    assert rank(train, Measured(0.9, 8, 10)) > rank(better_train, Measured(0.1, 7, 10))
    assert rank(train, Measured(0.1, 8, 10)) > rank(better_train, Measured(0.9, 8, 10))
    assert rank(better_train, None) > rank(train, None)


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), 1e9])
def test_a_lost_loss_says_that_the_learning_rate_is_too_high(loss: float) -> None:
    with pytest.raises(TrainingError, match="Learning rate too high: with 10 "):
        check_loss(loss, learning_rate=10.0)
