"""The whole network while it learns: gradients and features, computed on all cores.

Through a whole network each core takes a share of every batch, in micro-batches: their activations
stay in its cache, which is faster than one big batch on all cores, and since BatchNorm's statistics
are fixed the sum of the gradients is the same. Upper stages have small maps and large weights, so
there all cores work on the same pictures, which is up to 1.6 times as fast; and so they do where
statistics are learnt, which are those of the whole batch.
N pictures, B pictures of one step, D feature width, K classes.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from tlapp.backbones.loading import Backbone, hash_weights
from tlapp.backbones.split import split_module
from tlapp.backbones.stages import lies_in, stage_parameters
from tlapp.backbones.workers import shared_workers
from tlapp.classifier import Classifier
from tlapp.stopping import ShouldStop
from tlapp.training.config import TrainConfig
from tlapp.training.freezing import StagePlan
from tlapp.training.optim import laid_out_like

CORE_BATCH = 4  # pictures that a core takes at once through the whole network
TOP_BATCH = 32  # pictures that all cores take at once through upper stages
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)

Part = TypeVar("Part")
ReadBatch = Callable[[Sequence[int]], Tensor]  # positions in the batch -> what the top reads


@dataclass(frozen=True, eq=False)
class BatchTargets:
    """What the scores of one batch are compared with, and how."""

    labels_B: Tensor
    weights_K: Tensor  # how much each class counts
    label_smoothing: float
    dropout_BD: Tensor | None  # what the features are multiplied with (`dropout_mask`); None: 1

    @property
    def weight(self) -> float:
        """The sum that the batch's loss is divided by."""
        return self.weights_K[self.labels_B].sum().item()


@dataclass(frozen=True, eq=False)
class LossAndGradients:
    """Loss and gradients of one batch, or what a share of it adds to them."""

    loss: float
    gradients: list[Tensor | None]  # as Network.parameters


class Network:
    """A trainable copy of a backbone's upper stages with a head.

    What is frozen is shared with the backbone, not copied. Dropout and the like inside the backbone
    stay off, and with pretrained weights BatchNorm keeps the statistics it came with: batches of a
    few pictures would spoil them. With random weights there are none to keep, so stages that learn
    learn theirs too, from whole batches; `train_batchnorm` does that to every stage.
    """

    def __init__(
        self,
        backbone: Backbone,
        plans: Sequence[StagePlan],
        head: nn.Linear,
        *,
        boundary: int,
        train_batchnorm: bool,
        workers: int,
    ) -> None:
        """`boundary` is the lowest stage that is computed; `head` is copied.

        `workers` threads share what is computed by core. What all cores compute together runs in
        the caller's thread with its `torch.get_num_threads()`, which the last bits depend on.
        """
        self._backbone = backbone
        learns_statistics = train_batchnorm or not backbone.pretrained
        self._shared = _unchanging(backbone.module, plans, with_buffers=not learns_statistics)
        self._module = _copy(backbone.module, self._shared)
        self._top = split_module(self._module, backbone.stages, boundary).top
        self._learning_norms = (
            _batch_norms(self._module, plans, everywhere=train_batchnorm)
            if learns_statistics
            else []
        )
        self.learning_buffers = tuple(
            buffer for layer in self._learning_norms for buffer in layer.buffers()
        )
        self._set_norms(training=True)
        self._workers = workers
        self._is_by_core = boundary == 0
        self._at_once = CORE_BATCH if self._is_by_core else TOP_BATCH
        self.head = copy.deepcopy(head).requires_grad_()
        self.stages = tuple(
            (plan, tuple(stage_parameters(self._module, plan.stage.module_names)))
            for plan in plans
            if not plan.is_frozen
        )
        of_stages = [parameter for _, parameters in self.stages for parameter in parameters]
        for parameter in of_stages:
            parameter.requires_grad_()
        self.parameters = (*of_stages, *self.head.parameters())
        self._pool = shared_workers(workers)

    def backward(self, read: ReadBatch, batch: BatchTargets) -> float:
        """The batch's loss; its gradients are then in each parameter's `.grad`.

        `read` may be called from several threads.
        """
        by_core = self._is_by_core and not self._learning_norms
        if self._is_by_core and not by_core:
            read = partial(self._read_by_core, read)
        parts = self._in_parts(
            len(batch.labels_B),
            lambda positions: self._gradients_of(positions, read, batch),
            by_core=by_core,
        )
        total = parts[0]
        for part in parts[1:]:
            total = _sum(total, part)
        for parameter, gradient in zip(self.parameters, total.gradients, strict=True):
            parameter.grad = None if gradient is None else laid_out_like(parameter, gradient)
        return total.loss

    @property
    def module(self) -> nn.Module:
        """The network as it is now, without its head."""
        return self._module

    def features(self, read: ReadBatch, count: int, should_stop: ShouldStop) -> Tensor | None:
        """Features_ND of `count` pictures in eval mode; None: stopped."""
        self._set_norms(training=False)
        try:
            found = self._in_parts(
                count,
                lambda positions: self._features_of(positions, read, should_stop),
                by_core=self._is_by_core,
            )
        finally:
            self._set_norms(training=True)
        if any(features is None for features in found):
            return None
        return torch.cat([features for features in found if features is not None])

    def classifier(self, class_names: tuple[str, ...]) -> Classifier:
        """A copy of the network as it is at this moment, ready to predict."""
        module = _copy(self._module, self._shared)
        backbone = replace(self._backbone, module=module, weights_hash=hash_weights(module))
        head = copy.deepcopy(self.head).requires_grad_(False)
        return Classifier(backbone, head, class_names, is_backbone_trained=True)

    def _set_norms(self, *, training: bool) -> None:
        """Switch the BatchNorm layers that learn their statistics; there may be none."""
        for layer in self._learning_norms:
            layer.train(training)

    def _in_parts(
        self, count: int, compute: Callable[[Sequence[int]], Part], *, by_core: bool
    ) -> list[Part]:
        """Of so many pictures: a part from each core, or one that all cores compute together."""
        positions = list(range(count))
        if not by_core:
            return [compute(positions)]
        return list(self._pool.map(compute, _shares(positions, self._workers)))

    def _read_by_core(self, read: ReadBatch, positions: Sequence[int]) -> Tensor:
        """Pictures that may still have to be decoded: a share of them on each core."""
        return torch.cat(list(self._pool.map(read, _shares(list(positions), self._workers))))

    def _gradients_of(
        self, positions: Sequence[int], read: ReadBatch, batch: BatchTargets
    ) -> LossAndGradients:
        at_once = len(positions) if self._learning_norms else self._at_once
        total: LossAndGradients | None = None
        for begin in range(0, len(positions), at_once):
            part = self._gradients_at_once(positions[begin : begin + at_once], read, batch)
            total = part if total is None else _sum(total, part)
        assert total is not None  # there is at least one picture
        return total

    def _gradients_at_once(
        self, positions: Sequence[int], read: ReadBatch, batch: BatchTargets
    ) -> LossAndGradients:
        with torch.enable_grad():
            features_BD = self._top(read(positions))
            if batch.dropout_BD is not None:
                features_BD = features_BD * batch.dropout_BD[positions]
            summed_loss = functional.cross_entropy(
                self.head(features_BD),
                batch.labels_B[positions],
                weight=batch.weights_K,
                label_smoothing=batch.label_smoothing,
                reduction="sum",
            )
            loss = summed_loss / batch.weight
            # Not loss.backward(): threads would add to one `.grad` in whatever order they come,
            # and the order of a sum decides its last bits.
            gradients = torch.autograd.grad(loss, self.parameters, allow_unused=True)
        return LossAndGradients(loss.item(), list(gradients))

    @torch.inference_mode()
    def _features_of(
        self, positions: Sequence[int], read: ReadBatch, should_stop: ShouldStop
    ) -> Tensor | None:
        found = []
        for begin in range(0, len(positions), self._at_once):
            if should_stop():
                return None
            found.append(self._top(read(positions[begin : begin + self._at_once])))
        return torch.cat(found)


def learns_batch_statistics(backbone: Backbone, config: TrainConfig) -> bool:
    """Whether whole batches must pass at once: some networks have no BatchNorm to learn them."""
    return config.learns_statistics and any(
        isinstance(layer, _BATCH_NORMS) for layer in backbone.module.modules()
    )


def _unchanging(
    module: nn.Module, plans: Sequence[StagePlan], *, with_buffers: bool
) -> list[Tensor]:
    """The tensors of `module` that this training will not change."""
    frozen = (plan.stage for plan in plans if plan.is_frozen)
    return [
        *(tensor for stage in frozen for tensor in stage_parameters(module, stage.module_names)),
        *(module.buffers() if with_buffers else ()),
    ]


def _copy(module: nn.Module, shared: Sequence[Tensor]) -> nn.Module:
    """A copy in eval mode that does not learn; `shared` tensors are the same ones in both."""
    copied = copy.deepcopy(module, {id(tensor): tensor for tensor in shared})
    return copied.eval().requires_grad_(False)


def _batch_norms(
    module: nn.Module, plans: Sequence[StagePlan], *, everywhere: bool
) -> list[nn.Module]:
    """The BatchNorm layers of the stages that learn, or all of them."""
    learning = [plan.stage for plan in plans if not plan.is_frozen]
    return [
        layer
        for path, layer in module.named_modules()
        if isinstance(layer, _BATCH_NORMS)
        and (everywhere or any(lies_in(path, stage.module_names) for stage in learning))
    ]


def _shares(positions: list[int], count: int) -> list[list[int]]:
    """`positions` in order, cut into at most `count` parts of nearly equal size."""
    size = -(-len(positions) // count)
    return [positions[begin : begin + size] for begin in range(0, len(positions), size)]


def _sum(left: LossAndGradients, right: LossAndGradients) -> LossAndGradients:
    """Both together; the left one's memory is used again."""
    gradients = [
        b if a is None else a if b is None else a.add_(b)
        for a, b in zip(left.gradients, right.gradients, strict=True)
    ]
    return LossAndGradients(left.loss + right.loss, gradients)
