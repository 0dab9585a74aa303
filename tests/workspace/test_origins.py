"""An address has a share of what is kept, however many visitors it makes up."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pictures import class_folder
from tests.workspace.conftest import bring
from tlapp.errors import DataError
from tlapp.settings import Settings
from tlapp.workspace import Workspace, new_visitor, owner_of
from tlapp.workspace.visitors import MOST_ADDRESSES, Addresses


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
    assert "Remove" in refused.value.hint
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


def test_addresses_are_forgotten_the_oldest_first() -> None:
    addresses = Addresses()
    for number in range(MOST_ADDRESSES + 1):
        addresses.note(str(number), "1.1.1.1")
    assert addresses.of("0") is None
    assert addresses.of("1") == "1.1.1.1"
    addresses.note("1", "")
    assert addresses.of("1") == "1.1.1.1"
