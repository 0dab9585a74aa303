"""The Data zone: nothing is lost when an import, a training or the janitor comes between."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining, bring
from tlapp.data.dataset import Dataset
from tlapp.errors import DataError
from tlapp.training.config import TrainConfig
from tlapp.ui import widget_values
from tlapp.ui.door.key import COOKIE
from tlapp.ui.panels import data
from tlapp.ui.panels.shown_data import accept_pending, add_left_out, shown_dataset
from tlapp.ui.session import Page
from tlapp.ui.widgets.folder_drop import Upload
from tlapp.workspace import VisitorState

HIDDEN, SHOWN = gr.update(visible=False), gr.update(visible=True)


@pytest.fixture
def owner(page: Page, token: str) -> str:
    """The visitor of this page."""
    return page.owner_of(token)


class _Opened:
    """A request of the page that was opened from the printed address, or from another."""

    def __init__(self, cookies: str) -> None:
        self.headers = {"cookie": cookies}


def _import_path(page: Page, token: str, path: str, key: str = "") -> list[tuple[Any, ...]]:
    request = _Opened(f"{COOKIE}={key or page.key}")
    return list(data.import_path(page, token, path, request))  # type: ignore[arg-type]  # it has what is asked of it


def _import(page: Page, token: str, folder: Path) -> list[tuple[Any, ...]]:
    return _import_path(page, token, str(folder))


@pytest.mark.parametrize("key", ["guess", '""'])
def test_a_page_that_was_not_opened_from_the_printed_address_reads_no_folder(
    page: Page, token: str, owner: str, small_folder: Path, key: str
) -> None:
    with pytest.raises(DataError, match="Folders of this machine"):
        _import_path(page, token, str(small_folder), key)
    assert shown_dataset(page, owner) is None
    with pytest.raises(DataError, match="Folders of this machine"):
        _import_path(replace(page, key=""), token, str(small_folder), '""')


def test_an_import_waits_for_a_decision_and_takes_the_place_of_the_one_before(
    page: Page, token: str, owner: str, small_folder: Path
) -> None:
    assert _import(page, token, small_folder)[-1][2] == SHOWN
    first = shown_dataset(page, owner)
    _import(page, token, small_folder)
    assert shown_dataset(page, owner) != first
    assert len(page.workspace.of(owner).datasets()) == 1
    assert data.discard(page, token)[2] == HIDDEN
    assert page.workspace.of(owner).datasets() == ()


def test_what_was_in_use_is_shown_again_when_an_import_is_discarded(
    page: Page, token: str, owner: str, small_folder: Path, dataset: Dataset
) -> None:
    page.workspace.visitors.change(owner, lambda _: VisitorState(dataset_id=dataset.dataset_id))
    _import(page, token, small_folder)
    assert shown_dataset(page, owner) != dataset
    data.discard(page, token)
    assert shown_dataset(page, owner) == dataset


def test_an_import_that_was_removed_while_it_waited_is_no_longer_shown(
    page: Page, token: str, owner: str, small_folder: Path
) -> None:
    _import(page, token, small_folder)
    shown = shown_dataset(page, owner)
    assert shown is not None
    page.workspace.library.delete(page.workspace.dataset(shown.dataset_id))  # as the janitor does
    assert shown_dataset(page, owner) is None
    assert data.show(page, owner)[2] == HIDDEN
    accept_pending(page, owner, shown.dataset_id)
    assert page.workspace.of(owner).state() == VisitorState()
    assert _import(page, token, small_folder)[-1][0] == "", "the next import is as usual"


def test_samples_that_cannot_be_imported_say_why_and_put_nothing_to_use(
    page: Page, token: str, owner: str, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _import(page, token, small_folder)

    def refuse(owner: str, *, should_stop: object) -> Iterator[Any]:
        raise DataError("The disk is <full>.", hint="Make room.")
        yield

    monkeypatch.setattr(page.workspace.library, "import_samples", refuse)
    updates = list(data.import_samples(page, token))
    assert "The disk is &lt;full&gt;." in updates[-1][0]
    assert page.workspace.of(owner).state().dataset_id is None


def test_accepting_pictures_while_a_training_goes_on_leaves_it_on_the_page(
    page: Page, token: str, owner: str, small_folder: Path, steps: StepTraining
) -> None:
    learned_from = bring(page.workspace, owner, small_folder)
    run_id = page.workspace.trainings.start(owner, learned_from, TrainConfig())
    page.workspace.visitors.change(owner, lambda _: VisitorState(run_id=run_id))
    _import(page, token, small_folder)
    data.accept(page, token)
    state = page.workspace.of(owner).state()
    assert state.run_id == run_id
    assert state.dataset_id not in (None, learned_from.dataset_id)
    page.workspace.trainings.stop(run_id)
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    _import(page, token, small_folder)
    data.accept(page, token)
    assert page.workspace.of(owner).state().run_id is None


def test_an_import_that_comes_while_the_earlier_one_is_accepted_waits_in_its_turn(
    page: Page, token: str, owner: str, small_folder: Path
) -> None:
    _import(page, token, small_folder)
    first = shown_dataset(page, owner)
    assert first is not None
    _import(page, token, small_folder)  # by another tab, while this one starts to train
    accept_pending(page, owner, first.dataset_id)
    state = page.workspace.of(owner).state()
    assert state.dataset_id is None
    assert state.pending_dataset_id not in (None, first.dataset_id)


def test_an_import_that_the_page_cannot_keep_leaves_nothing(
    page: Page, token: str, owner: str, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tlapp.workspace.visitors.write_atomically", refuse)
    assert "disk of this machine" in _import(page, token, small_folder)[-1][0]
    assert page.workspace.of(owner).datasets() == ()


def test_an_edit_of_classes_that_have_changed_meanwhile_is_refused(
    page: Page, token: str, owner: str, dataset: Dataset
) -> None:
    mine = replace(dataset, owner=owner)
    page.workspace.library.save(mine)
    page.workspace.visitors.change(owner, lambda _: VisitorState(dataset_id=mine.dataset_id))
    edit = {"action": "rename", "index": 0, "class_name": "dots", "name": "spots"}
    data.edit_classes(page, token, edit)  # type: ignore[arg-type]  # stands in for gr.EventData
    changed = shown_dataset(page, owner)
    assert changed is not None
    assert changed.images.class_names == ("spots", "stripes")
    with pytest.raises(DataError, match="have changed"):
        data.edit_classes(page, token, edit)  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize("path", ["", "   ", '""'])
def test_an_empty_path_is_no_folder(page: Page, token: str, path: str) -> None:
    """It would be the folder in which the server was started."""
    with pytest.raises(DataError, match="No folder is named"):
        _import_path(page, token, path)


def test_quotes_around_a_path_are_not_part_of_it(
    page: Page, token: str, owner: str, small_folder: Path
) -> None:
    _import_path(page, token, f'"{small_folder}"')
    assert shown_dataset(page, owner) is not None


def test_a_change_of_the_classes_is_taken_back(
    page: Page, token: str, owner: str, small_folder: Path
) -> None:
    _import(page, token, small_folder)
    before = shown_dataset(page, owner)
    assert before is not None
    edit = {"action": "remove", "index": 0, "class_name": before.images.class_names[0]}
    data.edit_classes(page, token, edit)  # type: ignore[arg-type]  # stands in for gr.EventData
    assert shown_dataset(page, owner) != before
    data.edit_classes(page, token, {"action": "undo"})  # type: ignore[arg-type]  # as above
    assert shown_dataset(page, owner) == before


def test_what_the_browser_left_out_is_named_and_the_rest_counted(
    page: Page, token: str, owner: str, small_folder: Path
) -> None:
    _import(page, token, small_folder)
    dataset = shown_dataset(page, owner)
    assert dataset is not None
    named = (("set/a.txt", "no_picture"), ("set/b.jpg", "too_large"), ("set/c.jpg", "unreadable"))
    add_left_out(page, dataset, Upload("", "set", named, 120))  # type: ignore[arg-type]  # literals
    changed = shown_dataset(page, owner)
    assert changed is not None
    assert [skipped.reason.split(" ")[0] for skipped in changed.skipped] == [
        "set/a.txt",
        "set/b.jpg",
        "set/c.jpg",
    ]
    value = widget_values.class_list(page.workspace, changed)
    assert value.skipped_line == "123 files were left out."
    assert value.skipped_rest == "and 120 more"
    assert value.skipped[1].reason == "is larger than 100 MB, which is the limit."


def test_a_name_that_is_too_long_is_refused(
    page: Page, token: str, owner: str, small_folder: Path
) -> None:
    _import(page, token, small_folder)
    before = shown_dataset(page, owner)
    assert before is not None
    edit = {"action": "rename", "index": 0, "class_name": before.images.class_names[0]}
    with pytest.raises(DataError, match="300 characters; the limit is 255"):
        data.edit_classes(page, token, {**edit, "name": "x" * 300})  # type: ignore[arg-type]
    assert shown_dataset(page, owner) == before
