"""What the Data zone does: nothing is lost when an import or a training comes between."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.pictures import zip_folder
from tests.shown import shown_state
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining, bring
from tlapp.data.dataset import Dataset, ImportProgress
from tlapp.errors import DataError, ServerError
from tlapp.messages import verbatim
from tlapp.training.config import TrainConfig
from tlapp.ui.actions import data
from tlapp.ui.actions.data import LocalFolder, SplitForm
from tlapp.ui.page import Page
from tlapp.ui.widgets.class_list import ClassEdit
from tlapp.ui.widgets.folder_drop import Upload
from tlapp.workspace import VisitorState, new_visitor


def _import_path(page: Page, token: str, path: str) -> list[ImportProgress]:
    form = LocalFolder(path=path, has_key=True)
    return list(data.import_folder(page.visit(token), form))


def _import(page: Page, token: str, folder: Path) -> Dataset:
    """The folder, imported and waiting for a decision."""
    _import_path(page, token, str(folder))
    brought = page.visit(token).pending_dataset
    assert brought is not None
    return brought


def test_without_the_key_of_the_machine_no_folder_is_read(
    page: Page, token: str, small_folder: Path
) -> None:
    form = LocalFolder(path=str(small_folder), has_key=False)
    with pytest.raises(DataError) as refused:
        list(data.import_folder(page.visit(token), form))
    assert refused.value.hint
    assert page.visit(token).dataset is None


def test_an_import_waits_for_a_decision_and_takes_the_place_of_the_one_before(
    page: Page, token: str, owner: str, small_folder: Path
) -> None:
    first = _import(page, token, small_folder)
    assert _import(page, token, small_folder) != first
    assert page.visit(token).accepted_dataset is None
    assert len(page.workspace.of(owner).datasets()) == 1
    data.discard(page.visit(token))
    assert page.visit(token).pending_dataset is None
    assert page.workspace.of(owner).datasets() == ()


def test_what_was_in_use_is_shown_again_when_an_import_is_discarded(
    page: Page, token: str, small_folder: Path, dataset: Dataset
) -> None:
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    _import(page, token, small_folder)
    assert page.visit(token).dataset != dataset
    data.discard(page.visit(token))
    assert page.visit(token).dataset == dataset


def test_an_import_that_was_removed_while_it_waited_is_no_longer_shown(
    page: Page, token: str, owner: str, small_folder: Path
) -> None:
    shown = _import(page, token, small_folder)
    page.workspace.library.delete(shown)  # as the janitor does
    assert page.visit(token).dataset is None
    data.accept(page.visit(token))
    assert page.visit(token).accepted_dataset is None
    data.accept_dataset(page.visit(token), shown.dataset_id)
    assert shown_state(page.workspace, owner) == VisitorState()
    assert _import(page, token, small_folder), "the next import is as usual"


def test_samples_that_cannot_be_imported_put_nothing_to_use(
    page: Page, token: str, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _import(page, token, small_folder)

    def refuse(owner: str, *, language: str, should_stop: object) -> Iterator[Any]:
        raise DataError(verbatim("The disk is full."), hint=verbatim("Make room."))
        yield

    monkeypatch.setattr(page.workspace.library, "import_samples", refuse)
    with pytest.raises(DataError, match="disk is full"):
        list(data.import_samples(page.visit(token)))
    assert page.visit(token).state.dataset_id is None


def test_samples_are_in_use_at_once(page: Page, token: str) -> None:
    assert list(data.import_samples(page.visit(token)))
    visit = page.visit(token)
    assert visit.pending_dataset is None
    assert visit.accepted_dataset is not None


def test_accepting_pictures_while_a_training_goes_on_leaves_it_on_the_page(
    page: Page, token: str, owner: str, small_folder: Path, steps: StepTraining
) -> None:
    learned_from = bring(page.workspace, owner, small_folder)
    run_id = page.workspace.trainings.start(owner, learned_from, TrainConfig())
    page.visit(token).keep(run_id=run_id)
    _import(page, token, small_folder)
    data.accept(page.visit(token))
    state = page.visit(token).state
    assert state.run_id == run_id
    assert state.dataset_id not in (None, learned_from.dataset_id)
    page.workspace.trainings.stop(run_id)
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    _import(page, token, small_folder)
    data.accept(page.visit(token))
    assert page.visit(token).state.run_id is None


def test_an_import_that_comes_while_the_earlier_one_is_accepted_waits_in_its_turn(
    page: Page, token: str, small_folder: Path
) -> None:
    first = _import(page, token, small_folder)
    _import(page, token, small_folder)  # by another tab, while this one starts to train
    data.accept_dataset(page.visit(token), first.dataset_id)
    state = page.visit(token).state
    assert state.dataset_id is None
    assert state.pending_dataset_id not in (None, first.dataset_id)


def test_an_import_that_the_page_cannot_keep_leaves_nothing(
    page: Page, token: str, owner: str, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tlapp.workspace.visitors.write_atomically", refuse)
    with pytest.raises(ServerError, match="disk of this machine"):
        _import_path(page, token, str(small_folder))
    assert page.workspace.of(owner).datasets() == ()


def test_an_edit_of_classes_that_have_changed_meanwhile_is_refused(
    page: Page, token: str, dataset: Dataset
) -> None:
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    edit = ClassEdit("rename", 0, "dots", name="spots")
    data.edit_classes(page.visit(token), edit)
    changed = page.visit(token).dataset
    assert changed is not None
    assert changed.images.class_names == ("spots", "stripes")
    with pytest.raises(DataError, match="have changed"):
        data.edit_classes(page.visit(token), edit)


def test_without_pictures_there_is_no_class_to_edit(page: Page, token: str) -> None:
    with pytest.raises(DataError) as refused:
        data.edit_classes(page.visit(token), ClassEdit("remove", 0, "dots"))
    assert refused.value.hint


def test_classes_are_merged(page: Page, token: str, dataset: Dataset) -> None:
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    data.edit_classes(page.visit(token), ClassEdit("merge", 0, "dots", target=1))
    changed = page.visit(token).dataset
    assert changed is not None
    assert changed.images.class_names == ("stripes",)
    assert changed.images.counts() == (12,)


@pytest.mark.parametrize("path", ["", "   ", '""'])
def test_an_empty_path_is_no_folder(page: Page, token: str, path: str) -> None:
    """It would be the folder in which the server was started."""
    with pytest.raises(DataError, match="No folder is named"):
        _import_path(page, token, path)


def test_quotes_around_a_path_are_not_part_of_it(
    page: Page, token: str, small_folder: Path
) -> None:
    _import_path(page, token, f'"{small_folder}"')
    assert page.visit(token).dataset is not None


def test_a_change_of_the_classes_is_taken_back(page: Page, token: str, small_folder: Path) -> None:
    before = _import(page, token, small_folder)
    edit = ClassEdit("remove", 0, before.images.class_names[0])
    data.edit_classes(page.visit(token), edit)
    assert page.visit(token).dataset != before
    data.edit_classes(page.visit(token), ClassEdit("undo"))
    assert page.visit(token).dataset == before


def test_an_uploaded_zip_is_read_under_its_name_and_removed(
    page: Page, token: str, small_folder: Path, tmp_path: Path
) -> None:
    path = zip_folder(small_folder, tmp_path / "upload.zip")
    assert list(data.import_upload(page.visit(token), Upload(str(path), "My set")))
    brought = page.visit(token).pending_dataset
    assert brought is not None
    assert (brought.name, len(brought.images.images)) == ("My set", 12)
    assert not path.exists()


def test_an_upload_that_is_no_zip_is_removed_too(page: Page, token: str, tmp_path: Path) -> None:
    path = tmp_path / "upload.zip"
    path.write_bytes(b"no zip")
    with pytest.raises(DataError):
        list(data.import_upload(page.visit(token), Upload(str(path), "My set")))
    assert not path.exists()


def test_an_empty_drop_zone_imports_nothing(page: Page, token: str, owner: str) -> None:
    assert list(data.import_upload(page.visit(token), None)) == []
    assert page.workspace.of(owner).datasets() == ()


def test_what_the_browser_left_out_is_named_before_what_was_skipped(
    page: Page, token: str, small_folder: Path, tmp_path: Path
) -> None:
    path = zip_folder(small_folder, tmp_path / "upload.zip")
    named = (("set/a.txt", "no_picture"), ("set/b.jpg", "too_large"), ("set/c.jpg", "unreadable"))
    upload = Upload(str(path), "set", named, 120)  # type: ignore[arg-type]  # literals
    list(data.import_upload(page.visit(token), upload))
    brought = page.visit(token).dataset
    assert brought is not None
    assert [skipped.name for skipped in brought.skipped] == ["set/a.txt", "set/b.jpg", "set/c.jpg"]
    assert all(str(each.reason).startswith(f"{each.name} ") for each in brought.skipped)
    assert "100 MB" in str(brought.skipped[1].reason)
    assert brought.unnamed_skipped_count == 120


def test_a_name_that_is_too_long_is_refused(page: Page, token: str, small_folder: Path) -> None:
    before = _import(page, token, small_folder)
    edit = ClassEdit("rename", 0, before.images.class_names[0], name="x" * 300)
    with pytest.raises(DataError, match="300 characters; the limit is 255"):
        data.edit_classes(page.visit(token), edit)
    assert page.visit(token).dataset == before


def test_another_share_is_held_out(page: Page, token: str, dataset: Dataset) -> None:
    data.change_split(page.visit(token), SplitForm(share=0.25, seed=3))  # no pictures: nothing
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    data.change_split(page.visit(token), SplitForm(share=0.5, seed=3))
    changed = page.visit(token).dataset
    assert changed == replace(dataset, held_out_share=0.5, split_seed=3)
    assert changed is not None
    assert len(changed.split.valid) == 6


def test_nobody_decides_about_the_import_of_another_visitor(
    page: Page, token: str, small_folder: Path
) -> None:
    theirs = _import(page, new_visitor(), small_folder)
    data.accept_dataset(page.visit(token), theirs.dataset_id)
    page.visit(token).keep(pending_dataset_id=theirs.dataset_id)
    data.accept(page.visit(token))
    data.discard(page.visit(token))
    assert page.visit(token).dataset is None
    assert page.workspace.dataset(theirs.dataset_id) == theirs
