"""The loss at each learning rate, as it is tried, and the rate to take."""

from dataclasses import dataclass

from tlapp.ui.text.rate_finder import RATE_CHART_WORDS
from tlapp.ui.widgets.display import Display


@dataclass(frozen=True, kw_only=True)
class RateChartValue:
    """One moment of a search; without rates there is no chart."""

    status: str  # "Step 34 of 100, at rate 0.0024. About 12 s left."
    search: str = ""  # changes when another one is shown, so that its curve is drawn from the start
    is_running: bool = False
    is_problem: bool = False  # the status says why it failed
    progress: float | None = None  # 0 to 1; None: no bar
    range: tuple[float, float] = (1e-6, 10.0)  # of the rates
    rates: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()  # as long as `rates`, nats per picture
    suggested: float | None = None  # the rate to take
    mark: str = ""  # what stands beside it: "suggested 0.0021"
    why: str = ""  # a sentence or two; **strong** parts in asterisks


class RateChart(Display):
    """Status, curve and reason. As an input, a listener gets None."""

    root_class = "tl-rates"
    scripts = ("rate_chart.js",)
    default_words = RATE_CHART_WORDS
