"""The folders that people have: fault 48, and the names of faults 26, 29 and 30."""

import unicodedata

import pytest

from tlapp.data.images import Part
from tlapp.data.layout import Layout, arrange
from tlapp.data.source import Listing, SourceFile
from tlapp.errors import DataError


def layout_of(*paths: str) -> Layout:
    files = tuple(
        SourceFile(path, tuple(path.split("/")[:-1]), lambda: b"never read") for path in paths
    )
    return arrange(Listing(files, (), (), 0))


def labels_of(*paths: str) -> list[tuple[str, Part]]:
    return [(placed.class_name, placed.part) for placed in layout_of(*paths).placed]


def test_a_folder_is_a_class() -> None:
    assert labels_of("cat/1.jpg", "dog/1.jpg") == [("cat", ""), ("dog", "")]


@pytest.mark.parametrize("wrap", ["animals", "a/b/c", "train"])
def test_wrapping_folders_are_no_classes(wrap: str) -> None:
    names = [name for name, _ in labels_of(f"{wrap}/cat/1.jpg", f"{wrap}/dog/1.jpg")]
    assert names == ["cat", "dog"]


@pytest.mark.parametrize("wrap", ["", "animals/", "test/", "a/b/"])
@pytest.mark.parametrize(
    ("train", "valid"), [("train", "val"), ("Train", "Valid"), ("training", "validation")]
)
def test_parts_are_kept(wrap: str, train: str, valid: str) -> None:
    labels = labels_of(
        f"{wrap}{train}/cat/1.jpg",
        f"{wrap}{train}/dog/1.jpg",
        f"{wrap}{valid}/cat/2.jpg",
        f"{wrap}test/dog/3.jpg",
    )
    assert labels == [("cat", "train"), ("dog", "train"), ("cat", "valid"), ("dog", "test")]


def test_only_a_train_folder_is_a_part_and_no_class() -> None:
    assert labels_of("train/cat/1.jpg", "train/dog/1.jpg") == [("cat", "train"), ("dog", "train")]


def test_parts_within_classes_are_kept() -> None:
    labels = labels_of("cat/train/1.jpg", "cat/val/2.jpg", "dog/train/3.jpg")
    assert labels == [("cat", "train"), ("cat", "valid"), ("dog", "train")]


def test_a_class_may_be_called_train() -> None:
    assert labels_of("train/1.jpg", "plane/1.jpg") == [("train", ""), ("plane", "")]


def test_pictures_without_a_label_beside_a_split_are_skipped() -> None:
    layout = layout_of("train/cat/1.jpg", "train/dog/1.jpg", "test/7.jpg")
    assert len(layout.placed) == 2
    assert str(layout.skipped[0].reason) == "test/7.jpg is not in a class folder."


def test_folders_in_a_class_belong_to_it_and_that_is_said() -> None:
    layout = layout_of(
        "animals/cat/1.jpg", "animals/dog/1.jpg", "plants/rose/1.jpg", "plants/oak/1.jpg"
    )
    assert {placed.class_name for placed in layout.placed} == {"animals", "plants"}
    assert layout.findings[0].kind == "nested_folders"
    assert '"cat", "dog"' in str(layout.findings[0].message)


def test_a_mixed_folder_has_classes_and_skipped_pictures() -> None:
    layout = layout_of("cat/1.jpg", "cat/close/2.jpg", "dog/1.jpg", "cover.jpg", "README.md")
    assert [placed.class_name for placed in layout.placed] == ["cat", "cat", "dog"]
    assert [skipped.name for skipped in layout.skipped] == ["cover.jpg"]
    assert layout.ignored_count == 1


def test_pictures_without_any_folder_are_refused_with_what_to_do() -> None:
    with pytest.raises(DataError, match="not in class folders") as caught:
        layout_of("1.jpg", "2.jpg")
    assert "folder named after the class" in str(caught.value.hint)


def test_papers_beside_the_classes_do_not_matter() -> None:
    labels = labels_of("wrap/LICENSE", "wrap/cat/1.jpg", "wrap/dog/1.jpg", "wrap/about/x.txt")
    assert ("cat", "") in labels
    assert ("dog", "") in labels


@pytest.mark.parametrize(
    "names",
    [
        ("Cat", "cat"),
        (unicodedata.normalize("NFC", "café"), unicodedata.normalize("NFD", "café")),
        ("STRASSE", "straße"),
        ("cat", "cat "),
    ],
)
def test_names_that_some_disks_take_for_one_are_one_class(names: tuple[str, str]) -> None:
    layout = layout_of(f"{names[0]}/1.jpg", f"{names[0]}/2.jpg", f"{names[1]}/3.jpg", "dog/1.jpg")
    assert {placed.class_name for placed in layout.placed} == {names[0], "dog"}
    assert [finding.kind for finding in layout.findings] == ["merged_names"]


HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "=cmd|'calc'!A0",
    "a\\b",
    "nul\x00byte",
    "CON",
    "trailing.",
    "\u202egnp.exe",
    "🐈‍⬛",
    "x" * 255,
    "{{7*7}}",
    "'; DROP TABLE classes; --",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_kept_as_text(name: str) -> None:
    assert {label for label, _ in labels_of(f"{name}/1.jpg", "dog/1.jpg")} == {name, "dog"}


def test_a_name_longer_than_any_folders_is_refused() -> None:
    with pytest.raises(DataError, match="300 characters; the limit is 255"):
        layout_of(f"{'x' * 300}/1.jpg", "dog/1.jpg")
