"""The visitor's runs: a table to choose from, and the curves of the chosen ones on one plot."""

from dataclasses import dataclass

from tlapp.ui.text.widgets import RUN_LIST_WORDS
from tlapp.ui.widgets.display import Display


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """One run that is over."""

    run: str  # its id
    name: str
    cells: tuple[str, ...]  # as `RunListValue.columns`
    settings: tuple[tuple[str, str], ...]  # what it is called, and its value
    accuracies: tuple[float | None, ...]  # held out, after each epoch, 0 to 1
    seconds: tuple[float, ...]  # wall time of the learning until the end of each epoch
    best: int | None = None  # the epoch that is kept, 1 for the first
    is_best: bool = False  # the highest held-out accuracy of its data set
    is_shown: bool = False  # it is the one on the page
    is_pinned: bool = False
    ended: str = ""  # how, when it did not finish


@dataclass(frozen=True, kw_only=True)
class RunListValue:
    """Everything to choose from, newest first."""

    columns: tuple[str, ...] = ()
    rows: tuple[RunRow, ...] = ()
    empty: str = ""  # what is said while there are none


class RunList(Display):
    """A table of runs with their curves.

    Events carry ``run``: ``open`` shows it on the page, ``adopt`` takes its settings, ``pin`` and
    ``unpin`` keep it or not, ``remove`` removes it, ``rename`` has ``name`` as well. As an input, a
    listener gets None.
    """

    root_class = "tl-runs"
    scripts = ("run_list.js",)
    default_words = RUN_LIST_WORDS
