"""Pictures reach a backbone exactly as its weights were trained to see them."""

import pytest
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms._presets import ImageClassification

from tests.pictures import pattern
from tlapp.backbones.catalog import CARDS
from tlapp.data.preprocess import Preprocess, augment

PREPROCESS = Preprocess(
    resize_pixels=40,
    crop_pixels=32,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    interpolation="bilinear",
)


def _torchvision(preprocess: Preprocess) -> ImageClassification:
    return ImageClassification(
        crop_size=preprocess.crop_pixels,
        resize_size=preprocess.resize_pixels,
        mean=preprocess.mean,
        std=preprocess.std,
        interpolation=InterpolationMode(preprocess.interpolation),
    )


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("size", [(400, 533), (711, 400), (384, 384), (37, 91), (100, 400), (1, 1)])
def test_equals_the_transform_of_the_weights_bit_for_bit(size: tuple[int, int]) -> None:
    picture = pattern(1, 3, width=size[0], height=size[1])
    for preprocess in {card.preprocess for card in CARDS}:
        assert torch.equal(preprocess.apply(picture), _torchvision(preprocess)(picture))


def test_a_ribbon_equals_it_but_for_one_grey_level() -> None:
    picture = pattern(1, 3, width=12, height=700)
    difference = PREPROCESS.apply(picture) - _torchvision(PREPROCESS)(picture)
    assert float(difference.abs().max()) < 1.01 / 255 / min(PREPROCESS.std)


def test_a_view_has_the_size_and_type_of_the_plain_picture() -> None:
    view_CHW = augment(pattern(0, 0), PREPROCESS, _generator(0))
    assert view_CHW.shape == (3, 32, 32)
    assert view_CHW.dtype == torch.float32


def test_a_view_depends_on_the_generator_alone() -> None:
    picture = pattern(0, 0)
    first, again, other = (augment(picture, PREPROCESS, _generator(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_about_half_of_the_views_are_mirrored() -> None:
    ramp = Image.linear_gradient("L").rotate(90).convert("RGB")  # dark left or right
    views = [augment(ramp, PREPROCESS, _generator(seed)) for seed in range(60)]
    mirrored = sum(bool(view[0, :, 0].mean() > view[0, :, -1].mean()) for view in views)
    assert 15 < mirrored < 45


@pytest.mark.parametrize("size", [(1536, 12), (12, 1536), (1, 1)])
def test_extreme_pictures_have_views_too(size: tuple[int, int]) -> None:
    picture = pattern(0, 0, width=size[0], height=size[1])
    for seed in range(5):
        assert augment(picture, PREPROCESS, _generator(seed)).isfinite().all()
