"""The classic mistakes: a list, a question, what happens, and why."""

from dataclasses import dataclass

from tlapp.ui.text.mistakes import MISTAKE_VIEW_WORDS
from tlapp.ui.widgets.display import Display


@dataclass(frozen=True)
class MistakeChoice:
    """One mistake that can be made."""

    name: str
    title: str
    what: str  # what is done


@dataclass(frozen=True)
class Option:
    """One thing that may happen."""

    name: str
    title: str


@dataclass(frozen=True)
class Bar:
    """A share of pictures."""

    label: str
    share: float  # 0 to 1
    figure: str
    is_wrong: bool = False


@dataclass(frozen=True)
class View:
    """A picture as the network gets it."""

    label: str
    picture: str  # an address


@dataclass(frozen=True)
class Curve:
    """Held-out accuracy after each epoch."""

    label: str
    accuracies: tuple[float, ...]  # 0 to 1


@dataclass(frozen=True, kw_only=True)
class MistakeViewValue:
    """One moment."""

    intro: str
    is_ready: bool = False  # there is a run to make mistakes on
    mistakes: tuple[MistakeChoice, ...] = ()
    options: tuple[Option, ...] = ()
    run: str = ""  # the mistake that is or was made
    is_running: bool = False
    progress: float = 0.0  # 0 to 1
    status: str = ""
    bars: tuple[Bar, ...] = ()
    curves: tuple[Curve, ...] = ()
    views: tuple[View, ...] = ()
    answer: tuple[str, ...] = ()  # sentences; **strong** parts in asterisks


class MistakeView(Display):
    """Event ``guess`` carries the mistake's ``name`` and the foretold ``outcome``; ``stop`` ends it.
    As an input, a listener gets None."""

    root_class = "tl-mistakes"
    scripts = ("mistake_view.js",)
    default_words = MISTAKE_VIEW_WORDS
