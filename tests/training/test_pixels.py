"""Pictures as a network reads them."""

import torch

from tests.training.tiny import Album, tiny_backbone
from tlapp.backbones.catalog import CARDS
from tlapp.data.decode import open_working_copy
from tlapp.training.pixels import PixelStore

PICTURES = Album().pictures()
PREPROCESS = tiny_backbone().preprocess
BYTES_OF_ONE = 3 * 32 * 32


def test_what_was_kept_is_what_would_be_read_again() -> None:
    for preprocess in {PREPROCESS, *(card.preprocess for card in CARDS[:3])}:
        store = PixelStore(PICTURES[:3], preprocess)
        plain_NCHW = store.batch([0, 1, 2])
        for index in range(3):
            store.load(index)
        assert torch.equal(store.batch([0, 1, 2]), plain_NCHW)
        image = open_working_copy(PICTURES[0].read())
        assert torch.equal(plain_NCHW[0], preprocess.apply(image))


def test_no_more_is_kept_than_the_budget_allows() -> None:
    store = PixelStore(PICTURES, PREPROCESS, kept_bytes=2 * BYTES_OF_ONE)
    for index in range(len(PICTURES)):
        store.load(index)
    assert len(store._kept) == 2
    whole = PixelStore(PICTURES, PREPROCESS)
    rows = list(range(len(PICTURES)))
    assert torch.equal(store.batch(rows), whole.batch(rows))


def test_crops_depend_on_their_seeds_alone() -> None:
    store = PixelStore(PICTURES, PREPROCESS)
    first = store.augmented_batch([0, 1], [7, 8])
    torch.manual_seed(1)
    assert torch.equal(first, store.augmented_batch([0, 1], [7, 8]))
    assert not torch.equal(first, store.augmented_batch([0, 1], [7, 9]))
    assert torch.equal(first[1:], store.augmented_batch([1], [8]))
