"""Pictures as a network reads them."""

import copy
from dataclasses import replace

import torch

from tests.training.tiny import Album, tiny_backbone
from tlapp.backbones.catalog import CARDS
from tlapp.data.decode import open_working_copy
from tlapp.training.config import TrainConfig
from tlapp.training.inputs import PixelInputs, cached_bottom
from tlapp.training.task import TrainJob, make_task

ALBUM = Album()
PICTURES = ALBUM.pictures()
PREPROCESS = tiny_backbone().preprocess
BYTES_OF_ONE = 3 * 32 * 32


def test_what_was_kept_is_what_would_be_read_again() -> None:
    for preprocess in {PREPROCESS, *(card.preprocess for card in CARDS[:3])}:
        store = PixelInputs(PICTURES[:3], preprocess)
        plain_NCHW = store.batch([0, 1, 2], [0] * 3)
        for index in range(3):
            store.load(index)
        assert torch.equal(store.batch([0, 1, 2], [0] * 3), plain_NCHW)
        image = open_working_copy(PICTURES[0].read())
        assert torch.equal(plain_NCHW[0], preprocess.apply(image))


def test_no_more_is_kept_than_the_budget_allows() -> None:
    store = PixelInputs(PICTURES, PREPROCESS, kept_bytes=2 * BYTES_OF_ONE)
    for index in range(len(PICTURES)):
        store.load(index)
    assert len(store._kept) == 2
    whole = PixelInputs(PICTURES, PREPROCESS)
    rows = list(range(len(PICTURES)))
    assert torch.equal(store.batch(rows, [0] * len(rows)), whole.batch(rows, [0] * len(rows)))


def test_views_depend_on_seed_picture_and_number_alone() -> None:
    def views(count: int, seed: int, *, is_loaded: bool) -> torch.Tensor:
        store = PixelInputs(PICTURES[:2], PREPROCESS, views=count, seed=seed)
        for index in range(2 * is_loaded):
            store.load(index)
        return store.batch([0, 0, 1], [0, 1, 2])

    first = views(2, 7, is_loaded=True)
    torch.manual_seed(1)
    assert torch.equal(first, views(3, 7, is_loaded=False))
    assert torch.equal(first[0], views(2, 8, is_loaded=False)[0])
    assert not torch.equal(first[1:], views(2, 8, is_loaded=False)[1:])
    assert not torch.equal(first[0], first[1])


def test_what_crosses_the_boundary_is_known_by_the_network_that_it_comes_from() -> None:
    """A training that goes on has its upper stages changed, and finds what was kept before."""
    original = tiny_backbone()
    config = TrainConfig(freeze="last:1")
    boundary = len(original.stages) - 1
    task = make_task(
        TrainJob(
            images=ALBUM.images,
            split=ALBUM.split,
            picture_of=ALBUM.picture,
            backbone=original,
            phases=(config,),
        )
    )

    def source(changed_stage: int) -> str:
        module = copy.deepcopy(original.module)
        name = original.stages[changed_stage].module_names[0]
        with torch.no_grad():
            next(module.get_submodule(name).parameters()).add_(1.0)
        trained = replace(original, module=module, weights_hash="trained")
        bottom = cached_bottom(replace(task, backbone=trained), config, boundary)
        assert bottom is not None
        return bottom.source

    untouched = cached_bottom(task, config, boundary)
    assert untouched is not None
    assert source(boundary) == untouched.source
    assert source(0) != untouched.source
