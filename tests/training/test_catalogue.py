"""Every backbone of the catalogue, with random weights, learns a step in every way."""

from dataclasses import replace

import pytest

from tests.networks import SMALL_PIXELS, structure_of
from tests.training.test_session import training_in_phases
from tests.training.tiny import Album
from tlapp.backbones.catalog import CARDS, Card
from tlapp.training.config import TrainConfig
from tlapp.training.events import EpochFinished, TrainingFinished

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_head_last_stage_and_everything_learn_a_step(card: Card) -> None:
    small = replace(card.preprocess, resize_pixels=SMALL_PIXELS, crop_pixels=SMALL_PIXELS)
    backbone = replace(structure_of(card), preprocess=small)
    album = Album(class_count=2, train=1, valid=1)
    for freeze in ("head", "last:1", "none"):
        config = TrainConfig(backbone=card.name, pretrained=False, freeze=freeze, epochs=1)
        *events, last = training_in_phases(album, backbone, (config,))
        assert isinstance(last, TrainingFinished)
        assert sum(isinstance(event, EpochFinished) for event in events) == 1
        assert last.result.classifier.is_backbone_trained == (freeze != "head")
        assert (last.result.frozen_parameters == 0) == (freeze == "none")
