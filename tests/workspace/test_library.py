"""The library: what makes room, what an address may keep, and a disk that is full."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pictures import class_folder
from tests.workspace.conftest import bring
from tlapp.errors import DataError
from tlapp.settings import Limits, Settings
from tlapp.workspace import (
    VisitorState,
    Workspace,
    new_visitor,
    owner_of,
)


def _visitor(workspace: Workspace, address: str) -> str:
    owner = owner_of(new_visitor())
    workspace.visitors.note_address(owner, address)
    return owner


@pytest.fixture
def tight(settings: Settings) -> Iterator[Workspace]:
    """Two data sets for a visitor, three for an address."""
    limits = replace(settings.limits, datasets=2, datasets_of_address=3)
    workspace = Workspace(replace(settings, limits=limits))
    yield workspace
    workspace.close()


@pytest.fixture
def few(tmp_path: Path) -> Path:
    return class_folder(tmp_path / "few", ("a", "b"), per_class=4)


def test_fresh_visitors_of_one_address_keep_so_many_data_sets(tight: Workspace, few: Path) -> None:
    for _ in range(3):
        bring(tight, _visitor(tight, "1.1.1.1"), few, "few")
    with pytest.raises(DataError, match="3 data sets from your network") as refused:
        bring(tight, _visitor(tight, "1.1.1.1"), few, "few")
    assert refused.value.hint.template.startswith("Remove")
    bring(tight, _visitor(tight, "2.2.2.2"), few, "few")


def test_a_visitor_whose_own_data_sets_make_room_is_not_refused(
    tight: Workspace, few: Path
) -> None:
    owner = _visitor(tight, "1.1.1.1")
    kept = [bring(tight, owner, few, "few").dataset_id for _ in range(2)]
    bring(tight, _visitor(tight, "1.1.1.1"), few, "few")
    newest = bring(tight, owner, few, "few").dataset_id
    assert {dataset.dataset_id for dataset in tight.of(owner).datasets()} == {kept[1], newest}


def test_a_removed_data_set_makes_room_for_its_address(tight: Workspace, few: Path) -> None:
    datasets = [bring(tight, _visitor(tight, "1.1.1.1"), few, "few") for _ in range(3)]
    tight.library.delete(tight.dataset(datasets[0].dataset_id))
    bring(tight, _visitor(tight, "1.1.1.1"), few, "few")


def test_a_visitor_of_an_unknown_address_has_the_limits_of_a_visitor_only(
    tight: Workspace, few: Path
) -> None:
    for _ in range(4):
        bring(tight, owner_of(new_visitor()), few, "few")


@pytest.fixture
def public(settings: Settings, public_limits: Limits) -> Iterator[Workspace]:
    workspace = Workspace(replace(settings, limits=public_limits))
    yield workspace
    workspace.close()


def test_one_data_set_more_than_allowed_pushes_out_the_oldest_unused(
    public: Workspace, small_folder: Path
) -> None:
    owner = owner_of(new_visitor())
    first = bring(public, owner, small_folder, "1")
    public.visitors.change(owner, lambda _: VisitorState(dataset_id=first.dataset_id))  # the page's
    for name in ("2", "3", "4"):
        bring(public, owner, small_folder, name)
    assert [dataset.name for dataset in public.of(owner).datasets()] == ["4", "3", "1"]


def test_a_full_disk_refuses_imports_and_leaves_the_rest(
    public: Workspace, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = owner_of(new_visitor())
    dataset = bring(public, owner, small_folder)
    monkeypatch.setattr("tlapp.workspace.library.FREE_FLOOR_BYTES", 10**18)
    with pytest.raises(DataError, match="disk") as refused:
        bring(public, owner, small_folder)
    assert refused.value.hint
    assert public.dataset(dataset.dataset_id)


def test_folders_of_the_server_are_closed_to_the_public(
    settings: Settings, small_folder: Path
) -> None:
    workspace = Workspace(replace(settings, is_public=True))
    with pytest.raises(DataError, match="cannot be read from here"):
        bring(workspace, "a" * 64, small_folder)
    workspace.close()
