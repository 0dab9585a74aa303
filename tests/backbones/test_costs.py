"""How the work is spread over the stages."""

from collections import OrderedDict
from dataclasses import replace

import pytest
import torch

from tests.training.tiny import tiny_backbone
from tlapp.backbones.catalog import CARDS, Card, find_card
from tlapp.backbones.costs import stage_shares, top_costs
from tlapp.backbones.loading import sketch_backbone

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_stage_has_its_share(card: Card) -> None:
    sketch = sketch_backbone(card)
    shares = stage_shares(sketch)
    assert len(shares) == len(sketch.stages)
    assert sum(shares) == pytest.approx(1)
    assert all(share > 0 for share in shares)


def test_the_shares_of_resnet18_are_those_of_its_multiplications() -> None:
    """224 pixels: the stem 118 million, the stages 462, 411, 411, 411 (He et al., 2016)."""
    assert stage_shares(sketch_backbone(find_card("resnet18"))) == pytest.approx(
        [0.065, 0.255, 0.227, 0.227, 0.227], abs=0.001
    )


class _Doubling(torch.nn.Module):
    """Two layers, each of which keeps its input: 3 x 8 x 8 and 2 x 8 x 8 values."""

    def __init__(self) -> None:
        super().__init__()
        self.features = torch.nn.Sequential(
            OrderedDict(stem=torch.nn.Conv2d(3, 2, 1), top=torch.nn.Conv2d(2, 5, 1))
        )

    def forward(self, x_NCHW: torch.Tensor) -> torch.Tensor:
        return self.features(x_NCHW).mean(dim=(2, 3))


def test_what_is_kept_for_the_gradients_is_counted_in_bytes() -> None:
    tiny = tiny_backbone()
    backbone = replace(tiny, module=_Doubling(), preprocess=replace(tiny.preprocess, crop_pixels=8))
    whole, top = top_costs(backbone, 0), top_costs(backbone, 1)
    assert (whole.has_bottom, whole.entering) == (False, 3 * 64)
    assert (top.has_bottom, top.entering) == (True, 2 * 64)
    assert whole.saved_bytes - top.saved_bytes == 4 * 3 * 64
    assert top.saved_bytes == 4 * 2 * 64


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_less_learning_keeps_less(card: Card) -> None:
    sketch = sketch_backbone(card)
    boundaries = (0, len(sketch.stages) - 1, len(sketch.stages))
    kept = [top_costs(sketch, boundary).saved_bytes for boundary in boundaries]
    assert kept == sorted(kept, reverse=True)
    assert kept[0] > 1_000_000
