"""The optimizer of a training, and the schedule of its learning rates: both torch's own."""

import math
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from tlapp.training.config import OptimizerName

_MOMENTUM = 0.9  # Sutskever et al. 2013

ParameterGroup = dict[str, Any]  # torch's own form: "params", "lr", "weight_decay"


def make_optimizer(
    name: OptimizerName, groups: list[ParameterGroup], *, is_fused: bool = False
) -> Optimizer:
    """The optimizer of that name for these parameters.

    `is_fused` takes each step in one call: quicker for a few small tensors. It is for contiguous
    parameters alone, since torch then reads parameter and gradient in the order they have in
    memory, whatever their strides: convolutions in channels_last would learn nonsense.
    """
    if name == "adamw":
        return torch.optim.AdamW(groups, fused=is_fused)
    return torch.optim.SGD(groups, momentum=_MOMENTUM, fused=is_fused)


def make_schedule(optimizer: Optimizer, steps: int, *, warmup_steps: int = 0) -> LambdaLR:
    """Each group's rate times `cosine_scale`; call `step()` after each of the optimizer's."""
    return LambdaLR(optimizer, lambda step: cosine_scale(step, steps, warmup_steps))


def scale_rates(optimizer: Optimizer, scale: float) -> None:
    """Let the next step be at `scale` times each group's rate; for an optimizer with a schedule."""
    for group in optimizer.param_groups:
        group["lr"] = scale * group["initial_lr"]


def cosine_scale(step: int, steps: int, warmup_steps: int = 0) -> float:
    """0 to 1: how much of the rate to use at `step` (0 for the first of `steps`).

    Rises in a straight line for `warmup_steps`, then falls to 0 along half a cosine
    (Loshchilov and Hutter 2017).
    """
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    done = (step - warmup_steps) / max(1, steps - warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * done))
