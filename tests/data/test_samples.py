"""The sample pictures: small, many enough, and no class given away by its mean colour."""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from assets.make_samples import PATTERNS, draw_picture, encode
from tests.data.importing import imported
from tlapp.data.checks import check_images
from tlapp.data.dataset import DatasetStore
from tlapp.data.samples import sample_folder, sample_test_pictures
from tlapp.data.splits import split_images


def test_samples_are_a_sound_data_set(store: DatasetStore) -> None:
    dataset = imported(store, sample_folder())
    assert dataset.images.class_names == tuple(sorted(PATTERNS))
    assert min(dataset.images.counts()) >= 20
    assert dataset.skipped == ()
    split = split_images(dataset.images, held_out_share=0.2, seed=0)
    assert check_images(dataset.images, split) == ()


def test_samples_and_test_pictures_are_under_three_megabytes() -> None:
    files = [*sample_folder().rglob("*.jpg"), *sample_test_pictures()]
    assert sum(path.stat().st_size for path in files) < 3_000_000
    assert len(sample_test_pictures()) == 10


def test_no_test_picture_is_among_the_samples() -> None:
    def digests(paths: list[Path]) -> set[str]:
        return {hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    samples = digests(list(sample_folder().rglob("*.jpg")))
    assert not samples & digests(list(sample_test_pictures()))


def test_the_mean_colour_does_not_tell_the_class() -> None:
    """The nearest class mean, in mean colour, is hardly better than one in five."""
    colours, labels = [], []
    for path in sorted(sample_folder().rglob("*.jpg")):
        colours.append(np.asarray(Image.open(path)).reshape(-1, 3).mean(0))
        labels.append(path.parent.name)
    colours_N3, labels_N = np.array(colours), np.array(labels)
    names = sorted(set(labels))
    means_K3 = np.array([colours_N3[labels_N == name].mean(0) for name in names])
    nearest = np.linalg.norm(colours_N3[:, None] - means_K3, axis=2).argmin(1)
    assert np.mean(np.array(names)[nearest] == labels_N) < 0.45


def test_a_sample_is_drawn_the_same_each_time() -> None:
    assert encode(draw_picture("spots", 7)) == encode(draw_picture("spots", 7))
