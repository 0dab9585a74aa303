"""How the work of one forward pass is spread over a backbone's stages."""

import copy

import torch
from torch.utils.flop_counter import FlopCounterMode

from tlapp.backbones.loading import Backbone
from tlapp.backbones.stages import lies_in


def stage_shares(backbone: Backbone) -> tuple[float, ...]:
    """Each stage's share of the multiplications of one picture, stem first; the sum is 1.

    Counted on shapes alone, so that a sketch will do. Multiplications outside every stage (there
    are none in the catalogue) would be left out.
    """
    module = copy.deepcopy(backbone.module).to("meta")
    side = backbone.preprocess.crop_pixels
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.zeros(1, 3, side, side, device="meta"))
    root = f"{type(module).__name__}."
    counts = {
        path.removeprefix(root): sum(operations.values())
        for path, operations in counter.get_flop_counts().items()
    }
    leaves = {
        path: count
        for path, count in counts.items()
        if not any(other.startswith(f"{path}.") for other in counts)
    }
    shares = [
        sum(count for path, count in leaves.items() if lies_in(path, stage.module_names))
        for stage in backbone.stages
    ]
    total = sum(shares)
    return tuple(share / total for share in shares)
