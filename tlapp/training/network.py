"""The whole network while it learns: gradients and scores, computed on all cores.

Each core takes a share of every batch and goes through it in micro-batches: their activations stay
in its cache, which is faster than one big batch on all cores, and since BatchNorm's statistics are
fixed the sum of the gradients is the same.
N pictures, B pictures of one step, D feature width, K classes.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from tlapp.backbones.loading import Backbone, copy_module, hash_weights
from tlapp.backbones.workers import open_workers
from tlapp.classifier import Classifier, make_linear

_MICRO_BATCH = 4
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)

ReadBatch = Callable[[Sequence[int]], Tensor]  # positions in the batch -> x_NCHW


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
    """A trainable copy of a backbone with a fresh head. Close it when done.

    Dropout and the like inside the backbone stay off, and with pretrained weights BatchNorm keeps
    the statistics it came with: batches of a few pictures would spoil them. With random weights
    there are none to keep, so they are learnt, from whole batches.
    """

    def __init__(self, backbone: Backbone, class_count: int, *, workers: int) -> None:
        self._backbone = backbone
        self.module = copy_module(backbone).eval()
        self._learning_norms = [] if backbone.pretrained else _batch_norms(self.module)
        self._set_norms(training=True)
        self._workers = 1 if self._learning_norms else workers
        width = backbone.feature_width
        self.head = make_linear(torch.zeros(class_count, width), torch.zeros(class_count))
        self.head.requires_grad_()
        self.parameters = (*self.module.parameters(), *self.head.parameters())
        self._pool = open_workers(self._workers)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)

    def backward(self, read: ReadBatch, batch: BatchTargets) -> float:
        """The batch's loss; its gradients are then in each parameter's `.grad`.

        `read` is called from several threads.
        """
        positions = list(range(len(batch.labels_B)))
        shares = _shares(positions, self._workers)
        parts = list(
            self._pool.map(lambda share: self._share_gradients(share, read, batch), shares)
        )
        total = parts[0]
        for part in parts[1:]:
            total = _sum(total, part)
        for parameter, gradient in zip(self.parameters, total.gradients, strict=True):
            parameter.grad = gradient
        return total.loss

    def scores(self, read: ReadBatch, count: int, should_stop: Callable[[], bool]) -> Tensor | None:
        """Scores_NK of `count` pictures in eval mode; None: stopped."""
        self._set_norms(training=False)
        try:
            shares = _shares(list(range(count)), self._workers)
            found = list(
                self._pool.map(lambda share: self._scores_of(share, read, should_stop), shares)
            )
        finally:
            self._set_norms(training=True)
        if should_stop() or any(scores is None for scores in found):
            return None
        return torch.cat([scores for scores in found if scores is not None])

    def classifier(self, class_names: tuple[str, ...]) -> Classifier:
        """A copy of the network as it is at this moment, ready to predict."""
        module = copy.deepcopy(self.module).eval().requires_grad_(False)
        backbone = replace(self._backbone, module=module, weights_hash=hash_weights(module))
        head = copy.deepcopy(self.head).requires_grad_(False)
        return Classifier(backbone, head, class_names, is_backbone_trained=True)

    def _set_norms(self, *, training: bool) -> None:
        """Switch the BatchNorm layers that learn their statistics; there may be none."""
        for layer in self._learning_norms:
            layer.train(training)

    def _share_gradients(
        self, share: Sequence[int], read: ReadBatch, batch: BatchTargets
    ) -> LossAndGradients:
        at_once = len(share) if self._learning_norms else _MICRO_BATCH
        total: LossAndGradients | None = None
        for begin in range(0, len(share), at_once):
            part = self._micro_batch_gradients(share[begin : begin + at_once], read, batch)
            total = part if total is None else _sum(total, part)
        assert total is not None  # a share is never empty
        return total

    def _micro_batch_gradients(
        self, positions: Sequence[int], read: ReadBatch, batch: BatchTargets
    ) -> LossAndGradients:
        with torch.enable_grad():
            features_BD = self.module(read(positions))
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
    def _scores_of(
        self, share: Sequence[int], read: ReadBatch, should_stop: Callable[[], bool]
    ) -> Tensor | None:
        found = []
        for begin in range(0, len(share), _MICRO_BATCH):
            if should_stop():
                return None
            features_BD = self.module(read(share[begin : begin + _MICRO_BATCH]))
            found.append(self.head(features_BD))
        return torch.cat(found)


def _batch_norms(module: nn.Module) -> list[nn.Module]:
    return [layer for layer in module.modules() if isinstance(layer, _BATCH_NORMS)]


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
