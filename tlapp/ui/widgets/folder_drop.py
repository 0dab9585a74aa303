"""The drop zone for a folder of labelled pictures, or a zip of one.

The browser walks the folder, leaves out what is no picture, shrinks big photos and sends one zip.
Events: ``upload`` (a zip has arrived: the value), ``select`` (the sample pictures are wanted).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, get_args

import gradio as gr
from gradio.data_classes import FileData, GradioModel

from tlapp.bounds import NAME_CHARACTERS
from tlapp.settings import GIGABYTE, MEGABYTE
from tlapp.ui.text.drops import FOLDER_WORDS, LeftOutWhy
from tlapp.ui.widgets.assets import read_script
from tlapp.ui.widgets.quiet import QuietComponentMeta
from tlapp.ui.widgets.values import words_to_json

SCRIPTS = ("folder_drop.js",)


NAMED_LEFT_OUT = 200  # the rest is counted
MOST_LEFT_OUT = 1_000_000
MOST_PATH_CHARACTERS = 4_096


@dataclass(frozen=True)
class Upload:
    """A zip that has arrived."""

    path: str  # of the server; the receiver removes the file
    name: str  # of the folder or the zip, as the person named it; for showing only
    left_out: tuple[tuple[str, LeftOutWhy], ...] = ()  # (path, why) of files that were not sent
    unnamed_count: int = 0  # files that were not sent either, beyond those named


class UploadData(GradioModel):
    """The value as it travels. Gradio checks that the file is one that was uploaded."""

    file: FileData
    name: str
    pictures: int = 0
    left_out: int = 0
    left_out_files: tuple[tuple[str, str], ...] = ()  # (path, why) of the first of them


class FolderDrop(gr.HTML, metaclass=QuietComponentMeta):
    """A drop zone whose value is an `Upload`, or None before anything was sent."""

    data_model = UploadData

    def __init__(
        self,
        value: None = None,
        *,
        max_bytes: int = 4 * GIGABYTE,
        image_bytes: int = 100 * MEGABYTE,
        most_pictures: int = 100_000,
        **kwargs: Any,
    ) -> None:
        """`max_bytes` bounds the zip, `image_bytes` one picture in it."""
        super().__init__(
            value,
            html_template="<div></div>",
            js_on_load=read_script(*SCRIPTS),
            apply_default_css=False,
            words=words_to_json(FOLDER_WORDS),
            max_bytes=max_bytes,
            image_bytes=image_bytes,
            most_pictures=most_pictures,
            named_left_out=NAMED_LEFT_OUT,
            **kwargs,
        )

    def preprocess(  # type: ignore[override]  # HTML itself knows text only
        self, payload: UploadData | None
    ) -> Upload | None:
        """The zip that has arrived."""
        if payload is None:
            return None
        named = tuple(_read_left_out(payload.left_out_files))
        unnamed_count = min(max(0, payload.left_out - len(named)), MOST_LEFT_OUT)
        name = payload.name[:NAME_CHARACTERS]
        return Upload(payload.file.path, name, named, unnamed_count)

    def postprocess(self, value: None) -> None:  # type: ignore[override]  # as above
        """Nothing is sent to the browser but None, which takes back what the zone said last."""

    def api_info(self) -> dict[str, Any]:
        """The value's JSON schema."""
        return gr.components.Component.api_info(self)


def _read_left_out(files: Iterable[tuple[str, str]]) -> Iterator[tuple[str, LeftOutWhy]]:
    """What a browser says of the files that it left out, as far as it can be shown."""
    for path, said in islice(files, NAMED_LEFT_OUT):
        for why in get_args(LeftOutWhy):
            if said == why and 0 < len(path) <= MOST_PATH_CHARACTERS:
                yield path, why
