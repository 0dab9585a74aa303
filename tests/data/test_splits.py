"""Splits are stratified, seeded, and leak nothing: faults 72 to 74."""

import random
from dataclasses import replace

import pytest

from tlapp.data.images import LabeledImage, LabeledImages, Part
from tlapp.data.splits import Split, split_images
from tlapp.errors import DataError


def images_of(*counts: int, part: Part = "") -> LabeledImages:
    return LabeledImages(
        tuple(f"class {index}" for index in range(len(counts))),
        tuple(
            LabeledImage(f"{index}-{number}", index, f"{number}.jpg", part)
            for index, count in enumerate(counts)
            for number in range(count)
        ),
    )


def split_of(images: LabeledImages, share: float = 0.2, seed: int = 0) -> Split:
    split = split_images(images, held_out_share=share, seed=seed)
    assert sorted((*split.train, *split.valid, *split.test)) == list(range(len(images.images)))
    return split


def ids(images: LabeledImages, indices: tuple[int, ...]) -> set[str]:
    return {images.images[index].image_id for index in indices}


def test_each_class_gives_its_share() -> None:
    images = images_of(100, 10, 50)
    valid = [images.images[index].class_index for index in split_of(images).valid]
    assert [valid.count(index) for index in range(3)] == [20, 2, 10]


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    images = images_of(30, 30)
    assert split_of(images) == split_of(images)
    assert split_of(images) != split_of(images, seed=1)


def test_the_order_of_the_upload_does_not_matter() -> None:
    images = images_of(30, 30)
    shuffled = list(images.images)
    random.Random(3).shuffle(shuffled)
    other = replace(images, images=tuple(shuffled))
    assert ids(images, split_of(images).valid) == ids(other, split_of(other).valid)


def test_splitting_does_not_touch_the_global_random_numbers() -> None:
    random.seed(5)
    expected = random.random()
    random.seed(5)
    split_of(images_of(30, 30))
    assert random.random() == expected


def test_a_class_with_one_picture_is_trained_on() -> None:
    images = images_of(1, 10)
    assert 0 in split_of(images).train


def test_one_picture_in_each_class_leaves_nothing_to_hold_out() -> None:
    assert split_of(images_of(1, 1, 1)) == Split((0, 1, 2), (), ())


@pytest.mark.parametrize("counts", [(1, 500), (2, 2), (0, 3), (3,), (5, 1, 1)])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9])
def test_every_class_keeps_a_picture_to_learn_from(counts: tuple[int, ...], share: float) -> None:
    images = images_of(*counts)
    trained = {images.images[index].class_index for index in split_of(images, share).train}
    assert trained == {index for index, count in enumerate(counts) if count}


def test_a_share_of_nothing_holds_nothing_out() -> None:
    assert split_of(images_of(20, 20), share=0.0).valid == ()


@pytest.mark.parametrize("share", [-0.1, 0.95, float("nan")])
def test_an_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(DataError):
        split_images(images_of(5, 5), held_out_share=share, seed=0)


def test_the_folders_own_split_is_kept() -> None:
    train, valid, test = (images_of(4, 4, part=part) for part in ("train", "valid", "test"))
    marked = [
        replace(image, image_id=f"{image.part} {image.image_id}")
        for part in (train, valid, test)
        for image in part.images
    ]
    split = split_of(LabeledImages(train.class_names, tuple(marked)), share=0.5)
    assert split == Split(tuple(range(8)), tuple(range(8, 16)), tuple(range(16, 24)))


def test_a_test_folder_alone_is_put_aside_and_never_held_out_for_choosing() -> None:
    train, test = images_of(10, 10, part="train"), images_of(3, 3, part="test")
    renamed = tuple(replace(image, image_id=f"t{image.image_id}") for image in test.images)
    split = split_of(LabeledImages(train.class_names, train.images + renamed))
    assert split.test == tuple(range(20, 26))
    assert len(split.valid) == 4


def test_identical_pictures_are_on_one_side() -> None:
    images = images_of(20, 20)
    copied = tuple(
        replace(image, image_id=f"{image.class_index}-{number % 7}")
        for number, image in enumerate(images.images)
    )
    images = replace(images, images=copied)
    for seed in range(20):
        split = split_of(images, seed=seed)
        assert not ids(images, split.train) & ids(images, split.valid)
        assert split.valid


def test_copies_over_the_folders_own_parts_are_all_trained_on() -> None:
    images = LabeledImages(
        ("cat", "dog"),
        (
            LabeledImage("a", 0, "1", "train"),
            LabeledImage("b", 1, "2", "train"),
            LabeledImage("a", 0, "3", "valid"),
            LabeledImage("c", 1, "4", "valid"),
            LabeledImage("c", 1, "5", "test"),
        ),
    )
    assert split_of(images) == Split((0, 1, 2), (3, 4), ())
