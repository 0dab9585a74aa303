"""Feature tensors for tests: classes as clouds of points, made from a seed."""

import torch
from torch import Tensor

from tlapp.training.head import HeadData


def clouds(
    class_count: int = 3,
    per_class: int = 20,
    *,
    held_out_per_class: int = 5,
    width: int = 16,
    spread: float = 0.6,
    seed: int = 0,
) -> HeadData:
    """Clouds around random centres; a spread of 0.6 lets some of them touch."""
    generator = torch.Generator().manual_seed(seed)
    centres_KD = torch.randn(class_count, width, generator=generator)

    def draw(count: int) -> tuple[Tensor, Tensor]:
        labels_N = torch.arange(class_count).repeat_interleave(count)
        noise_ND = torch.randn(len(labels_N), width, generator=generator)
        return centres_KD[labels_N] + spread * noise_ND, labels_N

    train_ND, train_labels_N = draw(per_class)
    valid_ND, valid_labels_N = draw(held_out_per_class)
    return HeadData(train_ND, train_labels_N, valid_ND, valid_labels_N, class_count)
