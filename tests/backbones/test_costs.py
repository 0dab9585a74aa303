"""How the work is spread over the stages."""

import pytest

from tlapp.backbones.catalog import CARDS, Card, find_card
from tlapp.backbones.costs import stage_shares
from tlapp.backbones.loading import sketch_backbone


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
