"""The optimizer of a training, and the schedule of its learning rates: both torch's own."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from tlapp.training.config import OptimizerName

_MOMENTUM = 0.9  # Sutskever et al. 2013

ParameterGroup = dict[str, Any]  # torch's own form: "params", "lr", "weight_decay"


def make_optimizer(name: OptimizerName, groups: list[ParameterGroup]) -> Optimizer:
    """The optimizer of that name for these parameters.

    Each step is one call, 3 to 7 times as quick as a call for each operation. For that torch reads
    parameter, gradient and moments in the order they have in memory, whatever their strides: they
    must be `laid_out_like` their parameter, or convolutions in channels_last learn nonsense.
    """
    if name == "adamw":
        return torch.optim.AdamW(groups, fused=True)
    return torch.optim.SGD(groups, momentum=_MOMENTUM, fused=True)


def laid_out_like(parameter: Tensor, values: Tensor) -> Tensor:
    """`values`, or a copy of them, in the parameter's order in memory."""
    if values.stride() == parameter.stride():
        return values
    return torch.empty_like(parameter).copy_(values)


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
