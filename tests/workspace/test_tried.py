"""Test pictures: found again after a restart with the same answers, bounded, each visitor's own."""

from pathlib import Path

import pytest

from tests.pictures import jpeg
from tlapp.settings import Settings
from tlapp.workspace import Workspace, new_visitor, owner_of
from tlapp.workspace.tried import TriedBook
from tlapp.workspace.visitors import VisitorBook

RAW = [("a.jpg", jpeg()), ("broken.jpg", b"no picture"), ("b.jpg", jpeg(1))]


def test_another_process_finds_them_and_answers_the_same(
    workspace: Workspace, settings: Settings, owner: str
) -> None:
    tried = workspace.prepare(RAW)
    workspace.tried.keep(owner, tried)
    assert workspace.tried.get(owner) is tried
    before = workspace.answers(tried, None)
    workspace.close()
    later = Workspace(settings)
    found = later.tried.get(owner)
    assert found is not None
    assert later.answers(found, None) == before
    assert [result.name for result in before] == [name for name, _ in RAW]
    later.close()


def test_the_next_pictures_take_the_place_of_the_earlier(
    workspace: Workspace, settings: Settings, owner: str
) -> None:
    workspace.tried.keep(owner, workspace.prepare(RAW))
    workspace.tried.keep(owner, workspace.prepare(RAW[:1]))
    found = TriedBook(VisitorBook(settings.home / "visitors")).get(owner)
    assert found is not None
    assert [entry.name for entry in found.entries] == ["a.jpg"]


def test_the_longest_unused_leave_memory_but_are_found_again(
    workspace: Workspace, settings: Settings
) -> None:
    book = TriedBook(VisitorBook(settings.home / "visitors"), most=1)
    owners = [owner_of(new_visitor()) for _ in range(2)]
    tried = workspace.prepare(RAW)
    for owner in owners:
        book.keep(owner, tried)
    assert book.get(owners[1]) is tried
    again = book.get(owners[0])
    assert again is not tried
    assert again is not None
    assert book.get(owners[0]) is again


def test_nobody_sees_those_of_somebody_else(workspace: Workspace, owner: str) -> None:
    workspace.tried.keep(owner, workspace.prepare(RAW))
    assert workspace.tried.get(owner_of(new_visitor())) is None


@pytest.mark.parametrize("content", [b"", b"PK", b"\0" * 100])
def test_a_damaged_file_is_no_pictures(
    workspace: Workspace, settings: Settings, owner: str, content: bytes
) -> None:
    workspace.tried.keep(owner, workspace.prepare(RAW))
    (settings.home / "visitors" / f"{owner}.zip").write_bytes(content)
    assert TriedBook(VisitorBook(settings.home / "visitors")).get(owner) is None


def test_a_full_disk_does_not_keep_them_from_being_answered(
    workspace: Workspace, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tlapp.workspace.tried.write_atomically", refuse)
    tried = workspace.prepare(RAW)
    workspace.tried.keep(owner, tried)
    assert workspace.tried.get(owner) is tried


def test_they_go_with_the_visitor(workspace: Workspace, settings: Settings, owner: str) -> None:
    workspace.tried.keep(owner, workspace.prepare(RAW))
    assert owner in workspace.janitor._household.owners()
    workspace.janitor._household.remove(owner)
    assert workspace.tried.get(owner) is None
    assert not list((settings.home / "visitors").iterdir())
