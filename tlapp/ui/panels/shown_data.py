"""Which data set a visitor sees: the import that waits for a decision, or the one in use."""

from contextlib import suppress
from dataclasses import replace

from tlapp.data.dataset import Dataset
from tlapp.data.images import Skipped
from tlapp.errors import NotFoundError, RunError
from tlapp.ui import text
from tlapp.ui.session import Page
from tlapp.ui.text.drops import LEFT_OUT_REASONS
from tlapp.ui.widgets.folder_drop import Upload
from tlapp.workspace import VisitorState, split_of


def shown_dataset(page: Page, owner: str) -> Dataset | None:
    """What the zone shows: the import that waits for a decision, else the data set in use."""
    return pending_dataset(page, owner) or dataset_in_use(page, owner)


def train_count(page: Page, owner: str) -> int | None:
    """How many pictures a training would learn from; None: there are none yet."""
    dataset = shown_dataset(page, owner)
    return None if dataset is None else len(split_of(dataset).train)


def pending_dataset(page: Page, owner: str) -> Dataset | None:
    """The import that waits for a decision."""
    dataset_id = page.workspace.of(owner).state().pending_dataset_id
    return None if dataset_id is None else page.workspace.of(owner).dataset(dataset_id)


def dataset_in_use(page: Page, owner: str) -> Dataset | None:
    """What trainings of this visitor learn from."""
    dataset_id = page.workspace.of(owner).state().dataset_id
    return None if dataset_id is None else page.workspace.of(owner).dataset(dataset_id)


def replace_pending(page: Page, owner: str, dataset_id: str | None) -> None:
    """Let this import (None: none) wait for a decision; the one that waited before is removed."""
    before = page.workspace.visitors.change(
        owner, lambda state: replace(state, pending_dataset_id=dataset_id)
    )
    earlier = before.pending_dataset_id
    if earlier is not None and earlier != before.dataset_id:
        with suppress(NotFoundError, RunError):  # it had to make room already, or is learned from
            page.workspace.library.delete(page.workspace.of(owner).dataset(earlier))


def add_left_out(page: Page, dataset: Dataset, upload: Upload) -> None:
    """Name what the browser left out beside what the import has skipped."""
    limit = text.megabytes(page.settings.limits.image_bytes)
    named = tuple(
        Skipped(path, f"{path} {LEFT_OUT_REASONS[why].format(limit=limit)}")
        for path, why in upload.left_out
    )
    if named or upload.unnamed_count:
        page.workspace.library.save(
            replace(
                dataset,
                skipped=(*named, *dataset.skipped),
                unnamed_skipped_count=upload.unnamed_count,
            )
        )


def accept_pending(page: Page, owner: str, dataset_id: str) -> None:
    """The import that waits for a decision becomes the data set in use, if it is this one; the
    earlier one is kept with the visitor's other data sets. A training that goes on stays on the
    page, to be stopped."""
    shown = page.workspace.of(owner).state().run_id
    is_over = shown is not None and page.workspace.of(owner).run(shown).is_over

    def accepted(state: VisitorState) -> VisitorState:
        if state.pending_dataset_id != dataset_id:  # in use already, or another import has come
            return state
        return replace(
            state,
            dataset_id=dataset_id,
            pending_dataset_id=None,
            run_id=None if is_over and state.run_id == shown else state.run_id,
        )

    page.workspace.visitors.change(owner, accepted)
