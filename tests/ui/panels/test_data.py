"""The Data zone: what it shows of a data set, of an import, and of one that was refused."""

from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest

from tests.ui.conftest import built
from tests.workspace.conftest import bring
from tlapp.data.dataset import Dataset, ImportProgress
from tlapp.data.images import Skipped
from tlapp.errors import DataError
from tlapp.messages import message
from tlapp.settings import LOCAL_LIMITS
from tlapp.ui.actions.data import LocalFolder, SplitForm
from tlapp.ui.door.key import COOKIE
from tlapp.ui.page import Page
from tlapp.ui.panels.data import DataPanel
from tlapp.ui.sent import Sent
from tlapp.ui.widgets.class_list import ClassListValue
from tlapp.ui.widgets.folder_drop import Upload

HIDDEN, SHOWN = gr.update(visible=False), gr.update(visible=True)


@pytest.fixture
def panel(page: Page) -> DataPanel:
    return built(DataPanel(page))


def _class_list(panel: DataPanel, page: Page, token: str) -> ClassListValue:
    value = panel.render(page.visit(token))[panel.class_list]
    assert isinstance(value, ClassListValue)
    return value


def test_without_pictures_there_is_nothing_to_decide_or_to_hold_out(
    page: Page, token: str, panel: DataPanel
) -> None:
    update = panel.render(page.visit(token))
    assert (update[panel.decision], update[panel.split]) == (HIDDEN, HIDDEN)
    assert update[panel.class_list].classes == ()
    assert update[panel.drop] is None
    assert not update[panel.class_list].can_edit


def test_an_import_waits_for_a_decision_and_a_data_set_in_use_does_not(
    page: Page, token: str, dataset: Dataset, panel: DataPanel
) -> None:
    page.visit(token).keep(pending_dataset_id=dataset.dataset_id)
    waiting = page.visit(token)
    update = panel.render(waiting)
    assert (update[panel.decision], update[panel.split]) == (SHOWN, SHOWN)
    assert "12" in update[panel.accept]["value"]
    assert panel.drop not in update  # what it said is about the preview
    page.visit(token).keep(pending_dataset_id=None, dataset_id=dataset.dataset_id)
    in_use = page.visit(token)
    assert panel.view(in_use) != panel.view(waiting)
    update = panel.render(in_use)
    assert (update[panel.decision], update[panel.drop]) == (HIDDEN, None)
    assert (update[panel.held_out_percent], update[panel.split_seed]) == (20, 0)


def test_every_component_that_is_drawn_is_among_the_outputs(
    page: Page, token: str, dataset: Dataset, panel: DataPanel
) -> None:
    assert set(panel.render(page.visit(token))) <= set(panel.outputs)
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    assert set(panel.render(page.visit(token))) == set(panel.outputs)


def test_another_version_of_the_data_set_is_another_view(
    page: Page, token: str, dataset: Dataset, panel: DataPanel
) -> None:
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    before = panel.view(page.visit(token))
    assert panel.view(page.visit(token)) == before
    for changed in (
        replace(dataset, held_out_share=0.5),
        replace(dataset, split_seed=1),
        dataset.with_edit(replace(dataset.images, class_names=("spots", "stripes"))),
    ):
        page.workspace.library.save(changed)
        assert panel.view(page.visit(token)) != before


def test_the_class_list_counts_what_is_learned_from_and_held_out(
    page: Page, token: str, dataset: Dataset, panel: DataPanel
) -> None:
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    value = _class_list(panel, page, token)
    split = dataset.split
    assert value.dataset == dataset.dataset_id
    for count in (12, 2, len(split.train), len(split.valid)):
        assert str(count) in value.summary
    assert [(row.name, row.count, len(row.thumbnails)) for row in value.classes] == [
        ("dots", 6, 6),
        ("stripes", 6, 6),
    ]
    assert all(
        address.startswith("data:image/jpeg;base64,")
        for row in value.classes
        for address in row.thumbnails
    )
    assert (value.skipped_line, value.skipped, value.skipped_rest) == ("", (), "")
    assert not value.can_undo


def test_a_folder_with_its_own_split_says_so_and_holds_out_no_others(
    page: Page, token: str, dataset: Dataset, panel: DataPanel
) -> None:
    images = tuple(
        replace(image, part="valid" if index % 6 == 0 else "train")
        for index, image in enumerate(dataset.images.images)
    )
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    assert "own split" not in "".join(_class_list(panel, page, token).notes)
    page.workspace.library.save(replace(dataset, images=replace(dataset.images, images=images)))
    assert "own split" in _class_list(panel, page, token).notes[0]
    assert panel.render(page.visit(token))[panel.split] == HIDDEN


def test_what_was_left_out_is_named_and_the_rest_counted(
    page: Page, token: str, dataset: Dataset, panel: DataPanel
) -> None:
    named = tuple(
        Skipped(name, message("{name} is torn.", name=name)) for name in ("a.txt", "b.jpg", "c.jpg")
    )
    page.workspace.library.save(replace(dataset, skipped=named, unnamed_skipped_count=120))
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    value = _class_list(panel, page, token)
    assert "123" in value.skipped_line
    assert "120" in value.skipped_rest
    assert [(row.name, row.reason) for row in value.skipped] == [
        (name, f"{name} is torn.") for name in ("a.txt", "b.jpg", "c.jpg")
    ]


def test_an_import_tells_how_far_it_is_and_nothing_else(
    page: Page, token: str, panel: DataPanel
) -> None:
    update = panel.render_progress(page.visit(token), ImportProgress(done=3, total=40, skipped=0))
    assert set(update) == {panel.message}
    assert "3" in update[panel.message]
    assert "40" in update[panel.message]


def test_a_refused_import_says_why_in_the_zone_escaped(
    page: Page, token: str, panel: DataPanel
) -> None:
    error = DataError("The disk is <full>.", hint="Make room.")
    update = panel.render_refusal(page.visit(token), error)
    assert set(update) == {panel.message}
    assert "The disk is &lt;full&gt;." in update[panel.message]
    assert "Make room." in update[panel.message]
    assert panel.render(page.visit(token))[panel.message] == "", "the next event takes it back"


@pytest.mark.parametrize(
    ("cookie", "is_known"),
    [("{key}", True), ("guess", False), ('""', False), ("", False)],
)
def test_only_a_page_that_was_opened_from_the_printed_address_may_name_a_folder(
    page: Page, panel: DataPanel, cookie: str, is_known: bool
) -> None:
    path = panel.local_path
    assert path is not None
    sent = Sent({path: "/pictures"}, {}, f"{COOKIE}={cookie.format(key=page.key)}")
    form = panel.reads_folder().make(sent)
    assert form == LocalFolder(path="/pictures", has_key=is_known)


def test_a_machine_without_a_key_lets_nobody_name_a_folder(page: Page) -> None:
    panel = built(DataPanel(replace(page, key="")))
    path = panel.local_path
    assert path is not None
    assert not panel.reads_folder().make(Sent({path: "/"}, {}, f'{COOKIE}=""')).has_key


def test_a_public_page_has_no_field_for_folders(page: Page) -> None:
    panel = built(DataPanel(replace(page, settings=replace(page.settings, is_public=True))))
    assert (panel.local_path, panel.read_path) == (None, None)


def test_what_was_uploaded_and_how_to_split_are_read_as_they_were_sent(panel: DataPanel) -> None:
    upload = Upload("/uploads/a.zip", "set")
    reads = panel.reads_upload()
    assert reads.make(Sent(dict.fromkeys(reads.components, upload), {})) is upload
    sent = Sent({panel.held_out_percent: 25.0, panel.split_seed: 3.0}, {})
    assert panel.reads_split().make(sent) == SplitForm(share=0.25, seed=3)


def test_of_many_classes_fewer_pictures_each_are_shown(
    page: Page, token: str, owner: str, small_folder: Path, panel: DataPanel
) -> None:
    brought = bring(page.workspace, owner, small_folder)
    names = tuple(f"class {number}" for number in range(150))
    crowded = replace(brought, images=replace(brought.images, class_names=names))
    page.workspace.library.save(crowded)
    page.visit(token).keep(dataset_id=brought.dataset_id)
    rows = _class_list(panel, page, token).classes
    assert [len(row.thumbnails) for row in rows[:3]] == [2, 2, 0]
    assert LOCAL_LIMITS.classes >= len(names)
