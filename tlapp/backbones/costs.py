"""What a backbone costs, counted on shapes alone: work of its stages, memory while it learns."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tlapp.backbones.loading import Backbone
from tlapp.backbones.split import split_module
from tlapp.backbones.stages import lies_in


def stage_shares(backbone: Backbone) -> tuple[float, ...]:
    """Each stage's share of the multiplications of one picture, stem first; the sum is 1.

    Those of convolutions and linear layers, counted on shapes alone, so that a sketch will do.
    """
    module = copy.deepcopy(backbone.module).to("meta")
    counts: dict[str, int] = {}
    for path, layer in module.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(_counter(counts, path))
    side = backbone.preprocess.crop_pixels
    with torch.no_grad():
        module(torch.zeros(1, 3, side, side, device="meta"))
    shares = [
        sum(count for path, count in counts.items() if lies_in(path, stage.module_names))
        for stage in backbone.stages
    ]
    return tuple(share / sum(shares) for share in shares)


@dataclass(frozen=True)
class TopCosts:
    """What the upper stages of a backbone take for one picture."""

    has_bottom: bool  # False: they are the whole backbone
    entering: int  # values that cross the boundary from below
    saved_bytes: int  # what autograd keeps until the gradients are known, weights not counted


def top_costs(backbone: Backbone, boundary: int) -> TopCosts:
    """Of the stages from number `boundary` on, all of them learning; a sketch will do."""
    module = copy.deepcopy(backbone.module).to("meta").requires_grad_(True)
    halves = split_module(module, backbone.stages, boundary)
    side = backbone.preprocess.crop_pixels
    with torch.no_grad():
        entering = halves.bottom(torch.zeros(1, 3, side, side, device="meta"))
    own = {_storage(tensor) for tensor in (*module.parameters(), *module.buffers())}
    saved: dict[int, Tensor] = {}  # by storage: layers share what they keep

    def keep(tensor: Tensor) -> Tensor:
        saved[_storage(tensor)] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        halves.top(entering)
    return TopCosts(
        has_bottom=boundary > 0,
        entering=entering.numel(),
        saved_bytes=sum(
            tensor.untyped_storage().nbytes() for key, tensor in saved.items() if key not in own
        ),
    )


def _storage(tensor: Tensor) -> int:
    """What tells one piece of memory from another; without data there are no addresses."""
    return tensor.untyped_storage()._cdata


def _counter(
    counts: dict[str, int], path: str
) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    """A hook that adds the layer's multiplications to `counts`: inputs of each of its outputs."""

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
        weight = layer.get_parameter("weight")
        counts[path] = counts.get(path, 0) + outputs.numel() * (weight.numel() // len(weight))

    return count
