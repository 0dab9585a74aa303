"""The pictures that were tried, each with what the network takes it for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from tlapp.ui.text.widgets import PREDICTIONS_WORDS
from tlapp.ui.widgets.assets import read_script
from tlapp.ui.widgets.quiet import QuietComponentMeta
from tlapp.ui.widgets.values import to_json

CLASSES_SHOWN = 3


@dataclass(frozen=True)
class ClassBar:
    """One class with its bar."""

    name: str
    probability: float  # 0 to 1


@dataclass(frozen=True, kw_only=True)
class TriedPicture:
    """One picture and its answer."""

    key: str  # the same for the same picture from update to update (its image id)
    name: str  # as the person named it
    thumbnail: str = ""  # an address: a data URI, or a path of this server
    classes: tuple[ClassBar, ...] = ()  # most likely first
    error: str = ""  # why there is no answer


@dataclass(frozen=True, kw_only=True)
class PredictionsValue:
    """Everything in the Try zone below its drop zone."""

    heading: str  # "Answers come from epoch 19 of this run, while it trains."
    pictures: tuple[TriedPicture, ...] = ()
    empty: str = ""  # said instead of pictures when there are none


class Predictions(gr.HTML, metaclass=QuietComponentMeta):
    """Thumbnails with bars that move when the answers change. As an input, a listener gets None."""

    def __init__(
        self,
        value: PredictionsValue | None = None,
        *,
        words: Mapping[str, str] = PREDICTIONS_WORDS,
        **options: Any,
    ) -> None:
        super().__init__(
            value=value,
            html_template='<div class="tl-root tl-predictions"></div>',
            js_on_load=read_script("predictions.js"),
            apply_default_css=False,
            words=dict(words),
            **options,
        )

    def preprocess(self, payload: Any) -> Any:
        """Nothing: what was tried is known to the server."""
        return None

    def postprocess(self, value: Any) -> Any:
        """The value as JSON."""
        return to_json(value)
