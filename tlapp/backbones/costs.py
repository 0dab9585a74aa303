"""How the work of one forward pass is spread over a backbone's stages."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from tlapp.backbones.loading import Backbone
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


def _counter(
    counts: dict[str, int], path: str
) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    """A hook that adds the layer's multiplications to `counts`: inputs of each of its outputs."""

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
        weight = layer.get_parameter("weight")
        counts[path] = counts.get(path, 0) + outputs.numel() * (weight.numel() // len(weight))

    return count
