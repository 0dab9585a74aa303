"""Classes can be renamed, merged and removed, and never become two of one name."""

import unicodedata

import pytest

from tlapp.data.images import (
    LabeledImage,
    LabeledImages,
    merge_classes,
    remove_class,
    rename_class,
)
from tlapp.errors import DataError

IMAGES = LabeledImages(
    ("cat", "dog", "owl"),
    tuple(
        LabeledImage(f"id {index}", class_index, f"{index}.jpg")
        for index, class_index in enumerate((0, 0, 1, 2, 2, 2))
    ),
)


def test_a_class_gets_another_name_and_keeps_its_pictures() -> None:
    renamed = rename_class(IMAGES, 1, "  wolf ")
    assert renamed.class_names == ("cat", "wolf", "owl")
    assert renamed.images == IMAGES.images
    assert IMAGES.class_names == ("cat", "dog", "owl")


def test_a_class_may_change_the_case_of_its_own_name() -> None:
    assert rename_class(IMAGES, 0, "Cat").class_names[0] == "Cat"


@pytest.mark.parametrize("name", ["dog", "DOG", " dog. "])
def test_the_name_of_another_class_asks_to_merge(name: str) -> None:
    with pytest.raises(DataError, match='There is a class "dog" already') as caught:
        rename_class(IMAGES, 0, name)
    assert "Merge" in str(caught.value.hint)


def test_both_spellings_of_an_accent_are_one_name() -> None:
    images = rename_class(IMAGES, 0, unicodedata.normalize("NFC", "café"))
    with pytest.raises(DataError):
        rename_class(images, 1, unicodedata.normalize("NFD", "café"))


@pytest.mark.parametrize("name", ["", "   ", "x" * 256])
def test_no_name_and_an_endless_name_are_refused(name: str) -> None:
    with pytest.raises(DataError) as caught:
        rename_class(IMAGES, 0, name)
    assert caught.value.hint


@pytest.mark.parametrize(("source", "target"), [(0, 2), (2, 0), (1, 2), (2, 1)])
def test_merging_moves_the_pictures_and_drops_the_class(source: int, target: int) -> None:
    names, counts = IMAGES.class_names, IMAGES.counts()
    merged = merge_classes(IMAGES, source, target)
    assert names[source] not in merged.class_names
    assert merged.counts()[merged.class_names.index(names[target])] == (
        counts[source] + counts[target]
    )
    assert len(merged.images) == len(IMAGES.images)


def test_removing_drops_the_class_and_its_pictures_alone() -> None:
    removed = remove_class(IMAGES, 1)
    assert removed.class_names == ("cat", "owl")
    assert removed.counts() == (2, 3)


@pytest.mark.parametrize("index", [-1, 3, 99])
def test_a_class_that_is_not_there_is_refused(index: int) -> None:
    with pytest.raises(DataError):
        rename_class(IMAGES, index, "x")
    with pytest.raises(DataError):
        merge_classes(IMAGES, index, 0)
    with pytest.raises(DataError):
        remove_class(IMAGES, index)


def test_a_class_is_not_merged_with_itself_and_the_last_one_not_removed() -> None:
    with pytest.raises(DataError):
        merge_classes(IMAGES, 1, 1)
    with pytest.raises(DataError):
        remove_class(remove_class(remove_class(IMAGES, 0), 0), 0)
