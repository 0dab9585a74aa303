"""The Data zone: bring pictures in, look at what came, name the classes, hold some out.

What is imported is shown first and takes the place of the earlier data set only when it is
accepted (pressing Train accepts it too).
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from tlapp.data.dataset import Dataset, ImportEvent, ImportFinished, ImportProgress
from tlapp.data.images import LabeledImages, merge_classes, remove_class, rename_class
from tlapp.errors import DataError, ServerError, TlappError
from tlapp.ui import present, text, widget_values
from tlapp.ui.asked import (
    LEAST_PERCENT,
    MOST_PERCENT,
    asked_folder,
    asked_percent,
    asked_seed,
)
from tlapp.ui.door.key import has_key
from tlapp.ui.handling import QUIET, bind
from tlapp.ui.panels.shown_data import (
    accept_pending,
    add_left_out,
    dataset_in_use,
    pending_dataset,
    replace_pending,
    shown_dataset,
)
from tlapp.ui.session import Page
from tlapp.ui.text import door
from tlapp.ui.widgets.class_list import ClassEdit, ClassList, read_class_edit
from tlapp.ui.widgets.folder_drop import FolderDrop, Upload

PROGRESS_STEPS = 50  # how often an import reports at most: each report is a message to the browser


@dataclass(frozen=True, kw_only=True)
class DataPanel:
    """The components of the zone."""

    drop: FolderDrop
    message: gr.HTML
    class_list: ClassList
    decision: gr.Row
    accept: gr.Button
    discard: gr.Button
    split: gr.Accordion
    held_out_percent: gr.Slider
    split_seed: gr.Number
    local_path: gr.Textbox | None  # only on one's own machine
    read_path: gr.Button | None

    def views(self) -> list[gr.components.Component | gr.blocks.Block]:
        """What `show` fills, in its order."""
        return [
            self.message,
            self.class_list,
            self.decision,
            self.accept,
            self.split,
            self.held_out_percent,
            self.split_seed,
            self.drop,
        ]


def build(page: Page) -> DataPanel:
    """The zone's components, without their events."""
    limits = page.settings.limits
    drop = FolderDrop(
        max_bytes=limits.archive_bytes,
        image_bytes=limits.image_bytes,
        most_pictures=limits.images,
        elem_id="folder-drop",
    )
    message = gr.HTML("", elem_id="data-message", elem_classes="tl-message")
    class_list = ClassList(elem_id="class-list")
    with gr.Row(visible=False, elem_id="data-decision", elem_classes="tl-buttons") as decision:
        accept = gr.Button(text.ACCEPT_BUTTON, variant="primary", elem_id="accept-data")
        discard = gr.Button(text.DISCARD_BUTTON, elem_id="discard-data")
    with gr.Accordion(text.SPLIT_HEADING, open=False, visible=False, elem_id="split") as split:
        held_out_percent = gr.Slider(
            LEAST_PERCENT,
            MOST_PERCENT,
            step=5,
            value=20,
            label=text.SPLIT_SHARE_LABEL,
            info=text.SPLIT_SHARE_INFO,
            elem_id="held-out-percent",
        )
        split_seed = gr.Number(
            0,
            precision=0,
            minimum=0,
            label=text.SPLIT_SEED_LABEL,
            info=text.SPLIT_SEED_INFO,
            elem_id="split-seed",
        )
    local_path = read_path = None
    if not page.settings.is_public:
        with gr.Accordion(text.LOCAL_PATH_HEADING, open=False, elem_id="local-folder"):
            local_path = gr.Textbox(label=text.LOCAL_PATH_LABEL, elem_id="local-path")
            read_path = gr.Button(text.LOCAL_PATH_BUTTON, elem_id="read-path")
    return DataPanel(
        drop=drop,
        message=message,
        class_list=class_list,
        decision=decision,
        accept=accept,
        discard=discard,
        split=split,
        held_out_percent=held_out_percent,
        split_seed=split_seed,
        local_path=local_path,
        read_path=read_path,
    )


def connect(page: Page, panel: DataPanel, token: gr.BrowserState) -> list[Any]:
    """Give the components their events. Returns the events after which other zones look again."""
    views = panel.views()
    imports: dict[str, Any] = {
        "concurrency_limit": 4,
        "concurrency_id": "import",
        "trigger_mode": "multiple",
        **QUIET,
    }
    changes = [
        panel.drop.upload(bind(import_upload, page), [token, panel.drop], views, **imports),
        panel.drop.select(bind(import_samples, page), [token], views, **imports),
        panel.accept.click(bind(accept, page), [token], views, **QUIET),
        panel.discard.click(bind(discard, page), [token], views, **QUIET),
        panel.class_list.edit(
            bind(edit_classes, page), [token], views, trigger_mode="multiple", **QUIET
        ),
        panel.held_out_percent.release(
            bind(change_split, page),
            [token, panel.held_out_percent, panel.split_seed],
            views,
            **QUIET,
        ),
        panel.split_seed.submit(
            bind(change_split, page),
            [token, panel.held_out_percent, panel.split_seed],
            views,
            **QUIET,
        ),
    ]
    if panel.read_path is not None and panel.local_path is not None:
        changes += [
            on_wish(bind(import_path, page), [token, panel.local_path], views, **imports)
            for on_wish in (panel.read_path.click, panel.local_path.submit)
        ]
    return changes


def show(page: Page, owner: str, message: str = "") -> tuple[Any, ...]:
    """The zone as it is for this visitor, in the order of `DataPanel.views`."""
    pending = pending_dataset(page, owner)
    dataset = pending or dataset_in_use(page, owner)
    if dataset is None:
        hidden = gr.update(visible=False)
        return (message, widget_values.no_classes(), hidden, gr.skip(), hidden, *_skips(2), None)
    has_own_split = widget_values.has_own_split(dataset)
    return (
        message,
        widget_values.class_list(page.workspace, dataset),
        gr.update(visible=pending is not None),
        gr.update(value=text.accept_button(len(dataset.images.images))),
        gr.update(visible=not has_own_split),
        round(dataset.held_out_share * 100),
        dataset.split_seed,
        None if pending is None else gr.skip(),  # what the drop zone said is about the preview
    )


def _skips(count: int) -> tuple[Any, ...]:
    """So many outputs that stay as they are."""
    return tuple(gr.skip() for _ in range(count))


def import_upload(page: Page, token: str, upload: Upload | None) -> Iterator[tuple[Any, ...]]:
    """Read the uploaded zip, and remove it as soon as it has been read."""
    owner = page.owner_of(token)
    if upload is None:
        yield show(page, owner)
        return
    path = Path(upload.path)
    try:
        yield from _import(
            page,
            owner,
            page.workspace.library.import_archive(
                owner, path, name=upload.name, should_stop=lambda: False
            ),
            upload,
        )
    finally:
        path.unlink(missing_ok=True)


def import_path(
    page: Page, token: str, path: str, request: gr.Request
) -> Iterator[tuple[Any, ...]]:
    """Read a folder of this machine, for whoever opened the page from the printed address."""
    owner = page.owner_of(token)
    if not page.key or not has_key(request.headers.get("cookie", ""), page.key):
        raise DataError(door.LOCAL_KEY_IS_MISSING, hint=door.OPEN_PRINTED_ADDRESS)
    folder = asked_folder(path)
    yield from _import(
        page,
        owner,
        page.workspace.library.import_folder(
            owner, folder, name=folder.name, should_stop=lambda: False
        ),
    )


def import_samples(page: Page, token: str) -> Iterator[tuple[Any, ...]]:
    """Bring in the sample pictures. They are known, so nothing needs to be decided."""
    owner = page.owner_of(token)
    has_come = yield from _import(
        page, owner, page.workspace.library.import_samples(owner, should_stop=lambda: False)
    )
    if has_come:
        yield accept(page, token)


def _import(
    page: Page, owner: str, events: Iterator[ImportEvent], upload: Upload | None = None
) -> Generator[tuple[Any, ...], None, bool]:
    """Show an import as it goes on; a refused one leaves everything as it was, and says why.

    Returns whether the pictures have come.
    """
    page.workspace.janitor.touch(owner)
    unchanged = _skips(7)
    shown = -1
    try:
        for event in events:
            if isinstance(event, ImportProgress):
                step = event.done * PROGRESS_STEPS // max(event.total, 1)
                if step != shown:
                    shown = step
                    yield (present.note(text.import_progress(event.done, event.total)), *unchanged)
            elif isinstance(event, ImportFinished):
                if upload is not None:
                    add_left_out(page, event.dataset, upload)
                _show_import(page, owner, event.dataset)
                yield show(page, owner)
                return True
    except TlappError as error:
        yield (present.problem(error), *unchanged)
    return False


def _show_import(page: Page, owner: str, dataset: Dataset) -> None:
    """Let the import wait for a decision; nothing is left of it when that cannot be kept."""
    try:
        replace_pending(page, owner, dataset.dataset_id)
    except ServerError:
        page.workspace.library.delete(dataset)
        raise


def accept(page: Page, token: str) -> tuple[Any, ...]:
    """Put the shown import to use."""
    owner = page.owner_of(token)
    pending = pending_dataset(page, owner)
    if pending is not None:
        accept_pending(page, owner, pending.dataset_id)
    return show(page, owner)


def discard(page: Page, token: str) -> tuple[Any, ...]:
    """Drop the shown import; what was in use before is shown again."""
    owner = page.owner_of(token)
    replace_pending(page, owner, None)
    return show(page, owner)


def edit_classes(page: Page, token: str, event: gr.EventData) -> tuple[Any, ...]:
    """Rename, merge or remove a class, or undo the last of these, as the class list asks."""
    owner = page.owner_of(token)
    dataset = shown_dataset(page, owner)
    if dataset is None:
        raise DataError(text.NO_PICTURES, hint=text.BRING_PICTURES)
    edit = read_class_edit(event)
    if edit.action == "undo":
        page.workspace.library.save(dataset.without_edit())
        return show(page, owner)
    if dataset.images.class_names[edit.index : edit.index + 1] != (edit.class_name,):
        raise DataError(text.CLASSES_CHANGED, hint=text.LOOK_AGAIN)
    page.workspace.library.save(dataset.with_edit(_edited(dataset.images, edit)))
    return show(page, owner)


def _edited(images: LabeledImages, edit: ClassEdit) -> LabeledImages:
    match edit.action:
        case "rename":
            return rename_class(images, edit.index, edit.name)
        case "merge":
            return merge_classes(images, edit.index, edit.target)
        case _:
            return remove_class(images, edit.index)


def change_split(page: Page, token: str, percent: Any, seed: Any) -> tuple[Any, ...]:
    """Hold out another share, or other pictures."""
    owner = page.owner_of(token)
    dataset = shown_dataset(page, owner)
    if dataset is None:
        return show(page, owner)
    changed = replace(
        dataset, held_out_share=asked_percent(percent) / 100, split_seed=asked_seed(seed)
    )
    page.workspace.library.save(changed)
    return show(page, owner)
