"""The learning-rate finder on the page: what is shown, and what one press takes over."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from tests.workspace.conftest import PATIENCE_SECONDS
from tlapp.backbones.weights import DownloadProgress
from tlapp.data.dataset import Dataset
from tlapp.errors import DataError, TrainingError
from tlapp.experiments.lr_finder import HIGHEST_RATE, LOWEST_RATE, RATES, RateReason, RateSweep
from tlapp.training.config import TrainConfig
from tlapp.training.freezing import plan_stages
from tlapp.ui.panels import rate_finder, train
from tlapp.ui.panels.choices import chosen_config, remember
from tlapp.ui.panels.form import field_values
from tlapp.ui.panels.train_panel import TrainPanel
from tlapp.ui.session import Page
from tlapp.ui.text import rate_finder as words
from tlapp.workspace import RATE_FINDER, Experiment, new_visitor

TOKEN = gr.State()  # stands for the component that holds the visitor's token
REASON = RateReason(
    rule="steepest",
    first_loss=2.3,
    steepest_rate=0.004,
    lowest_rate=0.09,
    lowest_loss=0.2,
    safe_rate=0.3,
)


def sweep(config: TrainConfig | None = None, *, done: int = 80) -> RateSweep:
    """A search that is over, with 0.004 as what it suggests."""
    return RateSweep(
        config=config or TrainConfig(),
        rates=RATES[:done],
        losses=tuple(2.3 - 0.01 * step for step in range(done)),
        done=done,
        is_over=True,
        ended_early=True,
        suggested_rate=0.004,
        reason=REASON,
    )


def seen(state: Any, value: Any = None, **more: Any) -> Experiment:
    return Experiment(experiment_id="e", kind=RATE_FINDER, state=state, value=value, **more)


@pytest.fixture
def panel(page: Page) -> TrainPanel:
    with gr.Blocks():
        return train.build(page)


def values_of(page: Page, panel: TrainPanel, token: str, config: TrainConfig) -> dict[Any, Any]:
    """What the browser sends when the page shows these settings."""
    stages = page.workspace.models.sketch(config.backbone).stages
    locked = tuple(plan.stage.name for plan in plan_stages(stages, config) if plan.is_frozen)
    fields = zip(panel.form.components(), field_values(panel.form, config), strict=True)
    return {TOKEN: token, panel.cards: config.backbone, panel.ladder: locked, **dict(fields)}


def found(page: Page, owner: str, value: RateSweep) -> None:
    """The visitor's newest search has found this."""
    experiments = page.workspace.experiments
    experiment_id = experiments.start(owner, RATE_FINDER, lambda should_stop: iter([value]))
    assert experiments.wait(experiment_id, PATIENCE_SECONDS)


def use(page: Page, panel: TrainPanel, token: str, config: TrainConfig) -> TrainConfig:
    """Press Use it with these settings on the page; the settings afterwards."""
    filled = rate_finder.use(page, panel, TOKEN, values_of(page, panel, token, config))
    after = chosen_config(page, page.owner_of(token))
    assert tuple(update["value"] for update in filled[1:]) == field_values(panel.form, after)
    return after


def test_one_press_takes_the_rate_and_nothing_else(
    page: Page, panel: TrainPanel, token: str
) -> None:
    found(page, page.owner_of(token), sweep())
    config = TrainConfig(epochs=7, dropout=0.2)
    after = use(page, panel, token, config)
    assert after.learning_rate == 0.004
    assert after == replace(config, learning_rate=0.004, backbone_learning_rate=0.0004)


def test_stages_keep_their_share_of_the_rate(page: Page, panel: TrainPanel, token: str) -> None:
    owner = page.owner_of(token)
    top = page.workspace.models.sketch("efficientnet_lite0").stages[-1].name
    config = TrainConfig(
        freeze="last:2",
        learning_rate=1e-3,
        backbone_learning_rate=3e-4,
        stage_rates=((top, 2e-5),),
    )
    remember(page, owner, config)
    found(page, owner, sweep(config))
    after = use(page, panel, token, config)
    assert (after.learning_rate, after.backbone_learning_rate) == (0.004, 0.0012)
    assert after.stage_rates == ((top, 8e-5),)


@pytest.mark.parametrize(
    "change", [{"freeze": "none"}, {"optimizer": "sgd"}, {"pretrained": False}]
)
def test_a_rate_for_other_settings_is_not_taken(
    page: Page, panel: TrainPanel, token: str, change: dict[str, Any]
) -> None:
    found(page, page.owner_of(token), sweep())
    with pytest.raises(TrainingError, match="other settings"):
        use(page, panel, token, TrainConfig(**change))


def test_it_is_offered_for_the_settings_that_it_was_found_for(page: Page, token: str) -> None:
    def offered() -> tuple[Any, Any]:
        update = rate_finder.use_update(page, owner)
        return update["visible"], update.get("interactive")

    owner = page.owner_of(token)
    assert offered() == (False, None)
    found(page, owner, sweep())
    assert offered() == (True, True)
    remember(page, owner, TrainConfig(freeze="last:2"))
    assert offered() == (True, False)
    assert "other settings" in rate_finder.use_update(page, owner)["value"]


def test_a_rate_found_after_a_trained_head_is_not_for_an_untrained_one(
    page: Page, panel: TrainPanel, token: str
) -> None:
    owner = page.owner_of(token)
    after, at_once = (TrainConfig(freeze="none", head_epochs=epochs) for epochs in (30, 0))
    for is_after_head, fitting, other in ((True, after, at_once), (False, at_once, after)):
        value = replace(sweep(replace(after, head_epochs=0)), is_after_head=is_after_head)
        found(page, owner, value)
        assert use(page, panel, token, fitting).learning_rate == 0.004
        with pytest.raises(TrainingError, match="other settings"):
            use(page, panel, token, other)


def test_without_a_suggestion_there_is_nothing_to_take(
    page: Page, panel: TrainPanel, token: str
) -> None:
    with pytest.raises(TrainingError, match="No learning rate"):
        use(page, panel, token, TrainConfig())
    found(page, page.owner_of(token), replace(sweep(), suggested_rate=None))
    with pytest.raises(TrainingError, match="No learning rate"):
        use(page, panel, token, TrainConfig())


def test_nobody_takes_what_somebody_else_has_found(
    page: Page, panel: TrainPanel, token: str
) -> None:
    found(page, page.owner_of(token), sweep())
    with pytest.raises(TrainingError, match="No learning rate"):
        use(page, panel, new_visitor(), TrainConfig())


def test_a_search_needs_pictures(page: Page, panel: TrainPanel, token: str) -> None:
    with pytest.raises(DataError):
        rate_finder.start(page, panel, TOKEN, values_of(page, panel, token, TrainConfig()))


def test_a_search_is_started_followed_and_found_again(
    page: Page, panel: TrainPanel, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = new_visitor()
    owner = page.owner_of(token)
    monkeypatch.setattr(rate_finder, "shown_dataset", lambda page, owner: dataset)
    rate_finder.start(page, panel, TOKEN, values_of(page, panel, token, TrainConfig()))
    request: Any = SimpleNamespace(session_hash="tab")

    async def follow() -> list[tuple[Any, ...]]:
        return [update async for update in rate_finder.follow(page, token, request)]

    told = asyncio.run(follow())
    chart, start, stop, take = told[-1]
    assert chart.suggested is not None, chart.status
    assert len(chart.rates) == len(chart.losses) > 50
    assert (start["visible"], stop["visible"], take["visible"]) == (True, False, True)
    assert len(page.watchers) == 0
    assert asyncio.run(follow()) == [told[-1]]  # as after a reload
    state = page.workspace.of(owner).state()
    assert (state.dataset_id, state.run_id) == (None, None)


def test_stop_ends_it(page: Page, token: str) -> None:
    rate_finder.stop(page, token)  # harmless without a search
    experiments = page.workspace.experiments

    def values(should_stop: Any) -> Any:
        while not should_stop():
            yield replace(sweep(done=12), is_over=False, suggested_rate=None)

    experiment_id = experiments.start(page.owner_of(token), RATE_FINDER, values)
    rate_finder.stop(page, token)
    assert experiments.wait(experiment_id, PATIENCE_SECONDS)
    offered = rate_finder.use_update(page, page.owner_of(token))
    chart, *buttons = rate_finder.show(experiments.look(experiment_id), use=offered)
    assert "Stopped" in chart.status
    assert [button["visible"] for button in buttons] == [True, False, False]


@pytest.mark.parametrize(
    ("experiment", "status"),
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
        (seen("failed", message="It is gone.", hint="Bring it."), "It is gone. Bring it."),
    ],
)
def test_every_state_is_told(experiment: Experiment, status: str) -> None:
    assert status in words.status_of(experiment)
    rate_finder.show(experiment, use=None)


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
def test_the_reason_is_a_sentence_with_its_figures(change: dict[str, Any], sentence: str) -> None:
    told = words.why(replace(sweep(), reason=replace(REASON, **change)))
    assert told.startswith("**Take 0.004.**")
    assert sentence in told


def test_a_rate_below_the_default_says_what_to_do_about_the_default() -> None:
    config = TrainConfig(freeze="last:2", learning_rate=3e-4, backbone_learning_rate=1e-3)
    careful = replace(REASON, rule="safe", safe_rate=2e-4)
    below = words.why(replace(sweep(config), suggested_rate=2e-4, reason=careful))
    assert "The default is higher, 0.0003" in below
    assert "Train once with each, and let Compare runs decide." in below
    assert "default" not in words.why(replace(sweep(config), suggested_rate=4e-4, reason=careful))


def test_where_several_rates_change_each_is_told() -> None:
    config = TrainConfig(freeze="last:2", learning_rate=3e-4, backbone_learning_rate=1e-3)
    told = words.why(sweep(config))
    assert "learning rate of the head" in told
    assert "in proportion, to 0.013" in told
    assert "proportion" not in words.why(sweep())


def test_the_axis_ends_with_the_search() -> None:
    assert rate_finder._chart(seen("finished", sweep(done=45))).range == (LOWEST_RATE, 0.01)
    running = replace(sweep(done=45), is_over=False)
    assert rate_finder._chart(seen("running", running)).range == (LOWEST_RATE, HIGHEST_RATE)


def test_no_suggestion_says_what_to_do() -> None:
    lost = replace(sweep(done=0), suggested_rate=None, reason=None)
    assert "default settings" in words.why(lost)
