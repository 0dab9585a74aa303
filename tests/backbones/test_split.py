"""Every backbone, cut below each of its stages, still computes the same."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from tests.networks import SMALL_PIXELS, structure_of
from tlapp.backbones.catalog import CARDS, Card, find_card
from tlapp.backbones.fusing import fuse_normalisation
from tlapp.backbones.loading import sketch_backbone
from tlapp.backbones.split import split_module
from tlapp.backbones.stages import stage_parameters

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_the_halves_together_are_the_whole_network(card: Card) -> None:
    backbone = structure_of(card)
    generator = torch.Generator().manual_seed(0)
    x_NCHW = torch.rand(2, 3, SMALL_PIXELS, SMALL_PIXELS, generator=generator)
    with torch.inference_mode():
        whole_ND = backbone.module(x_NCHW)
        for boundary in range(len(backbone.stages)):
            halves = split_module(backbone.module, backbone.stages, boundary)
            assert torch.equal(halves.top(halves.bottom(x_NCHW)), whole_ND)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_each_half_holds_the_parameters_of_its_own_stages_and_no_copies(card: Card) -> None:
    backbone = sketch_backbone(card)
    for boundary in range(1, len(backbone.stages)):
        halves = split_module(backbone.module, backbone.stages, boundary)
        for half, stages in (
            (halves.bottom, backbone.stages[:boundary]),
            (halves.top, backbone.stages[boundary:]),
        ):
            own = {
                id(parameter)
                for stage in stages
                for parameter in stage_parameters(backbone.module, stage.module_names)
            }
            assert {id(parameter) for parameter in half.parameters()} == own


def test_a_fused_network_can_be_cut_as_well() -> None:
    backbone = structure_of(find_card("resnet18"))
    x_NCHW = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    fused = fuse_normalisation(backbone.module)
    with torch.inference_mode():
        plain = split_module(backbone.module, backbone.stages, 3).bottom(x_NCHW)
        assert torch.allclose(
            split_module(fused, backbone.stages, 3).bottom(x_NCHW), plain, atol=1e-4, rtol=1e-4
        )


def test_cutting_a_network_leaves_the_modules_of_other_threads_alone() -> None:
    """Tracing would not: it takes over every module of the process while it lasts."""
    backbone, is_over = structure_of(find_card("efficientnet_lite0")), threading.Event()
    other = structure_of(find_card("resnet18"))
    x_NCHW = torch.rand(1, 3, 32, 32)

    def predict() -> None:
        with torch.inference_mode():
            while not is_over.is_set():
                other.module(x_NCHW)

    with ThreadPoolExecutor(1) as pool:
        predicting = pool.submit(predict)
        for boundary in (1, 5, 8) * 5:
            split_module(backbone.module, backbone.stages, boundary)
        is_over.set()
        predicting.result()
