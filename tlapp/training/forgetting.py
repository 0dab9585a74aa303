"""What fine-tuning forgets: the original ImageNet head is asked again, on the person's pictures.

N pictures, D feature width.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tlapp.backbones.loading import Backbone
from tlapp.backbones.stages import stage_parameters


@dataclass(frozen=True)
class Forgetting:
    """How far a network has moved from the one it was."""

    agreement: float  # share of the pictures that get the same ImageNet class as at first, 0 to 1
    drift: tuple[float, ...]  # |W - W0| / |W0| of each stage, stem first; 0.0 where it is frozen


class ForgettingMeter:
    """Holds the untouched network's answers and weights. Nothing in it changes."""

    def __init__(self, original: Backbone, features_ND: Tensor) -> None:
        """`features_ND` are the original's, of the pictures that will be measured."""
        self._original = original
        self._answers_N = _answers(original, features_ND)

    def measure(self, module: nn.Module, features_ND: Tensor) -> Forgetting:
        """`module` is the network as it is now, `features_ND` what it yields for the pictures."""
        is_same_N = _answers(self._original, features_ND) == self._answers_N
        return Forgetting(
            agreement=is_same_N.float().mean().item(),
            drift=tuple(
                _drift(self._original.module, module, stage.module_names)
                for stage in self._original.stages
            ),
        )


@torch.inference_mode()
def _answers(original: Backbone, features_ND: Tensor) -> Tensor:
    answers_N: Tensor = original.imagenet_head(features_ND).argmax(dim=1)
    return answers_N


@torch.inference_mode()
def _drift(before: nn.Module, after: nn.Module, module_names: tuple[str, ...]) -> float:
    moved = size = 0.0
    pairs = zip(
        stage_parameters(before, module_names), stage_parameters(after, module_names), strict=True
    )
    for old, new in pairs:
        size += old.square().sum().item()
        if new is not old:
            moved += (new - old).square().sum().item()
    return (moved / size) ** 0.5 if size else 0.0
