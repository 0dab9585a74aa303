"""Test pictures: found again after a restart with the same answers, bounded, each visitor's own."""

import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pictures import jpeg
from tlapp.evaluation.test_pictures import TestPictures, prepare_test_pictures
from tlapp.settings import Settings
from tlapp.workspace import Workspace, new_visitor, owner_of
from tlapp.workspace.visitors import KeptTestPictures

RAW = [("a.jpg", jpeg()), ("broken.jpg", b"no picture"), ("b.jpg", jpeg(1))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "tried"


@pytest.fixture
def tried(settings: Settings) -> TestPictures:
    return prepare_test_pictures(RAW, settings.limits)


@pytest.fixture
def owner() -> str:
    return owner_of(new_visitor())


def book(folder: Path, most: int = 9) -> KeptTestPictures:
    """As a process finds it that has just started."""
    return KeptTestPictures(folder, lambda: True, most)


def names(tried: TestPictures | None) -> list[str]:
    return [] if tried is None else [entry.name for entry in tried.entries]


def test_another_process_finds_them_and_answers_the_same(
    workspace: Workspace, settings: Settings, owner: str, tried: TestPictures
) -> None:
    workspace.visitors.keep_test_pictures(owner, tried)
    assert workspace.visitors.test_pictures(owner) is tried
    before = workspace.visitors.imagenet_answers(
        tried, workspace.models.backbone("efficientnet_lite0")
    )
    workspace.close()
    later = Workspace(settings)
    found = later.visitors.test_pictures(owner)
    assert found is not None
    assert (
        later.visitors.imagenet_answers(found, later.models.backbone("efficientnet_lite0"))
        == before
    )
    assert [result.name for result in before] == [name for name, _ in RAW]
    later.close()


def test_the_next_pictures_take_the_place_of_the_earlier(
    folder: Path, owner: str, tried: TestPictures, settings: Settings
) -> None:
    kept = book(folder)
    kept.keep(owner, tried)
    kept.keep(owner, prepare_test_pictures(RAW[:1], settings.limits))
    assert names(kept.get(owner)) == names(book(folder).get(owner)) == ["a.jpg"]


def test_whoever_looks_while_others_are_kept_leaves_memory_and_disk_alike(
    folder: Path, owner: str, tried: TestPictures, settings: Settings
) -> None:
    other = prepare_test_pictures(RAW[:1], settings.limits)
    for _ in range(20):
        book(folder).keep(owner, tried)
        later = book(folder)
        start = threading.Barrier(3)
        work: list[Callable[[], object]] = [
            lambda later=later: later.get(owner),  # type: ignore[misc]  # bound in the loop
            lambda later=later: later.keep(owner, other),  # type: ignore[misc]
        ]

        def run(each: Callable[[], object], start: threading.Barrier = start) -> None:
            start.wait()
            each()

        threads = [threading.Thread(target=run, args=(each,)) for each in work]
        for thread in threads:
            thread.start()
        start.wait()
        for thread in threads:
            thread.join()
        assert names(later.get(owner)) == names(book(folder).get(owner)) == ["a.jpg"]


def test_the_longest_unused_leave_memory_but_are_found_again(
    folder: Path, tried: TestPictures
) -> None:
    kept = book(folder, most=1)
    owners = [owner_of(new_visitor()) for _ in range(2)]
    for owner in owners:
        kept.keep(owner, tried)
    assert kept.get(owners[1]) is tried
    again = kept.get(owners[0])
    assert again is not tried
    assert names(again) == names(tried)
    assert kept.get(owners[0]) is again


def test_nobody_sees_those_of_somebody_else(folder: Path, owner: str, tried: TestPictures) -> None:
    kept = book(folder)
    kept.keep(owner, tried)
    assert kept.get(owner_of(new_visitor())) is None
    for path in ("", "../x", "x" * 64):
        with pytest.raises(ValueError, match="no owner"):
            kept.get(path)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _changed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[200] ^= 255
    path.write_bytes(content)


def _without_a_member(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        index = archive.read("pictures.json")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pictures.json", index)


def _with_another_index(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pictures.json", b'{"a": 1}')


@pytest.mark.parametrize(
    "damage",
    [lambda path: path.write_bytes(b""), _cut, _changed, _without_a_member, _with_another_index],
)
def test_a_damaged_file_is_no_pictures(
    folder: Path, owner: str, tried: TestPictures, damage: Callable[[Path], object]
) -> None:
    book(folder).keep(owner, tried)
    damage(folder / f"{owner}.zip")
    assert book(folder).get(owner) is None


@pytest.mark.parametrize("is_told", [True, False])
def test_a_full_disk_keeps_them_in_memory_and_not_the_earlier_ones(
    folder: Path, owner: str, tried: TestPictures, is_told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    book(folder).keep(owner, tried)
    later = KeptTestPictures(folder, lambda: not is_told)
    if not is_told:
        monkeypatch.setattr("tlapp.workspace.visitors.write_atomically", refuse)
    later.keep(owner, tried)
    assert later.get(owner) is tried
    assert book(folder).get(owner) is None


def test_they_can_be_removed(folder: Path, owner: str, tried: TestPictures) -> None:
    kept = book(folder)
    kept.keep(owner, tried)
    assert kept.owners() == (owner,)
    kept.forget(owner)
    assert kept.owners() == ()
    assert kept.get(owner) is None
