"""What the Data zone does: bring pictures in, decide about them, name classes, hold some out.

What is imported is shown first and takes the place of the earlier data set only when it is
accepted (pressing Train accepts it too).
"""

from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tlapp.data.dataset import Dataset, ImportEvent, ImportFinished, ImportProgress
from tlapp.data.images import LabeledImages, Skipped, merge_classes, remove_class, rename_class
from tlapp.errors import DataError, NotFoundError, RunError, ServerError
from tlapp.messages import message
from tlapp.ui import text
from tlapp.ui.asked import asked_folder
from tlapp.ui.text import door
from tlapp.ui.text.drops import left_out
from tlapp.ui.visit import Visit
from tlapp.ui.widgets.class_list import ClassEdit
from tlapp.ui.widgets.folder_drop import Upload
from tlapp.workspace import VisitorState

NAMELESS = message("My pictures")  # then a name like any other
PROGRESS_STEPS = 50  # how often an import reports at most: each report is a message to the browser


@dataclass(frozen=True, kw_only=True)
class LocalFolder:
    """A folder of this machine, as somebody has typed it."""

    path: str
    has_key: bool  # the page was opened from the printed address


@dataclass(frozen=True, kw_only=True)
class SplitForm:
    """How pictures are to be held out."""

    share: float  # 0 to 1
    seed: int


def import_upload(visit: Visit, upload: Upload | None) -> Iterator[ImportProgress]:
    """Read the uploaded zip, and remove it as soon as it has been read."""
    if upload is None:
        return
    path = Path(upload.path)
    try:
        events = visit.workspace.library.import_archive(
            visit.owner, path, name=upload.name or visit.words.say(NAMELESS), should_stop=_never
        )
        yield from _import(visit, events, upload)
    finally:
        path.unlink(missing_ok=True)


def import_folder(visit: Visit, form: LocalFolder) -> Iterator[ImportProgress]:
    """Read a folder of this machine, for whoever opened the page from the printed address."""
    if not form.has_key:
        raise DataError(door.LOCAL_KEY_IS_MISSING, hint=door.OPEN_PRINTED_ADDRESS)
    folder = asked_folder(form.path)
    events = visit.workspace.library.import_folder(
        visit.owner, folder, name=folder.name or str(folder), should_stop=_never
    )
    yield from _import(visit, events)


def import_samples(visit: Visit, _: object = None) -> Iterator[ImportProgress]:
    """Bring in the sample pictures. They are known, so nothing needs to be decided."""
    events = visit.workspace.library.import_samples(
        visit.owner, language=visit.language, should_stop=_never
    )
    dataset = yield from _import(visit, events)
    if dataset is not None:
        accept_dataset(visit, dataset.dataset_id)


def _never() -> bool:
    return False


def _import(
    visit: Visit, events: Iterator[ImportEvent], upload: Upload | None = None
) -> Generator[ImportProgress, None, Dataset | None]:
    """Tell how the import goes on; then it waits for a decision. None: nothing has come."""
    visit.workspace.of(visit.owner)  # they are here: what they bring is not to be removed
    shown = -1
    for event in events:
        if isinstance(event, ImportProgress):
            step = event.done * PROGRESS_STEPS // max(event.total, 1)
            if step != shown:
                shown = step
                yield event
        elif isinstance(event, ImportFinished):
            if upload is not None:
                _add_left_out(visit, event.dataset, upload)
            _show_import(visit, event.dataset)
            return event.dataset
    return None


def _add_left_out(visit: Visit, dataset: Dataset, upload: Upload) -> None:
    """Name what the browser left out beside what the import has skipped."""
    limit = visit.workspace.settings.limits.image_bytes
    named = tuple(Skipped(path, left_out(path, why, limit)) for path, why in upload.left_out)
    if named or upload.unnamed_count:
        visit.workspace.library.save(
            replace(
                dataset,
                skipped=(*named, *dataset.skipped),
                unnamed_skipped_count=upload.unnamed_count,
            )
        )


def _show_import(visit: Visit, dataset: Dataset) -> None:
    """Let the import wait for a decision; nothing is left of it when that cannot be kept."""
    try:
        _replace_pending(visit, dataset.dataset_id)
    except ServerError:
        visit.workspace.library.delete(dataset)
        raise


def _replace_pending(visit: Visit, dataset_id: str | None) -> None:
    """Let this import (None: none) wait for a decision; the one that waited before is removed."""
    before = visit.keep(pending_dataset_id=dataset_id)
    earlier = before.pending_dataset_id
    if earlier is not None and earlier != before.dataset_id:
        with suppress(NotFoundError, RunError):  # it had to make room already, or is learned from
            visit.workspace.library.delete(visit.mine.dataset(earlier))


def accept(visit: Visit, _: object = None) -> None:
    """Put the shown import to use."""
    if visit.pending_dataset is not None:
        accept_dataset(visit, visit.pending_dataset.dataset_id)


def accept_dataset(visit: Visit, dataset_id: str) -> None:
    """The import that waits for a decision becomes the data set in use, if it is this one; the
    earlier one is kept with the visitor's other data sets. A training that goes on stays on the
    page, to be stopped."""
    shown = visit.run.record.run_id if visit.run is not None and visit.run.is_over else None

    def accepted(state: VisitorState) -> VisitorState:
        if state.pending_dataset_id != dataset_id:  # in use already, or another import has come
            return state
        return replace(
            state,
            dataset_id=dataset_id,
            pending_dataset_id=None,
            run_id=None if state.run_id == shown else state.run_id,
        )

    visit.workspace.visitors.change(visit.owner, accepted)


def discard(visit: Visit, _: object = None) -> None:
    """Drop the shown import; what was in use before is shown again."""
    _replace_pending(visit, None)


def edit_classes(visit: Visit, edit: ClassEdit) -> None:
    """Rename, merge or remove a class, or undo the last of these, as the class list asks."""
    dataset = visit.dataset
    if dataset is None:
        raise DataError(text.NO_PICTURES, hint=text.BRING_PICTURES)
    if edit.action == "undo":
        visit.workspace.library.save(dataset.without_edit())
        return
    if dataset.images.class_names[edit.index : edit.index + 1] != (edit.class_name,):
        raise DataError(text.CLASSES_CHANGED, hint=text.LOOK_AGAIN)
    visit.workspace.library.save(dataset.with_edit(_edited(dataset.images, edit)))


def _edited(images: LabeledImages, edit: ClassEdit) -> LabeledImages:
    match edit.action:
        case "rename":
            return rename_class(images, edit.index, edit.name)
        case "merge":
            return merge_classes(images, edit.index, edit.target)
        case _:
            return remove_class(images, edit.index)


def change_split(visit: Visit, form: SplitForm) -> None:
    """Hold out another share, or other pictures."""
    if visit.dataset is not None:
        changed = replace(visit.dataset, held_out_share=form.share, split_seed=form.seed)
        visit.workspace.library.save(changed)
