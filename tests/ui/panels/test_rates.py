"""Find a learning rate: the curve, the rate with its reason, and when it can be taken."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from tests.ui.filled import settings_form
from tests.ui.searches import REASON, found, sweep
from tlapp.backbones.weights import DownloadProgress
from tlapp.data.dataset import Dataset
from tlapp.experiments.lr_finder import HIGHEST_RATE, LOWEST_RATE, RateSweep
from tlapp.messages import verbatim
from tlapp.training.config import TrainConfig
from tlapp.ui.actions.training import find_rate
from tlapp.ui.page import Page
from tlapp.ui.table import Panels
from tlapp.ui.text import rate_finder as words
from tlapp.ui.widgets.rate_chart import RateChartValue
from tlapp.ui.wiring import follow
from tlapp.workspace import RATE_FINDER, Experiment

TOKEN = gr.State()  # stands for the component that holds the visitor's token
STARTED = TrainConfig(freeze="last:2", learning_rate=3e-4, backbone_learning_rate=1e-3)


def seen(state: Any, value: Any = None, **more: Any) -> Experiment:
    return Experiment(experiment_id="e", kind=RATE_FINDER, state=state, value=value, **more)


@pytest.fixture
def chart(page: Page, panels: Panels, token: str) -> Any:
    """What the chart shows of a search."""

    def chart(search: Experiment | None) -> RateChartValue:
        visit = page.visit(token)
        visit.__dict__["rate_search"] = search
        value = panels.rates.render(visit)[panels.rates.chart]
        assert isinstance(value, RateChartValue)
        return value

    return chart


def test_a_rate_is_offered_for_the_settings_that_it_was_found_for(
    page: Page, panels: Panels, token: str, owner: str
) -> None:
    def offered() -> Any:
        return panels.rates.render(page.visit(token))[panels.rates.use]

    assert offered()["visible"] is False
    found(page, owner, sweep())
    assert (offered()["visible"], offered()["interactive"]) == (True, True)
    page.visit(token).keep(config=TrainConfig(freeze="last:2"))
    assert (offered()["visible"], offered()["interactive"]) == (True, False)
    assert offered()["value"] == str(words.USE_NOT_BUTTON)


def test_a_search_is_started_followed_and_found_again(
    page: Page, panels: Panels, token: str, dataset: Dataset
) -> None:
    page.visit(token).keep(pending_dataset_id=dataset.dataset_id)
    find_rate(page.visit(token), settings_form(page, TrainConfig()))

    async def told(tab: str) -> list[Any]:
        request: Any = SimpleNamespace(session_hash=tab)
        watched = ((panels.rates,),)
        updates = follow(page, watched, TOKEN, {TOKEN: token}, request)  # type: ignore[arg-type]  # stands for it
        return [update async for update in updates]

    last = asyncio.run(told("tab"))[-1]
    rates = panels.rates
    shown = last[rates.chart]
    assert shown.suggested is not None, shown.status
    assert len(shown.rates) == len(shown.losses) > 50
    visible = [last[button]["visible"] for button in (rates.start, rates.stop, rates.use)]
    assert visible == [True, False, True]
    assert len(page.tabs) == 0
    assert asyncio.run(told("another")) == [last]  # as after a reload
    state = page.visit(token).state
    assert (state.dataset_id, state.run_id) == (None, None)  # a search decides nothing


@pytest.mark.parametrize(
    ("search", "status"),
    [
        (seen("waiting", position=3), "Waiting: 2 others go first."),
        (seen("running"), "Loading the backbone."),
        (seen("running", DownloadProgress(3_000_000, 45_000_000)), "3 MB of 45 MB"),
        (
            seen("running", RateSweep(config=TrainConfig(), pictures_done=3, pictures_total=9)),
            "Looking at picture 3 of 9.",
        ),
        (
            seen("running", replace(sweep(done=30), seconds_left=12.2)),
            "Step 30 of 100, at rate 0.00011. About 12 s left.",
        ),
        (seen("finished", sweep()), "EfficientNet-Lite0, head only: the search is over after 80"),
        (seen("stopped", replace(sweep(), suggested_rate=None)), "Stopped"),
        (
            seen("failed", message=verbatim("It is gone."), hint=verbatim("Bring it.")),
            "It is gone. Bring it.",
        ),
    ],
)
def test_every_state_is_told(chart: Any, search: Experiment, status: str) -> None:
    value = chart(search)
    assert status in value.status
    assert (value.is_running, value.is_problem) == (not search.is_over, search.state == "failed")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({}, "There the loss falls fastest"),
        ({"rule": "tenth", "steepest_rate": 0.05}, "too near"),
        ({"rule": "tenth", "steepest_rate": 2e-5}, "no more than noise"),
        ({"rule": "safe tenth", "safe_rate": 0.04}, "a tenth of 0.04"),
        ({"rule": "safe", "safe_rate": 0.004}, "the highest rate that does no harm"),
    ],
)
def test_the_reason_is_a_sentence_with_its_figures(
    chart: Any, change: dict[str, Any], sentence: str
) -> None:
    why = chart(seen("finished", replace(sweep(), reason=replace(REASON, **change)))).why
    assert why.startswith("**Take 0.004.**")
    assert sentence in why


def test_a_rate_below_the_default_says_what_to_do_about_the_default(chart: Any) -> None:
    careful = replace(REASON, rule="safe", safe_rate=2e-4)
    value = replace(sweep(STARTED), suggested_rate=2e-4, reason=careful)
    below = chart(seen("finished", value)).why
    assert "The default is higher, 0.0003" in below
    assert "Train once with each, and let Compare runs decide." in below
    above = replace(value, suggested_rate=4e-4)
    assert "default" not in chart(seen("finished", above)).why


def test_where_several_rates_change_each_is_told(chart: Any) -> None:
    why = chart(seen("finished", sweep(STARTED))).why
    assert "learning rate of the head" in why
    assert "in proportion, to 0.013" in why
    assert "proportion" not in chart(seen("finished", sweep())).why


def test_the_axis_ends_with_the_search(chart: Any) -> None:
    assert chart(seen("finished", sweep(done=45))).range == (LOWEST_RATE, 0.01)
    running = replace(sweep(done=45), is_over=False)
    assert chart(seen("running", running)).range == (LOWEST_RATE, HIGHEST_RATE)


def test_no_suggestion_says_what_to_do(chart: Any) -> None:
    lost = replace(sweep(done=0), suggested_rate=None, reason=None)
    assert "default settings" in chart(seen("finished", lost)).why


def test_without_a_search_there_is_an_invitation(chart: Any) -> None:
    assert chart(None) == RateChartValue(status=str(words.INVITATION))
