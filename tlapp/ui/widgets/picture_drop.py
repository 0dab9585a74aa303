"""The drop zone for test pictures: dropped, chosen, pasted, or taken with the webcam.

The browser shrinks big photos and sends all in one request. Event: ``upload`` (they have arrived).
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.data_classes import FileData, GradioRootModel

from tlapp.bounds import NAME_CHARACTERS
from tlapp.settings import MEGABYTE
from tlapp.ui.later import later
from tlapp.ui.text.drops import LEFT_OUT_REASONS, PICTURE_WORDS
from tlapp.ui.widgets.assets import read_script
from tlapp.ui.widgets.quiet import QuietComponentMeta
from tlapp.ui.widgets.values import words_to_json

SCRIPTS = ("picture_drop.js",)


@dataclass(frozen=True)
class PictureUpload:
    """One picture that has arrived."""

    path: str  # of the server; the receiver removes the file
    name: str  # as the person named it; for showing only


class PicturesData(GradioRootModel):
    """The value as it travels. Gradio checks that each file is one that was uploaded."""

    root: list[FileData]


class PictureDrop(gr.HTML, metaclass=QuietComponentMeta):
    """A drop zone whose value is a tuple of `PictureUpload`, empty before anything was sent."""

    data_model = PicturesData

    def __init__(
        self,
        value: None = None,
        *,
        most: int = 20,
        image_bytes: int = 100 * MEGABYTE,
        **kwargs: Any,
    ) -> None:
        """`most` pictures at once, of `image_bytes` each."""
        super().__init__(
            value,
            html_template="<div></div>",
            js_on_load=read_script(*SCRIPTS),
            apply_default_css=False,
            words=words_to_json(PICTURE_WORDS),
            reasons={why: later(said) for why, said in LEFT_OUT_REASONS.items()},
            most=most,
            image_bytes=image_bytes,
            **kwargs,
        )
        self.most = most

    def preprocess(  # type: ignore[override]  # HTML itself knows text only
        self, payload: PicturesData | None
    ) -> tuple[PictureUpload, ...]:
        """The pictures that have arrived, at most `most` of them whatever was sent."""
        files = payload.root if payload else []
        return tuple(
            PictureUpload(file.path, (file.orig_name or "picture")[:NAME_CHARACTERS])
            for file in files[: self.most]
        )

    def postprocess(self, value: None) -> None:  # type: ignore[override]  # as above
        """Nothing is sent to the browser: the value comes from there alone."""

    def api_info(self) -> dict[str, Any]:
        """The value's JSON schema."""
        return gr.components.Component.api_info(self)
