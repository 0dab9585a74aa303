"""Train the upper stages of a network, or all of it, each stage at its own rate.

N pictures, B pictures of one step, M measured pictures, D feature width, K classes.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.workers import core_count
from tlapp.classifier import make_linear
from tlapp.data.images import Picture
from tlapp.stopping import ShouldStop
from tlapp.training.config import TrainConfig
from tlapp.training.events import BatchFinished, PreparingFeatures
from tlapp.training.forgetting import ForgettingMeter
from tlapp.training.freezing import find_boundary, plan_stages
from tlapp.training.inputs import Inputs, cached_bottom, make_inputs
from tlapp.training.loss import Measured, check_loss, class_weights, dropout_mask, measure
from tlapp.training.network import BatchTargets, Network, ReadBatch
from tlapp.training.optim import ParameterGroup, make_optimizer, make_schedule, scale_rates
from tlapp.training.prepare import prepare_meter
from tlapp.training.state import LearningState, State
from tlapp.training.task import PhaseEpoch, PhaseEvent, PhasePrepared, PhaseStart, Task

MEASURED_TRAIN_PICTURES = 200  # of the pictures learnt from, measured again after each epoch
_WARMUP_SHARE = 0.1  # of all steps; the head's first gradients are the wildest

Told = TypeVar("Told")


def finetune(
    task: Task,
    config: TrainConfig,
    start: PhaseStart,
    *,
    cache: FeatureCache | None,
    should_stop: ShouldStop,
) -> Iterator[PhaseEvent]:
    """The events of one phase in which stages of the backbone learn; ends early when stopped.

    The backbone of the task stays as it is: a copy learns. What lies below the lowest stage that
    learns is computed once for each picture, if it fits into memory and no statistics follow.
    `train` of an epoch is measured on at most 200 of the pictures learnt from, the same ones each
    time. Raises TrainingError ("Learning rate too high") at the first loss that is not finite;
    classifiers already told stay good.
    """

    def run(trainer: _Trainer) -> Iterator[PhaseEvent]:
        trainer.meter = yield from prepare_meter(
            task.original, trainer.metered_pictures(), cache, should_stop
        )
        yield from trainer.run()

    yield from _with_trainer(task, config, start, run, cache=cache, should_stop=should_stop)


def rehearse_finetune(
    task: Task,
    config: TrainConfig,
    start: PhaseStart,
    *,
    scales: Sequence[float],
    cache: FeatureCache | None,
    should_stop: ShouldStop,
) -> Iterator[PhaseEvent | float]:
    """The loss of each step from the start on, before it is taken at this times the rates.

    Ends early when stopped. A loss may be infinite or no number; what was learnt is thrown away.
    """

    def rehearse(trainer: _Trainer) -> Iterator[float]:
        return trainer.rehearse(scales)

    yield from _with_trainer(task, config, start, rehearse, cache=cache, should_stop=should_stop)


def _with_trainer(
    task: Task,
    config: TrainConfig,
    start: PhaseStart,
    tell: Callable[["_Trainer"], Iterator[Told]],
    *,
    cache: FeatureCache | None,
    should_stop: ShouldStop,
) -> Iterator[PreparingFeatures | PhasePrepared | Told]:
    """What the preparing tells, then what a trainer does; nothing is left of it."""
    began = time.perf_counter()
    plans = plan_stages(task.backbone.stages, config)
    boundary = find_boundary(plans)
    bottom = cached_bottom(task, config, boundary)
    made = yield from make_inputs(task, config, bottom, cache, should_stop)
    if made is None:
        return
    train, valid, images_per_second = made
    yield PhasePrepared(time.perf_counter() - began, images_per_second)
    network = Network(
        task.backbone,
        plans,
        start.classifier.head if start.classifier else _zero_head(task),
        boundary=boundary if bottom else 0,
        train_batchnorm=config.train_batchnorm,
        workers=core_count(),
    )
    trainer = _Trainer(task, config, network, (train, valid), should_stop)
    if start.state:
        trainer.load(start.state)
    yield from tell(trainer)


def _zero_head(task: Task) -> nn.Linear:
    class_count, width = len(task.class_names), task.backbone.feature_width
    return make_linear(torch.zeros(class_count, width), torch.zeros(class_count))


class _Trainer:
    """The network, its optimizer and its pictures."""

    def __init__(
        self,
        task: Task,
        config: TrainConfig,
        network: Network,
        inputs: tuple[Inputs, Inputs],
        should_stop: ShouldStop,
    ) -> None:
        self._task, self._config, self._network = task, config, network
        self._train, self._valid = inputs
        self._should_stop = should_stop
        self._generator = torch.Generator().manual_seed(self._config.seed)
        self._train_labels_N = torch.tensor(task.train.labels)
        self._valid_labels_N = torch.tensor(task.valid.labels, dtype=torch.int64)
        order_N = torch.randperm(len(self._train), generator=self._generator)
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

        self._state = LearningState(
            parameters=network.parameters,
            buffers=network.learning_buffers,
            optimizer=self._optimizer,
            schedule=self._schedule,
            generator=self._generator,
        )
        self.epochs = 0
        self.meter: ForgettingMeter | None = None

    def metered_pictures(self) -> list[Picture]:
        """The held-out pictures; where there are none, those of the others that are measured."""
        train = self._task.train.pictures
        return list(self._task.valid.pictures) or [train[row] for row in self._measured]

    def load(self, state: State) -> None:
        """Go on from where a training like this one was left."""
        self.epochs = self._state.load(state)

    def run(self) -> Iterator[PhaseEvent]:
        """The epochs that are left; fewer of them when stopped."""
        while self.epochs < self._config.epochs:
            told = yield from self.run_epoch()
            if told is None:
                return
            yield told

    def rehearse(self, scales: Sequence[float]) -> Iterator[float]:
        """The loss before each step, which is taken at this times the rates."""
        batches = (rows_B for _ in scales for rows_B in self._shuffled_batches())
        for scale, rows_B in zip(scales, batches, strict=False):
            if self._should_stop():
                return
            loss, _ = self._backward(rows_B)
            yield loss
            scale_rates(self._optimizer, scale)
            self._optimizer.step()
            self._optimizer.zero_grad()

    def run_epoch(self) -> Generator[BatchFinished, None, PhaseEpoch | None]:
        """Learn from each picture once, then measure; None: stopped in between."""
        began = time.perf_counter()
        loss_sum = weight_sum = 0.0
        batches = self._shuffled_batches()
        for number, rows_B in enumerate(batches, start=1):
            if self._should_stop():
                return None
            loss, weight = self._step(rows_B)
            loss_sum, weight_sum = loss_sum + loss, weight_sum + weight
            yield BatchFinished(self.epochs + 1, number, len(batches), loss_sum / weight_sum)
        train_MD = self._features(self._train, self._measured)
        valid_MD = self._features(self._valid, range(len(self._valid)))
        if train_MD is None or valid_MD is None:
            return None
        train = self._measure(train_MD, self._train_labels_N[self._measured])
        valid = self._measure(valid_MD, self._valid_labels_N) if len(valid_MD) else None
        check_loss(train.loss, learning_rate=self._config.learning_rate)
        self.epochs += 1
        return PhaseEpoch(
            train_loss=loss_sum / weight_sum,
            train=train,
            valid=valid,
            forgetting=self.meter.measure(
                self._network.module, valid_MD if len(valid_MD) else train_MD
            )
            if self.meter
            else None,
            seconds=time.perf_counter() - began,
            classifier=self._network.classifier(self._task.class_names),
            save_state=lambda: self._state.save(self.epochs),
        )

    def _shuffled_batches(self) -> list[Tensor]:
        """Every picture once, in a fresh order."""
        return self._batches(torch.randperm(len(self._train), generator=self._generator))

    def _batches(self, order_N: Tensor) -> list[Tensor]:
        """The pictures in this order, cut into batches."""
        batches = list(order_N.split(self._config.batch_size))
        if len(batches) > 1 and len(batches[-1]) == 1:  # one picture has no spread to normalise by
            batches[-2:] = [torch.cat(batches[-2:])]
        return batches

    def _step(self, rows_B: Tensor) -> tuple[float, float]:
        """One step down the gradient; the summed loss before it and its summed weight."""
        loss, weight = self._backward(rows_B)
        check_loss(loss, learning_rate=self._config.learning_rate)
        self._optimizer.step()
        self._optimizer.zero_grad()  # at once: as much memory as the network
        self._schedule.step()
        return loss * weight, weight

    def _backward(self, rows_B: Tensor) -> tuple[float, float]:
        """The mean loss, whose gradients are then in the parameters, and its summed weight."""
        targets = BatchTargets(
            labels_B=self._train_labels_N[rows_B],
            weights_K=self._weights_K,
            label_smoothing=self._config.label_smoothing,
            dropout_BD=self._dropout_mask(len(rows_B)),
        )
        return self._network.backward(self._reader(rows_B.tolist()), targets), targets.weight

    def _reader(self, rows: list[int]) -> ReadBatch:
        """Reads pictures of this batch by their position in it, each in a view drawn now."""
        most = self._config.augmented_views + 1
        views = torch.randint(most, (len(rows),), generator=self._generator).tolist()
        return lambda positions: self._train.batch(
            [rows[i] for i in positions], [views[i] for i in positions]
        )

    def _dropout_mask(self, count: int) -> Tensor | None:
        """What the features of one batch are multiplied with; None: no dropout."""
        if not self._config.dropout:
            return None
        shape = (count, self._task.backbone.feature_width)
        return dropout_mask(shape, self._config.dropout, self._generator)

    def _features(self, side: Inputs, rows: Sequence[int]) -> Tensor | None:
        """Features_MD of these pictures as the network is now; None: stopped."""
        if not rows:
            return torch.empty(0, self._task.backbone.feature_width)
        return self._network.features(
            lambda positions: side.batch([rows[i] for i in positions], [0] * len(positions)),
            len(rows),
            self._should_stop,
        )

    def _measure(self, features_MD: Tensor, labels_M: Tensor) -> Measured:
        """How well these pictures are told apart."""
        with torch.inference_mode():
            return measure(self._network.head(features_MD), labels_M)


def _parameter_groups(network: Network, config: TrainConfig) -> list[ParameterGroup]:
    """Each stage at its own rate; no weight decay for biases and normalisation layers."""
    groups: list[ParameterGroup] = []
    for plan, parameters in (*network.stages, (None, tuple(network.head.parameters()))):
        rate = plan.learning_rate if plan else config.learning_rate
        for is_decayed, decay in ((True, config.weight_decay), (False, 0.0)):
            chosen = [p for p in parameters if (p.ndim > 1) is is_decayed]
            if chosen:
                groups.append({"params": chosen, "lr": rate, "weight_decay": decay})
    return groups
