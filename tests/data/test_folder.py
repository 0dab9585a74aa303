"""A folder on this machine."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests import pictures
from tests.data.importing import class_counts, imported, tree
from tlapp.data.dataset import DatasetStore
from tlapp.data.images import some_quoted
from tlapp.errors import DataError
from tlapp.settings import LOCAL_LIMITS


def test_a_folder_and_its_zip_give_the_same_data_set(
    store: DatasetStore, pictures_folder: Path, pictures_zip: Path
) -> None:
    first, second = imported(store, pictures_folder), imported(store, pictures_zip)
    assert first.images == second.images
    assert first.dataset_id != second.dataset_id


def test_the_folder_itself_is_not_changed(store: DatasetStore, pictures_folder: Path) -> None:
    before = tree(pictures_folder)
    imported(store, pictures_folder)
    assert tree(pictures_folder) == before


def test_what_is_no_folder_is_refused_without_its_path(store: DatasetStore, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        list(
            store.import_folder(
                tmp_path / "nowhere", name="x", owner="anna", should_stop=lambda: False
            )
        )
    assert str(caught.value) == '"nowhere" is not a folder.'


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
def test_a_pipe_is_not_read(store: DatasetStore, pictures_folder: Path) -> None:
    os.mkfifo(pictures_folder / "dots" / "pipe.jpg")
    dataset = imported(store, pictures_folder)
    assert [str(skipped.reason) for skipped in dataset.skipped] == [
        "dots/pipe.jpg is not an ordinary file."
    ]


def test_links_to_files_are_read_and_loops_of_folders_are_not_followed(
    store: DatasetStore, pictures_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere.jpg").write_bytes(pictures.jpeg(1, 99))
    (pictures_folder / "dots" / "link.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    (pictures_folder / "dots" / "loop").symlink_to(pictures_folder)
    (pictures_folder / "dots" / "lost.jpg").symlink_to(tmp_path / "nothing")
    dataset = imported(store, pictures_folder)
    assert class_counts(dataset)["dots"] == 9
    assert [skipped.name for skipped in dataset.skipped] == ["dots/lost.jpg"]


def test_an_empty_class_folder_is_said(store: DatasetStore, pictures_folder: Path) -> None:
    (pictures_folder / "empty class").mkdir()
    dataset = imported(store, pictures_folder)
    assert "empty class" not in dataset.images.class_names
    assert dataset.findings[0].message.value("folders") == some_quoted(["empty class"])


def test_too_many_files_are_refused_while_listing(tmp_path: Path, pictures_folder: Path) -> None:
    store = DatasetStore(tmp_path / "few", replace(LOCAL_LIMITS, archive_entries=10))
    with pytest.raises(DataError, match="more than 10 files"):
        imported(store, pictures_folder)


@pytest.mark.parametrize("name", ["<b>x<b>", "a\\b", "CON", "tab\there", "..x", "🐈", "-rf"])
def test_hostile_folder_names_are_shown_and_never_used_on_disk(
    store: DatasetStore, pictures_folder: Path, tmp_path: Path, name: str
) -> None:
    (pictures_folder / name).mkdir()
    (pictures_folder / name / "1.jpg").write_bytes(pictures.jpeg(4, 4))
    dataset = imported(store, pictures_folder)
    if not name.startswith("."):  # a hidden folder is ignored
        assert name in dataset.images.class_names
    assert store.load(dataset.dataset_id) == dataset
    assert not any(name in item for item in tree(tmp_path / "datasets"))


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX alone")
def test_a_name_that_is_no_text_can_be_stored(store: DatasetStore, pictures_folder: Path) -> None:
    odd = os.fsencode(pictures_folder) + b"/caf\xe9"
    Path(os.fsdecode(odd)).mkdir()
    (Path(os.fsdecode(odd)) / "1.jpg").write_bytes(pictures.jpeg(4, 4))
    dataset = imported(store, pictures_folder)
    assert "caf\\xe9" in dataset.images.class_names
    assert store.load(dataset.dataset_id) == dataset


def test_label_files_beside_the_pictures_are_ignored(
    store: DatasetStore, pictures_folder: Path
) -> None:
    (pictures_folder / "dots" / "1.txt").write_text("0 0.5 0.5 1 1")
    (pictures_folder / "dots" / "no_ending").write_bytes(pictures.jpeg(1, 50))
    dataset = imported(store, pictures_folder)
    assert dataset.skipped == ()
    assert dataset.ignored_count == 1
    assert class_counts(dataset)["dots"] == 9
