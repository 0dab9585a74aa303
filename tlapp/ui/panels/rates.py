"""Find a learning rate: the curve as it grows, and the rate to take."""

import math

import gradio as gr
from gradio.blocks import Block

from tlapp.experiments.lr_finder import HIGHEST_RATE, LOWEST_RATE, RateSweep
from tlapp.messages import Say
from tlapp.ui.actions.training import is_for, sweep_of
from tlapp.ui.later import later
from tlapp.ui.panels.panel import Update
from tlapp.ui.text import rate_finder as words
from tlapp.ui.visit import Visit, experiment_key
from tlapp.ui.widgets.rate_chart import RateChart, RateChartValue
from tlapp.workspace import Experiment

_DIGITS = 4  # of a number in the chart; more cannot be seen


class RatesPanel:
    """The search for a learning rate."""

    chart: RateChart
    start: gr.Button
    stop: gr.Button
    use: gr.Button

    def build(self) -> None:
        """Make the components."""
        self.chart = RateChart(RateChartValue(status=later(words.INVITATION)), elem_id="rate-chart")
        with gr.Row(elem_classes="tl-buttons"):
            self.start = gr.Button(
                later(words.START_BUTTON), size="sm", interactive=False, elem_id="rate-start"
            )
            self.stop = gr.Button(
                later(words.STOP_BUTTON),
                size="sm",
                variant="stop",
                visible=False,
                elem_id="rate-stop",
            )
            self.use = gr.Button(
                later(words.USE_BUTTON),
                size="sm",
                variant="primary",
                visible=False,
                elem_id="rate-use",
            )

    @property
    def outputs(self) -> tuple[Block, ...]:
        """All that `render` may fill."""
        return (self.chart, self.start, self.stop, self.use)

    def view(self, visit: Visit) -> object:
        """The search at this moment, and whether its rate is for the settings on the page."""
        return experiment_key(visit.rate_search), self._fits(visit), visit.can_begin

    def render(self, visit: Visit) -> Update:
        """The newest search; without one, the invitation to begin one."""
        search, say = visit.rate_search, visit.words.say
        is_running = search is not None and not search.is_over
        return {
            self.chart: RateChartValue(status=say(words.INVITATION))
            if search is None
            else _chart(search, say),
            self.start: gr.update(visible=not is_running, interactive=visit.can_begin),
            self.stop: gr.update(visible=is_running),
            self.use: self._use(visit),
        }

    def _fits(self, visit: Visit) -> bool | None:
        """Whether a rate was found for the settings on the page; None: none was found."""
        sweep = sweep_of(visit.rate_search)
        if sweep is None or sweep.suggested_rate is None:
            return None
        return is_for(sweep, visit.config)

    def _use(self, visit: Visit) -> object:
        """The button that takes a rate: there when one was found, of use when it fits."""
        fits = self._fits(visit)
        if fits is None:
            return gr.update(visible=False)
        label = words.USE_BUTTON if fits else words.USE_NOT_BUTTON
        return gr.update(value=visit.words.say(label), visible=True, interactive=fits)


def _chart(search: Experiment, say: Say) -> RateChartValue:
    sweep = sweep_of(search)
    rate = sweep.suggested_rate if sweep else None
    return RateChartValue(
        status=say(words.status_of(search)),
        search=search.experiment_id,
        is_running=not search.is_over,
        is_problem=search.state == "failed",
        progress=None if search.is_over or sweep is None else _progress(sweep),
        range=(LOWEST_RATE, _highest_shown(sweep)),
        rates=_rounded(sweep.rates if sweep else ()),
        losses=_rounded(sweep.losses if sweep else ()),
        suggested=rate,
        mark=say(words.mark(rate)) if rate else "",
        why=say(words.why(sweep)) if sweep and sweep.is_over else "",
    )


def _highest_shown(sweep: RateSweep | None) -> float:
    """The end of the rate axis: where the search is over, the power of ten after its last step."""
    if sweep is None or not sweep.is_over or not sweep.rates:
        return HIGHEST_RATE
    return float(min(HIGHEST_RATE, 10.0 ** math.ceil(math.log10(sweep.rates[-1]))))


def _progress(sweep: RateSweep) -> float:
    if sweep.done or not sweep.pictures_total:
        return sweep.done / sweep.total
    return sweep.pictures_done / sweep.pictures_total


def _rounded(numbers: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(f"{number:.{_DIGITS}g}") for number in numbers)
