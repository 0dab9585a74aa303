"""The whole network while it learns: gradients and scores, computed on all cores.

Each core takes a share of every batch and goes through it a few pictures at a time: their
activations stay in its cache, which is faster than one big batch on all cores, and since the
normalisation is fixed the sum of the gradients is the same.
N pictures, B pictures of one step, D feature width, K classes.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from tlapp.backbones.loading import Backbone, copy_module, hash_weights
from tlapp.backbones.streams import open_streams
from tlapp.classifier import Classifier, make_linear

_PICTURES_AT_ONCE = 4
_NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)

ReadBatch = Callable[[Sequence[int]], Tensor]  # positions in the batch -> x_NCHW


@dataclass(frozen=True, eq=False)
class BatchTargets:
    """What the scores of one batch are compared with, and how."""

    labels_B: Tensor
    weights_K: Tensor  # how much each class counts
    label_smoothing: float
    kept_BD: Tensor | None  # 0 or 1 / (1 - dropout) for each feature; None: no dropout

    @property
    def weight(self) -> float:
        """The sum that the batch's loss is divided by."""
        return self.weights_K[self.labels_B].sum().item()


@dataclass(frozen=True, eq=False)
class Slope:
    """Loss and gradients of one batch, or what a share of it adds to them."""

    loss: float
    gradients: list[Tensor | None]  # as Network.parameters


class Network:
    """A trainable copy of a backbone with a fresh head. Close it when done.

    Dropout and the like inside the backbone stay off, and with pretrained weights BatchNorm keeps
    the statistics it came with: batches of a few pictures would spoil them. With random weights
    there are none to keep, so they are learnt, from whole batches.
    """

    def __init__(self, backbone: Backbone, class_count: int, *, streams: int) -> None:
        self._backbone = backbone
        self.module = copy_module(backbone).eval()
        self.is_normalising = not backbone.pretrained and _learn_statistics(self.module, True)
        self._streams = 1 if self.is_normalising else streams
        width = backbone.feature_width
        self.head = make_linear(torch.zeros(class_count, width), torch.zeros(class_count))
        self.head.requires_grad_()
        self.parameters = (*self.module.parameters(), *self.head.parameters())
        self._pool = open_streams(self._streams)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)

    def backward(self, read: ReadBatch, batch: BatchTargets) -> float:
        """The batch's loss; its gradients are then in each parameter's `.grad`.

        `read` is called from several threads.
        """
        positions = list(range(len(batch.labels_B)))
        shares = _shares(positions, self._streams)
        slopes = list(self._pool.map(lambda share: self._slope_of(share, read, batch), shares))
        total = slopes[0]
        for slope in slopes[1:]:
            total = _sum(total, slope)
        for parameter, gradient in zip(self.parameters, total.gradients, strict=True):
            parameter.grad = gradient
        return total.loss

    def scores(self, read: ReadBatch, count: int, should_stop: Callable[[], bool]) -> Tensor | None:
        """Scores_NK of `count` pictures in eval mode; None: stopped."""
        if self.is_normalising:
            _learn_statistics(self.module, False)
        try:
            shares = _shares(list(range(count)), self._streams)
            found = list(
                self._pool.map(lambda share: self._scores_of(share, read, should_stop), shares)
            )
        finally:
            if self.is_normalising:
                _learn_statistics(self.module, True)
        if should_stop() or any(scores is None for scores in found):
            return None
        return torch.cat([scores for scores in found if scores is not None])

    def classifier(self, class_names: tuple[str, ...]) -> Classifier:
        """A copy of the network as it is at this moment, ready to predict."""
        module = copy.deepcopy(self.module).eval().requires_grad_(False)
        backbone = replace(self._backbone, module=module, weights_hash=hash_weights(module))
        head = copy.deepcopy(self.head).requires_grad_(False)
        return Classifier(backbone, head, class_names, is_backbone_trained=True)

    def _slope_of(self, share: Sequence[int], read: ReadBatch, batch: BatchTargets) -> Slope:
        at_once = len(share) if self.is_normalising else _PICTURES_AT_ONCE
        total: Slope | None = None
        for begin in range(0, len(share), at_once):
            slope = self._slope_at_once(share[begin : begin + at_once], read, batch)
            total = slope if total is None else _sum(total, slope)
        assert total is not None  # a share is never empty
        return total

    def _slope_at_once(
        self, positions: Sequence[int], read: ReadBatch, batch: BatchTargets
    ) -> Slope:
        with torch.enable_grad():
            features_BD = self.module(read(positions))
            if batch.kept_BD is not None:
                features_BD = features_BD * batch.kept_BD[positions]
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
        return Slope(loss.item(), list(gradients))

    @torch.inference_mode()
    def _scores_of(
        self, share: Sequence[int], read: ReadBatch, should_stop: Callable[[], bool]
    ) -> Tensor | None:
        found = []
        for begin in range(0, len(share), _PICTURES_AT_ONCE):
            if should_stop():
                return None
            features_BD = self.module(read(share[begin : begin + _PICTURES_AT_ONCE]))
            found.append(self.head(features_BD))
        return torch.cat(found)


def _learn_statistics(module: nn.Module, is_learning: bool) -> bool:
    """Switch the BatchNorm layers alone; whether there are any."""
    layers = [layer for layer in module.modules() if isinstance(layer, _NORMALISATIONS)]
    for layer in layers:
        layer.train(is_learning)
    return bool(layers)


def _shares(positions: list[int], count: int) -> list[list[int]]:
    """`positions` in order, cut into at most `count` parts of nearly equal size."""
    size = -(-len(positions) // count)
    return [positions[begin : begin + size] for begin in range(0, len(positions), size)]


def _sum(left: Slope, right: Slope) -> Slope:
    """Both together; the left one's memory is used again."""
    gradients = [
        b if a is None else a if b is None else a.add_(b)
        for a, b in zip(left.gradients, right.gradients, strict=True)
    ]
    return Slope(left.loss + right.loss, gradients)
