"""Find a learning rate: one press searches, the curve grows, one press takes what was found."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import gradio as gr

from tlapp.errors import DataError, TrainingError
from tlapp.experiments.lr_finder import HIGHEST_RATE, LOWEST_RATE, RateSweep
from tlapp.training.config import TrainConfig
from tlapp.ui import text
from tlapp.ui.handling import QUIET, bind
from tlapp.ui.panels import choosing
from tlapp.ui.panels.choices import chosen_config, remember
from tlapp.ui.panels.experiments import follow_experiment, newest_experiment, stop_experiment
from tlapp.ui.panels.form import FormValues
from tlapp.ui.panels.shown_data import shown_dataset
from tlapp.ui.panels.train_panel import RatePanel, TrainPanel
from tlapp.ui.session import Page
from tlapp.ui.text import rate_finder as words
from tlapp.ui.widgets.rate_chart import RateChart, RateChartValue
from tlapp.workspace import RATE_FINDER, Experiment

_DIGITS = 4  # of a number in the chart; more cannot be seen


def build() -> RatePanel:
    """The components, without their events."""
    chart = RateChart(RateChartValue(status=words.INVITATION), elem_id="rate-chart")
    with gr.Row(elem_classes="tl-buttons"):
        return RatePanel(
            start=gr.Button(words.START_BUTTON, size="sm", interactive=False, elem_id="rate-start"),
            stop=gr.Button(
                words.STOP_BUTTON, size="sm", variant="stop", visible=False, elem_id="rate-stop"
            ),
            use=gr.Button(
                words.USE_BUTTON, size="sm", variant="primary", visible=False, elem_id="rate-use"
            ),
            chart=chart,
        )


def connect(page: Page, panel: TrainPanel, token: gr.BrowserState) -> Any:
    """Give the components their events. Returns the one after which the search is to be followed."""
    everything: set[gr.blocks.Block] = {token, panel.cards, *panel.settings()}
    panel.rates.stop.click(bind(stop, page), [token], None, **QUIET)
    panel.rates.use.click(bind(use, page, panel, token), everything, panel.settings(), **QUIET)
    return panel.rates.start.click(bind(start, page, panel, token), everything, None, **QUIET)


def start(page: Page, panel: TrainPanel, token: gr.BrowserState, values: FormValues) -> None:
    """Put a search for the settings and the pictures on the page in the queue."""
    owner = page.owner_of(values[token])
    config = remember(page, owner, choosing.read(page, panel, owner, values))
    dataset = shown_dataset(page, owner)
    if dataset is None:
        raise DataError(text.NO_PICTURES, hint=text.BRING_PICTURES)
    page.workspace.experiments.start_rate_finder(owner, dataset, config)


def stop(page: Page, token: str) -> None:
    """Stop the visitor's search."""
    stop_experiment(page, page.owner_of(token), RATE_FINDER)


def use(
    page: Page, panel: TrainPanel, token: gr.BrowserState, values: FormValues
) -> tuple[Any, ...]:
    """Take the rate that was found; the stages of the backbone keep their share of it."""
    owner = page.owner_of(values[token])
    sweep = _newest_sweep(page, owner)
    if sweep is None or sweep.suggested_rate is None:
        raise TrainingError(words.NOTHING_FOUND, hint=words.FIND_FIRST)
    config = choosing.read(page, panel, owner, values)
    if not _is_for(sweep, config):
        raise TrainingError(words.OTHER_SETTINGS, hint=words.FIND_AGAIN)
    return choosing.take_over(page, panel, owner, _at_rate(config, sweep.suggested_rate))


def use_update(page: Page, owner: str) -> Any:
    """How the button that takes a rate is: there when one was found, of use when it was found for
    the settings on the page."""
    sweep = _newest_sweep(page, owner)
    if sweep is None or sweep.suggested_rate is None:
        return gr.update(visible=False)
    fits = _is_for(sweep, chosen_config(page, owner))
    label = words.USE_BUTTON if fits else words.USE_NOT_BUTTON
    return gr.update(value=label, visible=True, interactive=fits)


def _newest_sweep(page: Page, owner: str) -> RateSweep | None:
    """The visitor's newest search as far as it is; None: there was none, or it has no step yet."""
    seen = newest_experiment(page, owner, RATE_FINDER)
    return seen.value if seen and isinstance(seen.value, RateSweep) else None


def _is_for(sweep: RateSweep, config: TrainConfig) -> bool:
    begins_with_head = not config.is_head_alone and config.head_epochs > 0
    return (_kind(config), begins_with_head) == (_kind(sweep.config), sweep.is_after_head)


def _kind(config: TrainConfig) -> tuple[object, ...]:
    """What a rate depends on most."""
    return config.backbone, config.freeze, config.pretrained, config.optimizer


def _at_rate(config: TrainConfig, rate: float) -> TrainConfig:
    """The settings with every rate times the same factor, so that the head's is `rate`."""
    factor = rate / config.learning_rate

    def scaled(other: float) -> float:
        return float(f"{other * factor:.3g}")

    return replace(
        config,
        learning_rate=rate,
        backbone_learning_rate=scaled(config.backbone_learning_rate),
        stage_rates=tuple((stage, scaled(each)) for stage, each in config.stage_rates),
    )


async def follow(page: Page, token: str, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
    """The visitor's newest search, until it is over or the tab has a later watcher."""
    tab = RATE_FINDER, page.owner_of(token), request.session_hash
    async with aclosing(follow_experiment(page, tab)) as moments:
        async for seen in moments:
            yield show(seen, use=await asyncio.to_thread(use_update, page, tab[1]))


def show(seen: Experiment | None, *, use: Any) -> tuple[Any, ...]:
    """A search as it is (None: there was none), in the order of `RatePanel.views`; `use` is the
    update of the button that takes the rate."""
    is_running = seen is not None and not seen.is_over
    return (
        RateChartValue(status=words.INVITATION) if seen is None else _chart(seen),
        gr.update(visible=not is_running),
        gr.update(visible=is_running),
        use,
    )


def _chart(seen: Experiment) -> RateChartValue:
    sweep = seen.value if isinstance(seen.value, RateSweep) else None
    rate = sweep.suggested_rate if sweep else None
    return RateChartValue(
        status=words.status_of(seen),
        search=seen.experiment_id,
        is_running=not seen.is_over,
        is_problem=seen.state == "failed",
        progress=None if seen.is_over or sweep is None else _progress(sweep),
        range=(LOWEST_RATE, _highest_shown(sweep)),
        rates=_rounded(sweep.rates if sweep else ()),
        losses=_rounded(sweep.losses if sweep else ()),
        suggested=rate,
        mark=words.mark(rate) if rate else "",
        why=words.why(sweep) if sweep and sweep.is_over else "",
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
