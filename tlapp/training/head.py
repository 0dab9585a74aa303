"""Train a linear head on stored features: 30 epochs of hundreds of pictures in a blink.

Features are standardised with the training pictures' mean and standard deviation; that is folded
into every head that leaves this file, so a head is a plain Linear on raw features.
N pictures, D feature width, K classes, B pictures of one step.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from tlapp.backbones.workers import open_workers
from tlapp.classifier import make_linear
from tlapp.stopping import ShouldStop
from tlapp.training.config import TrainConfig
from tlapp.training.loss import (
    Measured,
    check_loss,
    class_weights,
    dropout_mask,
    measure,
)
from tlapp.training.optim import make_optimizer, make_schedule, scale_rates
from tlapp.training.state import LearningState, State
from tlapp.training.task import UNTRAINED, PhaseStart

_LEAST_STD = 1e-6  # features that vary less are constant: rounding must not become a signal


@dataclass(frozen=True, eq=False)
class HeadData:
    """Features (float32) and labels (int64) to learn from and to measure on."""

    train_ND: Tensor
    train_labels_N: Tensor
    valid_ND: Tensor  # N may be 0
    valid_labels_N: Tensor
    class_count: int
    train_views_ND: tuple[Tensor, ...] = ()  # augmented views of train_ND


@dataclass(frozen=True, eq=False)
class HeadEpoch:
    """The head after one epoch."""

    head: nn.Linear  # raw features_ND -> scores_NK; nobody changes it afterwards
    train_loss: float  # while learning; nats per picture
    train: Measured  # afterwards, without dropout
    valid: Measured | None  # None: no pictures held out
    seconds: float
    save_state: Callable[[], State | None]  # before the next epoch is asked for


def train_head(
    data: HeadData,
    config: TrainConfig,
    start: PhaseStart = UNTRAINED,
    *,
    should_stop: ShouldStop,
) -> Iterator[HeadEpoch]:
    """The head after each epoch; fewer than `config.epochs` of them when it was stopped.

    Same data, config and machine give the same weights bit for bit: one thread, own generator.
    Raises TrainingError ("Learning rate too high") at the first loss that is not finite; heads
    already told stay good.
    """
    with open_workers(1) as worker:
        trainer = worker.submit(_Trainer, data, config, start).result()
        while trainer.epochs < config.epochs:
            told = worker.submit(trainer.run_epoch, should_stop).result()
            if told is None:
                return
            yield told


def rehearse_head(
    data: HeadData,
    config: TrainConfig,
    start: PhaseStart = UNTRAINED,
    *,
    scales: Sequence[float],
    should_stop: ShouldStop,
) -> Iterator[float]:
    """The loss of each step from the start on, before it is taken at this times the rates.

    Ends early when stopped. A loss may be infinite or no number; what was learnt is thrown away.
    """
    with open_workers(1) as worker:
        trainer = worker.submit(_Trainer, data, config, start).result()
        losses = trainer.rehearse(scales)
        for _ in scales:
            if should_stop():
                return
            yield worker.submit(next, losses).result()


class _Trainer:
    """The head, in standardised space, and everything that changes it."""

    def __init__(self, data: HeadData, config: TrainConfig, start: PhaseStart) -> None:
        self._data = data
        self._config = config
        self._generator = torch.Generator().manual_seed(config.seed)
        self._mean_D, self._std_D = _mean_and_std(data.train_ND)
        self._view_count = 1 + len(data.train_views_ND)
        before = start.classifier
        self._head = self._unfolded_head(before.head) if before else self._zero_head()
        self._head.requires_grad_()
        self._weights_K = class_weights(
            data.train_labels_N, data.class_count, is_balanced=config.class_weights
        )
        rate, decay = config.learning_rate, config.weight_decay
        groups = [
            {"params": [self._head.weight], "lr": rate, "weight_decay": decay},
            {"params": [self._head.bias], "lr": rate, "weight_decay": 0.0},  # it only shifts
        ]
        self._optimizer = make_optimizer(config.optimizer, groups)
        steps = config.epochs * math.ceil(len(data.train_labels_N) / config.batch_size)
        self._schedule = make_schedule(self._optimizer, steps)
        self._state = LearningState(
            parameters=(self._head.weight, self._head.bias),
            buffers=(),
            optimizer=self._optimizer,
            schedule=self._schedule,
            generator=self._generator,
        )
        self.epochs = self._state.load(start.state) if start.state else 0

    def run_epoch(self, should_stop: ShouldStop) -> HeadEpoch | None:
        """Learn from each picture once, then measure. None: stopped in between."""
        began = time.perf_counter()
        train_loss = self._learn(should_stop)
        if train_loss is None:
            return None
        head = self._folded_head()
        data = self._data
        with torch.inference_mode():
            train = measure(head(data.train_ND), data.train_labels_N)
            has_valid = len(data.valid_labels_N) > 0
            valid = measure(head(data.valid_ND), data.valid_labels_N) if has_valid else None
        check_loss(train.loss, learning_rate=self._config.learning_rate)
        self.epochs += 1
        return HeadEpoch(
            head=head,
            train_loss=train_loss,
            train=train,
            valid=valid,
            seconds=time.perf_counter() - began,
            save_state=lambda: self._state.save(self.epochs),
        )

    def rehearse(self, scales: Sequence[float]) -> Iterator[float]:
        """The loss before each step, which is taken at this times the rates."""
        batches = (batch for _ in scales for batch in self._batches())
        for scale, (x_BD, labels_B) in zip(scales, batches, strict=False):
            yield self._backward(x_BD, labels_B)
            scale_rates(self._optimizer, scale)
            self._optimizer.step()

    def _learn(self, should_stop: ShouldStop) -> float | None:
        """One pass in a fresh order; the mean loss, or None when stopped."""
        loss_sum = weight_sum = 0.0
        for x_BD, labels_B in self._batches():
            if should_stop():
                return None
            loss, weight = self._step(x_BD, labels_B)
            loss_sum += loss
            weight_sum += weight
        return loss_sum / weight_sum

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """x_BD and labels_B of every picture, each in one view, in a fresh order."""
        count = len(self._data.train_labels_N)
        order_N = torch.randperm(count, generator=self._generator)
        views_N = torch.randint(self._view_count, (count,), generator=self._generator)
        for rows_B in order_N.split(self._config.batch_size):
            yield self._standardised(rows_B, views_N[rows_B]), self._data.train_labels_N[rows_B]

    def _step(self, x_BD: Tensor, labels_B: Tensor) -> tuple[float, float]:
        """One step down the gradient; the summed loss before it and its summed weight."""
        mean_loss = self._backward(x_BD, labels_B)
        check_loss(mean_loss, learning_rate=self._config.learning_rate)
        self._optimizer.step()
        self._schedule.step()
        weight = self._weights_K[labels_B].sum().item()  # what cross_entropy divides by
        return mean_loss * weight, weight

    def _backward(self, x_BD: Tensor, labels_B: Tensor) -> float:
        """The mean loss, whose gradients are then in the head. Overwrites `x_BD` with dropout."""
        config = self._config
        if config.dropout:
            x_BD.mul_(dropout_mask(x_BD.shape, config.dropout, self._generator))
        loss = functional.cross_entropy(
            self._head(x_BD),
            labels_B,
            weight=self._weights_K,
            label_smoothing=config.label_smoothing,
        )
        self._optimizer.zero_grad()
        loss.backward()
        return loss.item()

    def _standardised(self, rows_B: Tensor, views_B: Tensor) -> Tensor:
        """x_BD of these pictures: view 0 is the plain one, the others are augmented."""
        x_BD = self._data.train_ND[rows_B]
        for view, view_ND in enumerate(self._data.train_views_ND, start=1):
            is_chosen_B = views_B == view
            x_BD[is_chosen_B] = view_ND[rows_B[is_chosen_B]]
        return x_BD.sub_(self._mean_D).div_(self._std_D)

    def _zero_head(self) -> nn.Linear:
        class_count, width = self._data.class_count, self._data.train_ND.shape[1]
        return make_linear(torch.zeros(class_count, width), torch.zeros(class_count))

    def _unfolded_head(self, raw: nn.Linear) -> nn.Linear:
        """A Linear on standardised features that scores as `raw` does on raw ones."""
        weight_KD = raw.weight.double()
        bias_K = raw.bias + weight_KD @ self._mean_D.double()
        return make_linear((weight_KD * self._std_D).float(), bias_K.float())

    @torch.no_grad()
    def _folded_head(self) -> nn.Linear:
        """A Linear on raw features that scores as the trainer does on standardised ones."""
        weight_KD = self._head.weight.double() / self._std_D
        bias_K = self._head.bias - weight_KD @ self._mean_D.double()
        return make_linear(weight_KD.float(), bias_K.float())


def _mean_and_std(x_ND: Tensor) -> tuple[Tensor, Tensor]:
    """Mean_D and standard deviation_D; 1 where a feature is the same in every picture."""
    mean_D = x_ND.mean(dim=0)
    std_D = x_ND.std(dim=0, correction=0)
    least_D = _LEAST_STD * mean_D.abs().clamp(min=1.0)
    return mean_D, torch.where(std_D > least_D, std_D, torch.ones_like(std_D))
