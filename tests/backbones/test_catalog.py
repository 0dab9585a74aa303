"""The cards say what is true of the weights, and are cheap to read."""

import pytest

from tlapp.backbones.catalog import CARDS, DEFAULT_BACKBONE, find_card, imagenet_classes
from tlapp.errors import BackboneError


def test_the_default_comes_with_its_package() -> None:
    assert find_card(DEFAULT_BACKBONE).source == "package"


def test_every_card_has_figures_and_the_beginning_of_its_hash() -> None:
    assert len({card.name for card in CARDS}) == len(CARDS) == 16
    for card in CARDS:
        assert 50 < card.imagenet_top1 < 90
        assert card.download_bytes > 4 * card.parameters * 0.99
        assert card.input_pixels <= card.preprocess.resize_pixels
        assert len(card.sha256_prefix) >= 8
        assert int(card.sha256_prefix, 16) >= 0


def test_an_unknown_name_is_answered_with_the_possible_ones() -> None:
    with pytest.raises(BackboneError, match="'resnet19'") as caught:
        find_card("resnet19")
    assert "resnet18" in str(caught.value.hint)


def test_the_classes_are_those_of_imagenet() -> None:
    names = imagenet_classes()
    assert len(names) == 1000
    assert names[948] == "Granny Smith"
