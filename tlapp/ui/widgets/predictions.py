"""The pictures that were tried, each with what the network takes it for."""

from dataclasses import dataclass

from tlapp.ui.text.widgets import PREDICTIONS_WORDS
from tlapp.ui.widgets.display import Display

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


class Predictions(Display):
    """Thumbnails with bars that move when the answers change. As an input, a listener gets None."""

    root_class = "tl-predictions"
    scripts = ("predictions.js",)
    default_words = PREDICTIONS_WORDS
