"""The catalogue's networks with random weights, made for tests of their structure.

VGG16 and ViT-B/16 are as deep as published, with the same names, but far narrower: drawing, hashing
and optimizing their 138 and 86 million weights took most of a test's time. What is published about
them is tested on the real ones (`tests/backbones/test_loading.py`).
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import nn
from torchvision.models import VisionTransformer, vgg

from tlapp.backbones import loading
from tlapp.backbones.catalog import Card
from tlapp.backbones.loading import Backbone, hash_weights, load_backbone
from tlapp.backbones.weights import WeightsStore

SMALL_PIXELS = 64  # all of them take pictures of this size
CLASSES = 1000
WIDTH = 64


def _narrow_vgg() -> nn.Module:
    with torch.device("meta"):
        network = vgg.VGG(nn.Identity(), init_weights=False)
    network.features = vgg.make_layers(vgg.cfgs["D"])
    network.classifier[0] = nn.Linear(network.classifier[0].in_features, WIDTH)
    network.classifier[3] = nn.Linear(WIDTH, WIDTH)
    network.classifier[6] = nn.Linear(WIDTH, CLASSES)
    return network


def _narrow_vit() -> nn.Module:
    return VisionTransformer(
        image_size=SMALL_PIXELS,
        patch_size=16,
        num_layers=12,
        num_heads=2,
        hidden_dim=WIDTH,
        mlp_dim=4 * WIDTH,
        num_classes=CLASSES,
    )


_NARROW: Mapping[str, Callable[[], nn.Module]] = {"vgg16": _narrow_vgg, "vit_b_16": _narrow_vit}


def structure_of(card: Card) -> Backbone:
    """The card's untrained backbone, or one that differs from it in its width alone."""
    if card.name not in _NARROW:
        return load_backbone(card, WeightsStore(Path("no weights")), pretrained=False)
    with loading._RandomNumbers(torch.Generator().manual_seed(0)):
        network = _NARROW[card.name]().eval()
    weights_hash = hash_weights(network)
    return loading._behead(network, card, pretrained=False, weights_hash=weights_hash)
