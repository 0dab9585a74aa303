"""The drop zone for a folder of labelled pictures, or a zip of one.

The browser walks the folder, leaves out what is no picture, shrinks big photos and sends one zip.
Events: ``upload`` (a zip has arrived: the value), ``select`` (the sample pictures are wanted).
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.data_classes import FileData, GradioModel

from tlapp.settings import GIGABYTE, MEGABYTE
from tlapp.ui.text.drops import FOLDER_WORDS, Words
from tlapp.ui.widgets.assets import read_script
from tlapp.ui.widgets.quiet import QuietComponentMeta

SCRIPTS = ("files.js", "shrink.js", "zip.js", "send.js", "drop_zone.js", "folder_drop.js")


@dataclass(frozen=True)
class Upload:
    """A zip that has arrived."""

    path: str  # of the server; the receiver removes the file
    name: str  # of the folder or the zip, as the person named it; for showing only
    left_out: int = 0  # files that the browser did not send: no pictures, too big or unreadable


class UploadData(GradioModel):
    """The value as it travels. Gradio checks that the file is one that was uploaded."""

    file: FileData
    name: str
    pictures: int = 0
    left_out: int = 0


class FolderDrop(gr.HTML, metaclass=QuietComponentMeta):
    """A drop zone whose value is an `Upload`, or None before anything was sent."""

    data_model = UploadData

    def __init__(
        self,
        value: None = None,
        *,
        words: Words = FOLDER_WORDS,
        max_bytes: int = 4 * GIGABYTE,
        image_bytes: int = 100 * MEGABYTE,
        most_pictures: int = 100_000,
        **kwargs: Any,
    ) -> None:
        """`max_bytes` bounds the zip, `image_bytes` one picture in it. `words` replace the usual ones."""
        super().__init__(
            value,
            html_template="<div></div>",
            js_on_load=read_script(*SCRIPTS),
            apply_default_css=False,
            words={**FOLDER_WORDS, **words},
            max_bytes=max_bytes,
            image_bytes=image_bytes,
            most_pictures=most_pictures,
            **kwargs,
        )

    def preprocess(  # type: ignore[override]  # HTML itself knows text only
        self, payload: UploadData | None
    ) -> Upload | None:
        """The zip that has arrived."""
        if payload is None:
            return None
        return Upload(payload.file.path, payload.name, max(0, payload.left_out))

    def postprocess(self, value: None) -> None:  # type: ignore[override]  # as above
        """Nothing is sent to the browser: the value comes from there alone."""

    def api_info(self) -> dict[str, Any]:
        """The value's JSON schema."""
        return gr.components.Component.api_info(self)
