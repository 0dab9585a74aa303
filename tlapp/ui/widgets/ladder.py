"""The network's stages from stem to head: what is locked, what learns, and how fast."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import gradio as gr

from tlapp.bounds import NAME_CHARACTERS, STAGES
from tlapp.messages import Words
from tlapp.ui.later import in_words
from tlapp.ui.text.widgets import LADDER_WORDS
from tlapp.ui.widgets.display import Display
from tlapp.ui.widgets.values import to_json, words_to_json


@dataclass(frozen=True)
class LadderStage:
    """One bar."""

    name: str  # its id: "stage 3"
    title: str  # as it is called on the page
    parameters: int
    rate: float | None  # at which it learns; None: locked


@dataclass(frozen=True)
class LadderPreset:
    """One of the usual choices."""

    name: str
    title: str


@dataclass(frozen=True, kw_only=True)
class LadderValue:
    """What is chosen, and what that means."""

    stages: tuple[LadderStage, ...]  # stem to top, without the head
    head: LadderStage
    presets: tuple[LadderPreset, ...] = ()
    preset: str = ""  # the name of the one that is chosen; "": none of them
    sentence: str = ""  # "**7,686** of 3.4 M parameters learn. About **6 s**."
    is_problem: bool = False  # the sentence says why these settings cannot work
    untried: str = ""  # stands for these settings while an epoch has not been timed with them
    doubts: tuple[str, ...] = ()  # what seldom makes sense about them
    replaced_layer: str = ""  # "classifier: 1280 -> 1000 becomes 1280 -> 6"


@dataclass(frozen=True)
class Moved:
    """How far the run on the page has moved its backbone."""

    stages: tuple[tuple[str, int, float], ...] = ()  # name, parameters, |W - W0| / |W0|
    sentence: str = ""  # what it still sees as the untouched one does


@cache
def _said(words: Words) -> dict[str, object]:
    """What the script says by itself, in this language: an update that has no value makes the
    component anew, whose own words are not put into any language yet."""
    said: dict[str, object] = in_words(words_to_json(LADDER_WORDS), words)
    return said


def moved_update(moved: Moved, words: Words) -> Any:
    """An update of the ladder that leaves its value as it is."""
    return gr.update(moved=to_json(moved), words=_said(words))


def measured_update(value: LadderValue, words: Words, *, of: str) -> Any:
    """An update that says how long an epoch takes, if the ladder still shows the settings `of`."""
    measured = {"of": of, "sentence": value.sentence}
    return gr.update(measured=measured, words=_said(words))


class Ladder(Display):
    """A bar and a padlock for each stage, its rate on request, and the usual choices.

    Event ``lock`` says that padlocks have changed, ``rate`` carries ``stage`` and its ``rate`` (a
    number; None: by default), ``choose`` the ``name`` of a preset, and ``measure`` asks for a trial
    of how long an epoch takes. As an input, a listener gets the names of the locked stages.
    """

    root_class = "tl-ladder"
    scripts = ("ladder.js",)
    default_words = LADDER_WORDS

    def __init__(
        self,
        value: LadderValue | None = None,
        *,
        moved: Any = None,  # a `Moved` as JSON: an update makes the component anew from its parts
        measured: Any = None,  # see `measured_update`
        **options: Any,
    ) -> None:
        # Gradio reads every parameter back as an attribute, and takes a name in the script for an event.
        self.moved = to_json(Moved()) if moved is None else moved
        self.measured = {} if measured is None else measured
        super().__init__(value, moved=self.moved, measured=self.measured, **options)

    def preprocess(self, payload: Any) -> Any:
        """The names of the locked stages; whatever else the page says is left out."""
        stages = payload.get("stages") if isinstance(payload, dict) else None
        return tuple(
            str(stage.get("name"))[:NAME_CHARACTERS]
            for stage in (stages[:STAGES] if isinstance(stages, list) else [])
            if isinstance(stage, dict) and stage.get("rate") is None
        )
