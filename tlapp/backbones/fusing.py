"""The same network with less to compute: BatchNorm folded into the convolution before it.

For frozen networks only: in eval mode BatchNorm is a fixed scale and shift of each channel.
Measured on one core: 1.25 times as fast for EfficientNet-Lite0, 1.12 for B0, 1.03 for ResNet-18.
"""

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fuse_normalisation(module: nn.Module) -> nn.Module:
    """A copy in eval mode with equal outputs (to rounding), or `module` where nothing can be fused.

    In every network of the catalogue a BatchNorm that stands right behind a convolution among
    the children of one module is applied to its output; a test compares all of them.
    """
    if not any(isinstance(part, nn.BatchNorm2d) for part in module.modules()):
        return module
    fused = copy.deepcopy(module).eval().requires_grad_(False)
    for parent in fused.modules():
        before: tuple[str, nn.Module] | None = None
        for name, child in list(parent.named_children()):
            if before and isinstance(before[1], nn.Conv2d) and isinstance(child, nn.BatchNorm2d):
                setattr(parent, before[0], fuse_conv_bn_eval(before[1], child))
                setattr(parent, name, nn.Identity())
            before = (name, child)
    return fused.to(memory_format=torch.channels_last)
