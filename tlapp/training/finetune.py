"""Train the whole network, end to end: the backbone slowly, the new head at the full rate.

N pictures, B pictures of one step, D feature width, K classes.
"""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing

import torch
from torch import Tensor

from tlapp.backbones.workers import core_count, open_workers
from tlapp.training.config import TrainConfig
from tlapp.training.events import BatchFinished, EpochFinished, PreparingFeatures, TrainingEvent
from tlapp.training.loss import (
    Measured,
    check_loss,
    class_weights,
    dropout_mask,
    measure,
    rank,
)
from tlapp.training.network import BatchTargets, Network
from tlapp.training.optim import ParameterGroup, make_optimizer, make_schedule
from tlapp.training.pixels import PixelStore
from tlapp.training.task import Ending, Task

MEASURED_TRAIN_PICTURES = 200  # of the pictures learnt from, measured again after each epoch
_WARMUP_SHARE = 0.1  # of all steps; the head's first gradients are the wildest
_PROGRESS_SECONDS = 0.1

ShouldStop = Callable[[], bool]


def finetune(task: Task, should_stop: ShouldStop) -> Generator[TrainingEvent, None, Ending]:
    """BatchFinished at each step, EpochFinished after each epoch; returns how it ended.

    The backbone of the task stays as it is: a copy learns. `train_eval_loss` is measured on at most
    200 of the pictures learnt from, the same ones each time. Same task and number of cores give the
    same weights bit for bit. Raises TrainingError ("Learning rate too high") at the first loss that
    is not finite; classifiers already told stay good.
    """
    began = time.perf_counter()
    cores = core_count()
    train = PixelStore(task.train.pictures, task.backbone.preprocess)
    valid = PixelStore(task.valid.pictures, task.backbone.preprocess)
    is_ready = yield from _decode([train, valid], cores, should_stop)
    seconds = time.perf_counter() - began
    if not is_ready:
        return Ending(best=None, is_stopped=True, feature_seconds=seconds)
    speed = (len(train) + len(valid)) / seconds
    with closing(Network(task.backbone, len(task.class_names), workers=cores)) as network:
        trainer = _Trainer(task, network, train, valid, should_stop)
        best: EpochFinished | None = None
        for epoch in range(1, task.config.epochs + 1):
            told = yield from trainer.run_epoch(epoch)
            if told is None:
                return Ending(
                    best=best,
                    is_stopped=True,
                    feature_seconds=seconds,
                    images_per_second=speed,
                )
            best = told if told.is_best else best
            yield told
            if task.config.patience and best and epoch - best.epoch >= task.config.patience:
                break
    return Ending(best=best, is_stopped=False, feature_seconds=seconds, images_per_second=speed)


def _decode(
    stores: Sequence[PixelStore], cores: int, should_stop: ShouldStop
) -> Generator[TrainingEvent, None, bool]:
    """Decode every picture once; whether it was not stopped."""
    began = told = time.perf_counter()
    pictures = [(store, index) for store in stores for index in range(len(store))]
    at_once = 4 * cores
    with open_workers(cores) as pool:
        for begin in range(0, len(pictures), at_once):
            if should_stop():
                return False
            list(pool.map(lambda place: place[0].load(place[1]), pictures[begin : begin + at_once]))
            done, at = min(begin + at_once, len(pictures)), time.perf_counter()
            if at - told >= _PROGRESS_SECONDS or done == len(pictures):
                told = at
                yield PreparingFeatures(done, len(pictures), done / (at - began))
    return True


class _Trainer:
    """The network, its optimizer and its pictures."""

    def __init__(
        self,
        task: Task,
        network: Network,
        train: PixelStore,
        valid: PixelStore,
        should_stop: ShouldStop,
    ) -> None:
        self._task, self._config, self._network = task, task.config, network
        self._train, self._valid, self._should_stop = train, valid, should_stop
        self._generator = torch.Generator().manual_seed(self._config.seed)
        self._train_labels_N = torch.tensor(task.train.labels)
        self._valid_labels_N = torch.tensor(task.valid.labels, dtype=torch.int64)
        order_N = torch.randperm(len(train), generator=self._generator)
        self._measured = sorted(order_N[:MEASURED_TRAIN_PICTURES].tolist())
        self._weights_K = class_weights(
            self._train_labels_N, len(task.class_names), is_balanced=self._config.class_weights
        )
        self._optimizer = make_optimizer(
            self._config.optimizer, _parameter_groups(network, self._config)
        )
        steps = self._config.epochs * len(self._batches(order_N))
        self._schedule = make_schedule(
            self._optimizer, steps, warmup_steps=int(steps * _WARMUP_SHARE)
        )
        self._best: tuple[float, float] | None = None

    def run_epoch(self, epoch: int) -> Generator[TrainingEvent, None, EpochFinished | None]:
        """Learn from each picture once, then measure; None: stopped in between."""
        began = time.perf_counter()
        loss_sum = weight_sum = 0.0
        batches = self._batches(torch.randperm(len(self._train), generator=self._generator))
        for number, rows_B in enumerate(batches, start=1):
            if self._should_stop():
                return None
            loss, weight = self._step(rows_B)
            loss_sum, weight_sum = loss_sum + loss, weight_sum + weight
            yield BatchFinished(epoch, number, len(batches), loss_sum / weight_sum)
        train = self._measure(self._train, self._train_labels_N, self._measured)
        valid = self._measure(self._valid, self._valid_labels_N, range(len(self._valid)))
        if self._should_stop() or train is None:
            return None
        check_loss(train.loss, learning_rate=self._config.learning_rate)
        place = rank(train, valid)
        is_best = self._best is None or place > self._best
        self._best = place if is_best else self._best
        return EpochFinished(
            epoch=epoch,
            train_loss=loss_sum / weight_sum,
            train_eval_loss=train.loss,
            train_eval_accuracy=train.accuracy,
            valid_loss=valid.loss if valid else None,
            valid_accuracy=valid.accuracy if valid else None,
            seconds=time.perf_counter() - began,
            is_best=is_best,
            classifier=self._network.classifier(self._task.class_names),
        )

    def _batches(self, order_N: Tensor) -> list[Tensor]:
        """The pictures in this order, cut into batches."""
        batches = list(order_N.split(self._config.batch_size))
        if len(batches) > 1 and len(batches[-1]) == 1:  # one picture has no spread to normalise by
            batches[-2:] = [torch.cat(batches[-2:])]
        return batches

    def _step(self, rows_B: Tensor) -> tuple[float, float]:
        """One step down the gradient; the summed loss before it and its summed weight."""
        targets = BatchTargets(
            labels_B=self._train_labels_N[rows_B],
            weights_K=self._weights_K,
            label_smoothing=self._config.label_smoothing,
            dropout_BD=self._dropout_mask(len(rows_B)),
        )
        loss = self._network.backward(self._reader(rows_B.tolist()), targets)
        check_loss(loss, learning_rate=self._config.learning_rate)
        self._optimizer.step()
        self._optimizer.zero_grad()  # at once: as much memory as the network
        self._schedule.step()
        return loss * targets.weight, targets.weight

    def _reader(self, rows: list[int]) -> Callable[[Sequence[int]], Tensor]:
        """Reads pictures of this batch by their position in it; with crops if they are wanted."""
        if not self._config.augmented_views:
            return lambda positions: self._train.batch([rows[i] for i in positions])
        seeds = torch.randint(2**62, (len(rows),), generator=self._generator).tolist()
        return lambda positions: self._train.augmented_batch(
            [rows[i] for i in positions], [seeds[i] for i in positions]
        )

    def _dropout_mask(self, count: int) -> Tensor | None:
        """What the features of one batch are multiplied with; None: no dropout."""
        if not self._config.dropout:
            return None
        shape = (count, self._task.backbone.feature_width)
        return dropout_mask(shape, self._config.dropout, self._generator)

    def _measure(self, store: PixelStore, labels_N: Tensor, rows: Sequence[int]) -> Measured | None:
        """How well these pictures are told apart; None: there are none, or stopped."""
        if not rows:
            return None
        scores_NK = self._network.scores(
            lambda positions: store.batch([rows[i] for i in positions]),
            len(rows),
            self._should_stop,
        )
        return None if scores_NK is None else measure(scores_NK, labels_N[list(rows)])


def _parameter_groups(network: Network, config: TrainConfig) -> list[ParameterGroup]:
    """Backbone slow, head fast; no weight decay for biases and normalisation layers."""
    parameters = list(network.module.parameters())
    decayed = [parameter for parameter in parameters if parameter.ndim > 1]
    not_decayed = [parameter for parameter in parameters if parameter.ndim <= 1]
    rate, decay = config.backbone_learning_rate, config.weight_decay
    return [
        {"params": decayed, "lr": rate, "weight_decay": decay},
        {"params": not_decayed, "lr": rate, "weight_decay": 0.0},
        {"params": [network.head.weight], "lr": config.learning_rate, "weight_decay": decay},
        {"params": [network.head.bias], "lr": config.learning_rate, "weight_decay": 0.0},
    ]
