"""The Data zone: bring pictures in, look at what came, name the classes, hold some out."""

from collections.abc import Hashable

import gradio as gr
from gradio.blocks import Block

from tlapp.data.dataset import Dataset, ImportProgress
from tlapp.errors import TlappError
from tlapp.messages import Words
from tlapp.ui import present, text
from tlapp.ui.actions.data import LocalFolder, SplitForm
from tlapp.ui.asked import LEAST_PERCENT, MOST_PERCENT, asked_percent, asked_seed
from tlapp.ui.door.key import has_key
from tlapp.ui.later import later
from tlapp.ui.page import Page
from tlapp.ui.panels.panel import Update
from tlapp.ui.sent import Reads, Sent
from tlapp.ui.visit import Visit, dataset_key
from tlapp.ui.widgets.class_list import (
    ClassEdit,
    ClassList,
    ClassListValue,
    ClassRow,
    read_class_edit,
    skipped_rows,
    thumbnails_per_class,
)
from tlapp.ui.widgets.folder_drop import FolderDrop, Upload
from tlapp.ui.widgets.values import picture_address


class DataPanel:
    """The zone's components, and how they are drawn."""

    drop: FolderDrop
    message: gr.HTML
    class_list: ClassList
    decision: gr.Row
    accept: gr.Button
    discard: gr.Button
    split: gr.Accordion
    held_out_percent: gr.Slider
    split_seed: gr.Number
    local_path: gr.Textbox | None = None  # only on one's own machine
    read_path: gr.Button | None = None

    def __init__(self, page: Page) -> None:
        self._page = page
        self._library = page.workspace.library

    def build(self) -> None:
        """Make the components."""
        limits = self._page.settings.limits
        self.drop = FolderDrop(
            max_bytes=limits.archive_bytes,
            image_bytes=limits.image_bytes,
            most_pictures=limits.images,
            elem_id="folder-drop",
        )
        self.message = gr.HTML("", elem_id="data-message", elem_classes="tl-message")
        self.class_list = ClassList(elem_id="class-list")
        with gr.Row(
            visible=False, elem_id="data-decision", elem_classes="tl-buttons"
        ) as self.decision:
            self.accept = gr.Button(
                later(text.ACCEPT_BUTTON), variant="primary", elem_id="accept-data"
            )
            self.discard = gr.Button(later(text.DISCARD_BUTTON), elem_id="discard-data")
        self._build_split()
        if not self._page.settings.is_public:
            with gr.Accordion(later(text.LOCAL_PATH_HEADING), open=False, elem_id="local-folder"):
                self.local_path = gr.Textbox(
                    label=later(text.LOCAL_PATH_LABEL), elem_id="local-path"
                )
                self.read_path = gr.Button(later(text.LOCAL_PATH_BUTTON), elem_id="read-path")

    def _build_split(self) -> None:
        with gr.Accordion(
            later(text.SPLIT_HEADING), open=False, visible=False, elem_id="split"
        ) as self.split:
            self.held_out_percent = gr.Slider(
                LEAST_PERCENT,
                MOST_PERCENT,
                step=5,
                value=20,
                label=later(text.SPLIT_SHARE_LABEL),
                info=later(text.SPLIT_SHARE_INFO),
                elem_id="held-out-percent",
            )
            self.split_seed = gr.Number(
                0,
                precision=0,
                minimum=0,
                label=later(text.SPLIT_SEED_LABEL),
                info=later(text.SPLIT_SEED_INFO),
                elem_id="split-seed",
            )

    @property
    def outputs(self) -> tuple[Block, ...]:
        """All that `render` may fill."""
        return (
            self.drop,
            self.message,
            self.class_list,
            self.decision,
            self.accept,
            self.split,
            self.held_out_percent,
            self.split_seed,
        )

    def view(self, visit: Visit) -> Hashable:
        """Which data set is shown, in which version, and whether a decision is open."""
        return dataset_key(visit.dataset), visit.pending_dataset is not None

    def render(self, visit: Visit) -> Update:
        """The data set that the visitor has brought, or the invitation to bring one."""
        dataset = visit.dataset
        if dataset is None:
            return {
                self.message: "",
                self.class_list: ClassListValue(summary="", classes=(), can_edit=False),
                self.decision: gr.update(visible=False),
                self.split: gr.update(visible=False),
                self.drop: None,
            }
        is_pending = visit.pending_dataset is not None
        update = {
            self.message: "",
            self.class_list: self._class_list(dataset, visit.words),
            self.decision: gr.update(visible=is_pending),
            self.accept: gr.update(
                value=visit.words.say(text.accept_button(len(dataset.images.images)))
            ),
            self.split: gr.update(visible=not _has_own_split(dataset)),
            self.held_out_percent: round(dataset.held_out_share * 100),
            self.split_seed: dataset.split_seed,
        }
        # What the drop zone said is about the preview.
        return update if is_pending else {**update, self.drop: None}

    def render_progress(self, visit: Visit, event: ImportProgress) -> Update:
        """How far an import is."""
        said = visit.words.say(text.import_progress(event.done, event.total))
        return {self.message: present.note(said)}

    def render_refusal(self, visit: Visit, error: TlappError) -> Update:
        """Why an import came to nothing; everything is as it was."""
        return {self.message: present.problem(error, visit.words)}

    def reads_upload(self) -> Reads[Upload | None]:
        """The zip that has arrived."""
        return Reads((self.drop,), lambda sent: sent.values[self.drop])

    def reads_folder(self) -> Reads[LocalFolder]:
        """The path that is typed, and whether its reader may name one."""
        assert self.local_path is not None
        path, key = self.local_path, self._page.key

        def folder(sent: Sent) -> LocalFolder:
            is_known = bool(key) and has_key(sent.cookie, key)
            return LocalFolder(path=sent.values[path], has_key=is_known)

        return Reads((path,), folder)

    def reads_edit(self) -> Reads[ClassEdit]:
        """What is to be done with the classes."""
        return Reads((), lambda sent: read_class_edit(sent.event))

    def reads_split(self) -> Reads[SplitForm]:
        """How pictures are to be held out."""
        return Reads(
            (self.held_out_percent, self.split_seed),
            lambda sent: SplitForm(
                share=asked_percent(sent.values[self.held_out_percent]) / 100,
                seed=asked_seed(sent.values[self.split_seed]),
            ),
        )

    def _class_list(self, dataset: Dataset, words: Words) -> ClassListValue:
        """The classes with their pictures, what was left out, and what deserves attention."""
        say = words.say
        images, split = dataset.images, dataset.split
        skipped = skipped_rows((each.name, say(each.reason)) for each in dataset.skipped)
        skipped_count = len(dataset.skipped) + dataset.unnamed_skipped_count
        rows = zip(images.class_names, images.counts(), self._thumbnails(dataset), strict=True)
        return ClassListValue(
            dataset=dataset.dataset_id,
            can_undo=dataset.before_edit is not None,
            summary=say(
                text.dataset_summary(
                    len(images.images), len(images.class_names), len(split.train), len(split.valid)
                )
            ),
            classes=tuple(ClassRow(*row) for row in rows),
            notes=(
                *((say(text.OWN_SPLIT),) if _has_own_split(dataset) else ()),
                *(say(finding.message) for finding in self._library.findings(dataset)),
            ),
            skipped_line=say(text.skipped_line(skipped_count)),
            skipped=skipped,
            skipped_rest=say(text.and_more(skipped_count - len(skipped))),
        )

    def _thumbnails(self, dataset: Dataset) -> list[tuple[str, ...]]:
        shown = thumbnails_per_class(len(dataset.images.class_names))
        addresses: list[list[str]] = [[] for _ in dataset.images.class_names]
        for image in dataset.images.images:
            row = addresses[image.class_index]
            if len(row) < shown:
                encoded = self._library.thumbnail(dataset.dataset_id, image.image_id)
                row.append(picture_address(encoded))
        return [tuple(row) for row in addresses]


def _has_own_split(dataset: Dataset) -> bool:
    """Whether the folder itself says what is held out."""
    return {"train", "valid"} <= {image.part for image in dataset.images.images}
