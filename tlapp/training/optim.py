"""AdamW and SGD on plain tensors.

Own code because `torch.optim` loads the compiler when its first optimizer is made (1.5 s on two
cores, more than a whole training of a head) and reads process-wide switches.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from tlapp.training.config import OptimizerName

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8  # Kingma and Ba 2015, section 2
_MOMENTUM = 0.9  # Sutskever et al. 2013


@dataclass(frozen=True, eq=False)
class ParameterGroup:
    """Parameters that share their settings. The optimizer changes them in place."""

    parameters: tuple[Tensor, ...]
    learning_rate: float
    weight_decay: float


class Optimizer(Protocol):
    """Changes the parameters it was made for."""

    def step(self, gradients: Sequence[Sequence[Tensor | None]], scale: float) -> None:
        """One step: gradients as the groups' parameters, each group's rate times `scale`."""


def make_optimizer(name: OptimizerName, groups: Sequence[ParameterGroup]) -> Optimizer:
    """The optimizer of that name for these parameters."""
    return AdamW(groups) if name == "adamw" else Sgd(groups)


class AdamW:
    """Adam with decoupled decay (Loshchilov and Hutter 2019), equal to `torch.optim.AdamW`."""

    def __init__(self, groups: Sequence[ParameterGroup]) -> None:
        self._groups = groups
        self._means = [[torch.zeros_like(p) for p in group.parameters] for group in groups]
        self._squares = [[torch.zeros_like(p) for p in group.parameters] for group in groups]
        self._steps = 0

    @torch.no_grad()
    def step(self, gradients: Sequence[Sequence[Tensor | None]], scale: float) -> None:
        """See `Optimizer`. A parameter whose gradient is None stays as it is."""
        self._steps += 1
        mean_share = 1 - _BETA1**self._steps
        square_root_share = math.sqrt(1 - _BETA2**self._steps)
        for group, group_gradients, means, squares in zip(
            self._groups, gradients, self._means, self._squares, strict=True
        ):
            rate = group.learning_rate * scale
            for parameter, gradient, mean, square in zip(
                group.parameters, group_gradients, means, squares, strict=True
            ):
                if gradient is None:
                    continue
                mean.lerp_(gradient, 1 - _BETA1)
                square.mul_(_BETA2).addcmul_(gradient, gradient, value=1 - _BETA2)
                spread = square.sqrt().div_(square_root_share).add_(_EPSILON)
                parameter.mul_(1 - rate * group.weight_decay)
                parameter.addcdiv_(mean, spread, value=-rate / mean_share)


class Sgd:
    """Gradient descent with momentum, equal to `torch.optim.SGD` with momentum 0.9."""

    def __init__(self, groups: Sequence[ParameterGroup]) -> None:
        self._groups = groups
        self._speeds = [[torch.zeros_like(p) for p in group.parameters] for group in groups]

    @torch.no_grad()
    def step(self, gradients: Sequence[Sequence[Tensor | None]], scale: float) -> None:
        """See `Optimizer`. A parameter whose gradient is None stays as it is."""
        for group, group_gradients, speeds in zip(
            self._groups, gradients, self._speeds, strict=True
        ):
            rate = group.learning_rate * scale
            for parameter, gradient, speed in zip(
                group.parameters, group_gradients, speeds, strict=True
            ):
                if gradient is None:
                    continue
                speed.mul_(_MOMENTUM).add_(gradient).add_(parameter, alpha=group.weight_decay)
                parameter.add_(speed, alpha=-rate)


def cosine_scale(step: int, steps: int, warmup_steps: int = 0) -> float:
    """0 to 1: how much of the rate to use at `step` (0 for the first of `steps`).

    Rises in a straight line for `warmup_steps`, then falls to 0 along half a cosine
    (Loshchilov and Hutter 2017).
    """
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    done = (step - warmup_steps) / max(1, steps - warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * done))
