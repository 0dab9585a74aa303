"""Data sets on disk: whole or not there, each in its own folder, found only by its id."""

import io
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests import pictures
from tests.data.importing import class_counts, events_of, imported, tree
from tlapp.data.dataset import (
    Dataset,
    DatasetStore,
    ImportFinished,
    ImportProgress,
    ImportStarted,
    ImportStopped,
)
from tlapp.data.decode import open_working_copy
from tlapp.data.images import merge_classes, rename_class
from tlapp.data.record import read_dataset, write_dataset
from tlapp.errors import DataError, NotFoundError
from tlapp.messages import verbatim
from tlapp.settings import LOCAL_LIMITS, PUBLIC_LIMITS


@pytest.fixture
def dataset(store: DatasetStore, pictures_folder: Path) -> Dataset:
    return imported(store, pictures_folder)


def test_an_import_tells_how_far_it_is(store: DatasetStore, pictures_folder: Path) -> None:
    (pictures_folder / "dots" / "bad.jpg").write_bytes(b"")
    events = events_of(store, pictures_folder)
    assert events[0] == ImportStarted(25)
    assert ImportProgress(25, 25, 1) in events
    assert isinstance(events[-1], ImportFinished)
    assert [str(skipped.reason) for skipped in events[-1].dataset.skipped] == [
        "dots/bad.jpg is empty."
    ]


def test_a_data_set_is_read_back_as_it_was(dataset: Dataset, tmp_path: Path) -> None:
    again = DatasetStore(tmp_path / "datasets", LOCAL_LIMITS)
    assert again.load(dataset.dataset_id) == dataset
    assert class_counts(dataset) == {"checks": 8, "dots": 8, "stripes": 8}


def test_pictures_and_thumbnails_are_read_back(store: DatasetStore, dataset: Dataset) -> None:
    image_id = dataset.images.images[0].image_id
    picture = store.pictures(dataset)(image_id)
    assert picture.image_id == image_id
    assert open_working_copy(picture.read()).size == (96, 80)
    thumbnail = Image.open(io.BytesIO(store.thumbnail(dataset.dataset_id, image_id, 32)))
    assert max(thumbnail.size) == 32


def test_metadata_of_the_original_is_in_no_stored_file(
    store: DatasetStore, pictures_folder: Path, tmp_path: Path
) -> None:
    (pictures_folder / "dots" / "located.jpg").write_bytes(pictures.located_jpeg())
    imported(store, pictures_folder)
    stored = [path for path in (tmp_path / "datasets").rglob("*") if path.is_file()]
    assert not any(b"SecretCameraMaker" in path.read_bytes() for path in stored)


BAD_IDS = ("", ".", "..", "../x", "/etc/passwd", "x" * 31, "x" * 32, "é" * 32, "a" * 31 + "/", "\0")


@pytest.mark.parametrize("bad_id", BAD_IDS)
def test_an_unknown_or_malformed_id_is_not_found(
    store: DatasetStore, dataset: Dataset, tmp_path: Path, bad_id: str
) -> None:
    before = tree(tmp_path)
    image_id = dataset.images.images[0].image_id
    with pytest.raises(NotFoundError):
        store.load(bad_id)
    with pytest.raises(NotFoundError):
        store.delete(bad_id)
    with pytest.raises(NotFoundError):
        store.thumbnail(bad_id, image_id, 32)
    with pytest.raises(NotFoundError):
        store.save(replace(dataset, dataset_id=bad_id))
    with pytest.raises(NotFoundError):
        store.pictures(dataset)(bad_id).read()
    assert tree(tmp_path) == before


def test_ids_cannot_be_guessed(store: DatasetStore, pictures_folder: Path) -> None:
    ids = {imported(store, pictures_folder).dataset_id for _ in range(3)}
    assert len(ids) == 3
    assert all(len(dataset_id) == 32 for dataset_id in ids)  # 32 characters of 6 bits


def test_a_visitor_sees_only_the_own_data_sets_oldest_first(
    store: DatasetStore, pictures_folder: Path
) -> None:
    first, second = imported(store, pictures_folder), imported(store, pictures_folder)
    assert store.list("anna") == (first, second)
    assert store.list("ben") == ()


def test_deleting_one_data_set_leaves_the_same_pictures_of_another(
    store: DatasetStore, pictures_folder: Path, tmp_path: Path
) -> None:
    first, second = imported(store, pictures_folder), imported(store, pictures_folder)
    image_id = first.images.images[0].image_id
    doomed = store.pictures(first)(image_id)
    store.delete(first.dataset_id)
    assert store.pictures(second)(image_id).read()
    with pytest.raises(NotFoundError):
        store.load(first.dataset_id)
    with pytest.raises(NotFoundError):
        doomed.read()
    assert {item.split("/")[0] for item in tree(tmp_path / "datasets")} == {second.dataset_id}


def test_changes_are_saved_whole_and_the_old_state_stays_if_the_disk_refuses(
    store: DatasetStore, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    renamed = replace(dataset, images=rename_class(dataset.images, 0, "squares"))
    store.save(renamed)
    assert store.load(dataset.dataset_id) == renamed
    before = tree(tmp_path)

    def refuse(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(DataError, match="No space left"):
        store.save(dataset)
    assert store.load(dataset.dataset_id) == renamed
    assert tree(tmp_path) == before


def test_a_full_disk_is_said_and_nothing_is_left(
    store: DatasetStore, pictures_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_path = Path.open

    def refuse(path: Path, mode: str = "r", **options: Any) -> Any:
        if mode == "xb":
            raise OSError(28, "No space left on device")
        return open_path(path, mode, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="cannot be stored: No space left"):
        imported(store, pictures_folder)
    assert tree(tmp_path / "datasets") == set()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, pictures_folder: Path) -> None:
    (tmp_path / "file").write_text("where the folder should be")
    with pytest.raises(DataError, match="cannot be stored"):
        imported(DatasetStore(tmp_path / "file", LOCAL_LIMITS), pictures_folder)


def test_stopping_leaves_nothing(
    store: DatasetStore, pictures_folder: Path, tmp_path: Path
) -> None:
    answers: Iterator[bool] = iter([False] * 5 + [True] * 100)
    events = list(
        store.import_folder(
            pictures_folder, name="x", owner="anna", should_stop=lambda: next(answers)
        )
    )
    assert events[-1] == ImportStopped()
    assert tree(tmp_path / "datasets") == set()


def test_an_import_that_nobody_follows_to_its_end_leaves_nothing(
    store: DatasetStore, pictures_folder: Path, tmp_path: Path
) -> None:
    events = store.import_folder(pictures_folder, name="x", owner="a", should_stop=lambda: False)
    next(events)
    assert store.list("a") == ()
    events.close()  # type: ignore[attr-defined]
    assert tree(tmp_path / "datasets") == set()


def test_nothing_is_listed_before_the_import_has_finished(
    store: DatasetStore, pictures_folder: Path
) -> None:
    for event in store.import_folder(
        pictures_folder, name="x", owner="anna", should_stop=lambda: False
    ):
        assert len(store.list("anna")) == isinstance(event, ImportFinished)


def test_leftovers_of_a_crash_are_removed_once_they_are_old(
    store: DatasetStore, pictures_folder: Path, tmp_path: Path
) -> None:
    for name, age_seconds in (("old", 24 * 3600), ("running", 60)):
        folder = tmp_path / "datasets" / f".incoming-{name}"
        folder.mkdir(parents=True)
        then = time.time() - age_seconds
        os.utime(folder, (then, then))
    dataset = imported(store, pictures_folder)
    found = {path.name for path in (tmp_path / "datasets").iterdir()}
    assert found == {".incoming-running", dataset.dataset_id}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 1}', '{"version": 99}', "null"])
def test_a_damaged_description_is_a_clear_error_and_hides_no_other(
    store: DatasetStore, dataset: Dataset, pictures_folder: Path, tmp_path: Path, text: str
) -> None:
    (tmp_path / "datasets" / dataset.dataset_id / "dataset.json").write_text(text)
    other = imported(store, pictures_folder)
    with pytest.raises(DataError, match="damaged"):
        store.load(dataset.dataset_id)
    assert store.list("anna") == (other,)


def test_the_description_is_plain_json(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "datasets" / dataset.dataset_id / "dataset.json"
    assert json.loads(path.read_text())["name"] == "animals"


def test_a_description_keeps_ids_and_values_and_opens_with_the_sentences_of_before(
    store: DatasetStore, pictures_folder: Path, tmp_path: Path
) -> None:
    (pictures_folder / "dots" / "moving.gif").write_bytes(pictures.animation())
    (pictures_folder / "dots" / "bad.jpg").write_bytes(b"")
    dataset = imported(store, pictures_folder)
    path = tmp_path / "datasets" / dataset.dataset_id / "dataset.json"
    kept = json.loads(path.read_text())
    assert kept["skipped"][0]["reason"] == {
        "id": "{name} is empty.",
        "values": {"name": "dots/bad.jpg"},
    }
    assert read_dataset(path).value == dataset
    del kept["checksum"]
    kept["skipped"][0]["reason"] = "dots/bad.jpg is empty."
    kept["findings"][0]["message"] = "1 picture is {animated}."
    path.write_text(json.dumps(kept))
    earlier = read_dataset(path).value
    assert earlier.skipped[0].reason == verbatim("dots/bad.jpg is empty.")
    assert earlier.findings[0].message == verbatim("1 picture is {animated}.")


def test_too_many_classes_are_refused_before_a_picture_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(41):
        (tmp_path / "many" / f"class {number}").mkdir(parents=True)
        (tmp_path / "many" / f"class {number}" / "1.jpg").write_bytes(b"")
    monkeypatch.setattr("tlapp.data.ingest.open_picture", lambda *_a, **_k: pytest.fail("read"))
    with pytest.raises(DataError, match=r"There are 41 classes\. At most 40 classes"):
        imported(DatasetStore(tmp_path / "d", PUBLIC_LIMITS), tmp_path / "many")
    assert tree(tmp_path / "d") == set()


def test_too_many_pictures_are_refused(tmp_path: Path, pictures_folder: Path) -> None:
    store = DatasetStore(tmp_path / "d", replace(LOCAL_LIMITS, images=20))
    with pytest.raises(DataError, match="At most 20 pictures"):
        imported(store, pictures_folder)
    assert tree(tmp_path / "d") == set()


def test_moving_pictures_are_counted_in_a_finding(
    store: DatasetStore, pictures_folder: Path
) -> None:
    (pictures_folder / "dots" / "moving.gif").write_bytes(pictures.animation())
    findings = imported(store, pictures_folder).findings
    assert [(finding.kind, finding.count) for finding in findings] == [("animated", 1)]
    assert str(findings[0].message).endswith("is used: dots/moving.gif.")


def test_a_class_without_a_readable_picture_is_no_class(
    store: DatasetStore, pictures_folder: Path
) -> None:
    (pictures_folder / "owl").mkdir()
    (pictures_folder / "owl" / "1.jpg").write_bytes(b"no picture")
    dataset = imported(store, pictures_folder)
    assert "owl" not in dataset.images.class_names
    assert [finding.kind for finding in dataset.findings] == ["empty_class"]


def test_what_others_own_is_read_once_and_found_again_by_another_store(
    store: DatasetStore, pictures_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = imported(store, pictures_folder)
    again = DatasetStore(tmp_path / "datasets", LOCAL_LIMITS)
    assert again.list("ben") == ()
    read: list[str] = []
    load = again.load

    def counted(dataset_id: str) -> Dataset:
        read.append(dataset_id)
        return load(dataset_id)

    monkeypatch.setattr(again, "load", counted)
    assert again.list("ben") == ()
    assert read == []
    assert again.list("anna") == (theirs,)
    again.save(replace(theirs, owner="ben"))
    assert again.list("anna") == ()
    assert [dataset.owner for dataset in again.list("ben")] == ["ben"]
    again.delete(theirs.dataset_id)
    assert again.list("ben") == ()


def test_the_last_edit_is_undone_also_by_another_store(
    store: DatasetStore, dataset: Dataset, tmp_path: Path
) -> None:
    edited = dataset.with_edit(merge_classes(dataset.images, 0, 1))
    store.save(edited)
    again = DatasetStore(tmp_path / "datasets", LOCAL_LIMITS).load(dataset.dataset_id)
    assert again == edited
    assert again.without_edit() == dataset
    with pytest.raises(DataError, match="no change"):
        dataset.without_edit()


def test_what_was_written_is_read_no_more_and_what_another_process_writes_is_noticed(
    store: DatasetStore, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.load(dataset.dataset_id) is dataset
    ours, theirs = replace(dataset, name="Ours"), replace(dataset, name="Theirs")
    store.save(ours)
    assert store.load(dataset.dataset_id) is ours
    other = DatasetStore(tmp_path / "datasets", LOCAL_LIMITS)
    other.save(theirs)
    assert store.load(dataset.dataset_id) == theirs

    def overtaken(*arguments: Any, **options: Any) -> int:
        number = write_dataset(*arguments, **options)
        write_dataset(theirs, arguments[1])
        return number

    monkeypatch.setattr("tlapp.data.dataset.write_dataset", overtaken)
    store.save(ours)
    assert store.load(dataset.dataset_id) == theirs


def test_a_description_is_read_once_and_its_split_drawn_once(
    dataset: Dataset, tmp_path: Path
) -> None:
    store = DatasetStore(tmp_path / "datasets", LOCAL_LIMITS)
    first = store.load(dataset.dataset_id)
    assert store.load(dataset.dataset_id) is first
    assert store.list(dataset.owner)[0].split is first.split
    assert store.list("nobody") == ()


def test_a_saved_change_is_seen_and_a_deleted_data_set_forgotten(
    store: DatasetStore, dataset: Dataset
) -> None:
    store.load(dataset.dataset_id)
    renamed = replace(dataset, name="Another name")
    store.save(renamed)
    assert store.load(dataset.dataset_id) == renamed
    store.delete(dataset.dataset_id)
    with pytest.raises(NotFoundError):
        store.load(dataset.dataset_id)


def test_damage_that_comes_after_reading_is_noticed(
    store: DatasetStore, dataset: Dataset, tmp_path: Path
) -> None:
    store.load(dataset.dataset_id)
    (tmp_path / "datasets" / dataset.dataset_id / "dataset.json").write_bytes(b"\0{")
    with pytest.raises(DataError):
        store.load(dataset.dataset_id)


def test_a_data_set_with_too_many_labels_is_not_kept_in_memory(
    dataset: Dataset, tmp_path: Path
) -> None:
    store = DatasetStore(tmp_path / "datasets", LOCAL_LIMITS, most_known_pictures=10)
    first = store.load(dataset.dataset_id)
    assert store.load(dataset.dataset_id) == first
    assert store.load(dataset.dataset_id) is not first
