"""A race as it happens: five ways to learn on one plot, and what it shows in the end."""

from dataclasses import dataclass

from tlapp.ui.text.racing import RACE_VIEW_WORDS
from tlapp.ui.widgets.display import Display


@dataclass(frozen=True, kw_only=True)
class RaceLane:
    """One way to learn, at one moment."""

    run: str  # its id
    title: str
    figure: str  # the best held-out accuracy so far: "best 84 %"; "" while there is none
    note: str  # how far it is: "epoch 3 of 35", "failed: learning rate too high"
    accuracies: tuple[float | None, ...]  # held out, after each epoch, 0 to 1
    seconds: tuple[float, ...]  # wall time of the learning until the end of each epoch
    best: int | None = None  # the epoch that is kept, 1 for the first; None: it is not over
    is_winner: bool = False


@dataclass(frozen=True, kw_only=True)
class RaceValue:
    """One moment of a race; without lanes there has been none."""

    status: str
    lanes: tuple[RaceLane, ...] = ()
    verdict: tuple[str, ...] = ()  # sentences; **strong** parts in asterisks


class RaceView(Display):
    """Plot, lanes and verdict. As an input, a listener gets None."""

    root_class = "tl-race"
    scripts = ("race_view.js",)
    default_words = RACE_VIEW_WORDS
