"""A training as it happens: one sentence, one bar, two charts that grow epoch by epoch."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from tlapp.ui.text.widgets import RUN_VIEW_WORDS
from tlapp.ui.widgets.display import Display
from tlapp.ui.widgets.values import to_json

State = Literal["empty", "waiting", "preparing", "running", "finished", "stopped", "failed"]
Series = tuple[float | None, ...]  # one number an epoch, from epoch 1; None: not measured

DIGITS = 4  # more cannot be seen, and each costs bytes 4 times a second


@dataclass(frozen=True, kw_only=True)
class Curves:
    """What each epoch measured. All series are equally long."""

    train: Series = ()  # running loss while learning, nats per picture
    train_eval: Series = ()  # loss on the same pictures in eval mode
    valid: Series = ()  # loss on the held-out pictures
    train_accuracy: Series = ()  # 0 to 1, in eval mode
    valid_accuracy: Series = ()  # 0 to 1


@dataclass(frozen=True, kw_only=True)
class RunViewValue:
    """One moment of a run."""

    state: State
    status: str  # "Epoch 24 of 30. Best so far: 84 % held-out, epoch 19."
    origin: str = ""  # what it learned from, where that is not what the page shows
    run: str = ""  # changes when another run is shown, so that its curves are drawn from the start
    progress: float | None = None  # 0 to 1; None: no bar
    total_epochs: int = 0  # the width of the charts
    epochs: Curves = field(default_factory=Curves)
    best_epoch: int | None = None
    phase_starts: tuple[int, ...] = ()  # the first epoch of each phase after the first
    accuracy_note: str = ""  # beside "Accuracy": "held-out 84 % (78 to 89)"
    interval: tuple[float, float] | None = None  # of valid_accuracy at the best epoch, 0 to 1
    batches: tuple[tuple[float, float], ...] = ()  # (epochs done, loss), e.g. (0.25, 1.6)


class RunView(Display):
    """Status, progress and charts of one run. As an input, a listener gets None."""

    root_class = "tl-run"
    scripts = ("run_view.js",)
    default_words = RUN_VIEW_WORDS

    def postprocess(self, value: Any) -> Any:
        """The value as JSON, with numbers cut to what can be seen; NaN is a gap."""
        return _rounded(to_json(value))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value
