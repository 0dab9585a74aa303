"""Every card becomes a headless network with known stages; nothing else in the process matters."""

import copy
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tlapp.backbones import loading
from tlapp.backbones.catalog import CARDS, Card, find_card
from tlapp.backbones.loading import (
    hash_weights,
    imagenet_scores,
    load_backbone,
    sketch_backbone,
    untrained_network,
)
from tlapp.backbones.stages import stage_parameters
from tlapp.backbones.weights import WeightsStore
from tlapp.errors import BackboneError

pytestmark = pytest.mark.slow

FINAL_LAYERS = {
    "efficientnet_lite0": ("classifier.1", 1280),
    "efficientnet_lite1": ("classifier.1", 1280),
    "efficientnet_lite2": ("classifier.1", 1280),
    "resnet18": ("fc", 512),
    "resnet50": ("fc", 2048),
    "vgg16": ("classifier.6", 4096),
    "efficientnet_b0": ("classifier.1", 1280),
    "efficientnet_v2_s": ("classifier.1", 1280),
    "mobilenet_v3_small": ("classifier.3", 1024),
    "mobilenet_v3_large": ("classifier.3", 1280),
    "convnext_tiny": ("classifier.2", 768),
    "densenet121": ("classifier", 1024),
    "regnet_y_400mf": ("fc", 440),
    "squeezenet1_1": ("classifier.1", 512),
    "swin_t": ("head", 768),
    "vit_b_16": ("heads.head", 768),
}
SMALL = "squeezenet1_1"


@pytest.fixture
def weights(tmp_path: Path) -> WeightsStore:
    return WeightsStore(tmp_path)


def _input(card: Card) -> Tensor:
    side = card.input_pixels if card.name == "vit_b_16" else 64  # the others take any size
    return torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_features_and_original_head_give_the_original_logits(
    card: Card, weights: WeightsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = untrained_network(card.name, seed=3)
    assert sum(parameter.numel() for parameter in original.parameters()) == card.parameters
    x_NCHW = _input(card)
    with torch.inference_mode():
        logits_NK = original(x_NCHW)
    monkeypatch.setattr(loading, "untrained_network", lambda name, seed: original)
    monkeypatch.setattr(loading, "hash_weights", lambda module: "")
    backbone = load_backbone(card, weights, pretrained=False, seed=3)
    with torch.inference_mode():
        features_ND = backbone.module(x_NCHW)
        torch.testing.assert_close(
            imagenet_scores(backbone, x_NCHW), logits_NK, rtol=1e-3, atol=1e-5
        )
        scale = max(float(features_ND.abs().max()), 1e-30)
        difference = (backbone.fast_module(x_NCHW) - features_ND).abs().max()
        assert float(difference) / scale < 1e-4
    assert features_ND.shape == (1, backbone.feature_width)
    path, width = FINAL_LAYERS[card.name]
    assert (backbone.final_layer.path, backbone.final_layer.inputs) == (path, width)
    assert backbone.final_layer.outputs == 1000


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_each_parameter_lies_in_exactly_one_stage(card: Card) -> None:
    backbone = sketch_backbone(card)
    found = [
        id(parameter)
        for stage in backbone.stages
        for parameter in stage_parameters(backbone.module, stage.module_names)
    ]
    assert sorted(found) == sorted(id(parameter) for parameter in backbone.module.parameters())
    assert sum(stage.parameter_count for stage in backbone.stages) == backbone.parameter_count
    assert all(stage.parameter_count for stage in backbone.stages)
    head = sum(parameter.numel() for parameter in backbone.imagenet_head.parameters())
    assert backbone.parameter_count + head == card.parameters


def test_the_stages_are_in_the_order_in_which_a_picture_passes(weights: WeightsStore) -> None:
    backbone = load_backbone(find_card("efficientnet_lite0"), weights)
    reached: list[str] = []
    for stage in backbone.stages:
        module = backbone.module.get_submodule(stage.module_names[0])
        module.register_forward_hook(lambda *_, name=stage.name: reached.append(name))
    with torch.inference_mode():
        backbone.module(torch.zeros(1, 3, 64, 64))
    assert reached == [stage.name for stage in backbone.stages]


def test_untrained_weights_come_from_the_seed_whatever_else_draws_numbers() -> None:
    done = threading.Event()

    def draw() -> None:
        while not done.is_set():
            torch.rand(1000)

    alone = hash_weights(untrained_network(SMALL, seed=1))
    noise = threading.Thread(target=draw)
    noise.start()
    try:
        assert hash_weights(untrained_network(SMALL, seed=1)) == alone
        assert hash_weights(untrained_network(SMALL, seed=2)) != alone
    finally:
        done.set()
        noise.join()


def test_building_a_network_leaves_the_global_random_numbers_alone() -> None:
    before = torch.get_rng_state()
    untrained_network(SMALL, seed=1)
    sketch_backbone(find_card("swin_t"))
    assert torch.equal(before, torch.get_rng_state())


def test_a_backbone_is_frozen_and_its_copy_learns_on_its_own(weights: WeightsStore) -> None:
    backbone = load_backbone(find_card(SMALL), weights, pretrained=False)
    assert not backbone.module.training
    assert not any(parameter.requires_grad for parameter in backbone.module.parameters())
    module = copy.deepcopy(backbone.module).requires_grad_(True)
    assert all(parameter.requires_grad for parameter in module.parameters())
    before = hash_weights(backbone.module)
    module(torch.rand(2, 3, 64, 64)).sum().backward()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.sub_(0.1)
    assert hash_weights(backbone.module) == before


def test_the_dropout_in_front_of_the_last_layer_belongs_to_the_head() -> None:
    module = sketch_backbone(find_card("efficientnet_lite0")).module
    assert not any(isinstance(part, nn.Dropout) for part in module.modules())


def test_weights_that_are_not_here_are_not_downloaded(weights: WeightsStore) -> None:
    with pytest.raises(BackboneError, match="ResNet18 are not on this machine") as caught:
        load_backbone(find_card("resnet18"), weights)
    assert "EfficientNet-Lite0" in str(caught.value.hint)
    assert "python -m tlapp fetch resnet18" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["squeezenet1_1", "densenet121", "regnet_y_400mf"])
def test_published_weights_are_loaded_strictly(name: str, tmp_path: Path) -> None:
    card, original = find_card(name), untrained_network(name, seed=5)
    state = original.state_dict()
    if name == "densenet121":  # published under older names, without counters
        state = {
            key.replace(".norm1.", ".norm.1.").replace(".conv2.", ".conv.2."): tensor
            for key, tensor in state.items()
            if not key.endswith("num_batches_tracked")
        }
    store = _FixedWeights(tmp_path, state)
    backbone = load_backbone(card, store)
    x_NCHW = _input(card)
    with torch.inference_mode():
        torch.testing.assert_close(imagenet_scores(backbone, x_NCHW), original(x_NCHW))
    missing = next(iter(state))
    short = {key: tensor for key, tensor in state.items() if key != missing}
    with pytest.raises(RuntimeError, match="Missing key"):
        load_backbone(card, _FixedWeights(tmp_path, short))


class _FixedWeights(WeightsStore):
    """Hands out given tensors as the published ones."""

    def __init__(self, folder: Path, state: dict[str, Tensor]) -> None:
        super().__init__(folder)
        self._state = state

    def state_dict(self, card: Card) -> dict[str, Tensor]:
        return self._state

    def weights_hash(self, card: Card) -> str:
        return "0" * 64


def test_a_backbone_with_another_module_is_fast_with_that_one(weights: WeightsStore) -> None:
    backbone = load_backbone(find_card(SMALL), weights, pretrained=False)
    assert backbone.fast_module is backbone.module  # nothing to fuse in this network
    other = replace(backbone, module=copy.deepcopy(backbone.module))
    assert other.fast_module is other.module
