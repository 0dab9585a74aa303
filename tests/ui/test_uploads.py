"""Uploaded test pictures: no more in memory than is needed, and nothing left on the disk."""

from dataclasses import replace
from pathlib import Path

import pytest

from tlapp.errors import DataError
from tlapp.evaluation.test_pictures import prepare_test_pictures
from tlapp.settings import LOCAL_LIMITS
from tlapp.ui.uploads import read_pictures, take_pictures

LIMITS = replace(LOCAL_LIMITS, image_bytes=100, try_images=2)


def _uploads(folder: Path, *sizes: int) -> list[tuple[str, Path]]:
    uploads = []
    for index, size in enumerate(sizes):
        path = folder / f"{index}.jpg"
        path.write_bytes(b"x" * size)
        uploads.append((f"cat {index}.jpg", path))
    return uploads


def test_pictures_are_read_under_their_names_and_removed(tmp_path: Path) -> None:
    raw = take_pictures(_uploads(tmp_path, 100, 3), LIMITS)
    assert raw == [("cat 0.jpg", b"x" * 100), ("cat 1.jpg", b"xxx")]
    assert list(tmp_path.iterdir()) == []


def test_of_a_huge_file_no_more_is_read_than_it_takes_to_refuse_it(tmp_path: Path) -> None:
    raw = take_pictures(_uploads(tmp_path, 10_000), LIMITS)
    assert len(raw[0][1]) == 101
    assert "limit" in str(prepare_test_pictures(raw, LIMITS).entries[0].error)


def test_too_many_files_are_not_read_but_counted_and_removed(tmp_path: Path) -> None:
    raw = take_pictures(_uploads(tmp_path, 5, 5, 5), LIMITS)
    assert [len(content) for _, content in raw] == [5, 5, 0]
    with pytest.raises(DataError, match="3 test pictures"):
        prepare_test_pictures(raw, LIMITS)
    assert list(tmp_path.iterdir()) == []


def test_files_are_removed_though_one_of_them_cannot_be_read(tmp_path: Path) -> None:
    uploads = [("gone.jpg", tmp_path / "gone.jpg"), *_uploads(tmp_path, 5)]
    with pytest.raises(FileNotFoundError):
        take_pictures(uploads, LIMITS)
    assert list(tmp_path.iterdir()) == []


def test_what_api_clients_send_stays_where_it_is(tmp_path: Path) -> None:
    """Two clients who send the same picture send one file: the first must not take it away."""
    uploads = _uploads(tmp_path, 100)
    assert read_pictures(uploads, LIMITS) == read_pictures(uploads, LIMITS)
