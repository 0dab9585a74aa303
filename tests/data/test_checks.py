"""What is said about the pictures before training: faults 71 to 75 and 77."""

from pathlib import Path

import pytest

from tests import pictures
from tests.data.importing import imported
from tlapp.data.checks import check_images
from tlapp.data.dataset import DatasetStore
from tlapp.data.images import Finding, LabeledImage, LabeledImages, Part, some_names
from tlapp.data.splits import split_images


def findings_of(images: LabeledImages) -> dict[str, Finding]:
    split = split_images(images, held_out_share=0.2, seed=0)
    findings = check_images(images, split)
    assert all(str(finding.message).endswith(".") for finding in findings)
    return {finding.kind: finding for finding in findings}


def images_of(rows: list[tuple[str, int, Part]], classes: int = 2) -> LabeledImages:
    names = ("cat", "dog", "owl")[:classes]
    return LabeledImages(
        names,
        tuple(LabeledImage(image_id, index, image_id, part) for image_id, index, part in rows),
    )


def plain(*counts: int) -> LabeledImages:
    rows: list[tuple[str, int, Part]] = [
        (f"{index}-{number}", index, "")
        for index, count in enumerate(counts)
        for number in range(count)
    ]
    return images_of(rows, len(counts))


def test_sound_pictures_have_no_findings(store: DatasetStore, pictures_folder: Path) -> None:
    assert findings_of(imported(store, pictures_folder).images) == {}


def test_one_class_asks_for_a_second() -> None:
    assert findings_of(plain(10))["one_class"].message.value("name") == "cat"


def test_single_pictures_cannot_be_measured() -> None:
    findings = findings_of(plain(1, 1))
    assert "nothing_held_out" in findings
    assert findings["few_pictures"].class_names == ("cat", "dog")


@pytest.mark.parametrize(("count", "is_few"), [(4, True), (5, False)])
def test_fewer_than_five_pictures_are_few(count: int, is_few: bool) -> None:
    assert ("few_pictures" in findings_of(plain(count, 10))) is is_few


@pytest.mark.parametrize(("most", "is_imbalance"), [(50, False), (51, True), (5000, True)])
def test_more_than_five_to_one_is_imbalance(most: int, is_imbalance: bool) -> None:
    findings = findings_of(plain(most, 10))
    assert ("imbalance" in findings) is is_imbalance
    if is_imbalance:
        assert findings["imbalance"].class_names == ("cat", "dog")


def test_the_same_picture_in_two_classes_names_both() -> None:
    images = plain(6, 6)
    rows = [(image.image_id, image.class_index, image.part) for image in images.images]
    findings = findings_of(images_of([*rows, ("0-1", 1, ""), ("0-2", 1, "")]))
    found = findings["same_in_two_classes"]
    assert (found.class_names, found.count) == (("cat", "dog"), 2)
    assert '"cat" and in "dog": 0-1 = 0-1, 0-2 = 0-2.' in str(found.message)


def test_copies_over_the_parts_are_counted() -> None:
    rows: list[tuple[str, int, Part]] = [
        (f"{index}-{number}", index, part)
        for index in range(2)
        for number, part in enumerate(("train",) * 5 + ("valid",) * 5)  # type: ignore[arg-type]
    ]
    assert "same_over_split" not in findings_of(images_of(rows))
    findings = findings_of(images_of([*rows, ("0-0", 0, "valid"), ("1-0", 1, "valid")]))
    assert findings["same_over_split"].count == 2
    said = findings["same_over_split"].message
    assert said.value("files") == some_names(("0-0 = 0-0", "1-0 = 1-0"))


def test_equal_pictures_cannot_be_told_apart(store: DatasetStore, tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "flat" / name).mkdir(parents=True)
        for number in range(6):
            (tmp_path / "flat" / name / f"{number}.png").write_bytes(pictures.flat())
    findings = findings_of(imported(store, tmp_path / "flat").images)
    assert findings["all_equal"].message.value("count") == 12
    assert findings["same_in_two_classes"].count == 1


def test_copies_in_one_class_are_mentioned() -> None:
    rows = [(image.image_id, image.class_index, image.part) for image in plain(6, 6).images]
    assert findings_of(images_of([*rows, ("0-0", 0, "")]))["copies"].count == 1
    again = [(f"0-{number}", 0, part) for number, part in enumerate([""] * 5)]
    finding = findings_of(images_of([*rows, *again]))["copies"]  # type: ignore[list-item]
    assert str(finding.message.value("names")) == "0-0, 0-1, 0-2 and 2 more"


def test_no_pictures_at_all_raise_nothing() -> None:
    findings_of(LabeledImages((), ()))
