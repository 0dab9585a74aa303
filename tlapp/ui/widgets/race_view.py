"""A race as it happens: five ways to learn on one plot, and what it shows in the end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from tlapp.ui.text.racing import RACE_VIEW_WORDS
from tlapp.ui.widgets.assets import read_script
from tlapp.ui.widgets.quiet import QuietComponentMeta
from tlapp.ui.widgets.values import to_json


@dataclass(frozen=True, kw_only=True)
class RaceLane:
    """One way to learn, at one moment."""

    run: str  # its id
    title: str
    figure: str  # the best held-out accuracy so far: "84 %"; "" while there is none
    note: str  # how far it is: "epoch 3 of 35", "failed: learning rate too high"
    accuracies: tuple[float | None, ...]  # held out, after each epoch, 0 to 1
    seconds: tuple[float, ...]  # wall time of the learning until the end of each epoch
    is_winner: bool = False


@dataclass(frozen=True, kw_only=True)
class RaceValue:
    """One moment of a race; without lanes there has been none."""

    status: str
    lanes: tuple[RaceLane, ...] = ()
    verdict: tuple[str, ...] = ()  # sentences; **strong** parts in asterisks


class RaceView(gr.HTML, metaclass=QuietComponentMeta):
    """Plot, lanes and verdict. As an input, a listener gets None."""

    def __init__(
        self,
        value: RaceValue | None = None,
        *,
        words: Mapping[str, str] = RACE_VIEW_WORDS,
        **options: Any,
    ) -> None:
        super().__init__(
            value=value,
            html_template='<div class="tl-root tl-race"></div>',
            js_on_load=read_script("chart.js", "lines_plot.js", "race_view.js"),
            apply_default_css=False,
            words=dict(words),
            **options,
        )

    def preprocess(self, payload: Any) -> Any:
        """Nothing: the runs are on the server."""
        return None

    def postprocess(self, value: Any) -> Any:
        """The value as JSON."""
        return to_json(value)
