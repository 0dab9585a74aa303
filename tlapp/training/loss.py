"""The training loss, what the held-out pictures are measured with, and when a loss is lost.

N pictures, K classes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from tlapp.errors import DivergedError
from tlapp.messages import message, significant

_LOST_LOSS_NATS = 1e6  # guessing costs ln K, under 10 nats; nothing comes back from here


@dataclass(frozen=True)
class Measured:
    """How well scores fit their labels."""

    loss: float  # plain mean cross-entropy in nats per picture
    class_correct: tuple[int, ...]  # hits among the pictures of each class
    hits: tuple[bool, ...]  # of each picture

    @property
    def count(self) -> int:
        """How many pictures."""
        return len(self.hits)

    @property
    def correct(self) -> int:
        """Hits in all."""
        return sum(self.hits)

    @property
    def accuracy(self) -> float:
        """0 to 1, higher is better."""
        return self.correct / self.count


class Ranked(Protocol):
    """An epoch as events and records tell it."""

    @property
    def train_eval_loss(self) -> float:
        """Of the pictures learnt from, in eval mode; nats per picture."""

    @property
    def valid_loss(self) -> float | None:
        """Of the held-out pictures; None: there are none."""

    @property
    def valid_accuracy(self) -> float | None:
        """0 to 1; None: no pictures held out."""


@torch.inference_mode()
def measure(scores_NK: Tensor, labels_N: Tensor) -> Measured:
    """Loss and hits of these scores; N is 1 or more."""
    loss = functional.cross_entropy(scores_NK, labels_N)
    is_hit_N = scores_NK.argmax(dim=1) == labels_N
    hits_K = torch.bincount(labels_N[is_hit_N], minlength=scores_NK.shape[1])
    return Measured(float(loss), tuple(hits_K.tolist()), tuple(is_hit_N.tolist()))


def rank(epoch: Ranked) -> tuple[float, float]:
    """More is better: held-out accuracy, then held-out loss; without them the training loss."""
    if epoch.valid_accuracy is None or epoch.valid_loss is None:
        return 0.0, -epoch.train_eval_loss
    return epoch.valid_accuracy, -epoch.valid_loss


def class_weights(labels_N: Tensor, class_count: int, *, is_balanced: bool) -> Tensor:
    """Weights_K float32: all 1, or N / (K x pictures of the class), as in scikit-learn."""
    if not is_balanced:
        return torch.ones(class_count)
    counts_K = torch.bincount(labels_N, minlength=class_count).clamp(min=1)
    return (len(labels_N) / (class_count * counts_K)).float()


def dropout_mask(shape: Sequence[int], dropout: float, generator: torch.Generator) -> Tensor:
    """0 where a value is left out, elsewhere 1 / (1 - dropout), which keeps the mean; float32.

    `torch.nn.functional.dropout` would draw from the process's random numbers. The share that is
    left out is `dropout` to 1/65536: 16 random bits decide about a value.
    """
    count = math.prod(shape)  # four values for each number drawn: half the time of `torch.rand`
    drawn = torch.empty(-(-count // 4), dtype=torch.int64).random_(
        -(2**63), None, generator=generator
    )
    bits = drawn.view(torch.int16)[:count].view(*shape)  # -2^15 to below 2^15
    is_kept = bits >= int(dropout * 2**16) - 2**15
    return is_kept.float().mul_(1 / (1 - dropout))


def check_loss(loss: float, *, learning_rate: float) -> None:
    """Raise DivergedError when the loss is not a number or beyond return."""
    if math.isfinite(loss) and loss < _LOST_LOSS_NATS:
        return
    raise DivergedError(
        message(
            "Learning rate too high: with {rate} the loss grew beyond all bounds.",
            rate=significant(learning_rate),
        ),
        hint=message(
            "Go back to the default learning rate, and change it by factors of ten from there."
        ),
    )
