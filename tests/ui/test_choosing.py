"""The Train zone's settings on the page: what meets what, when answers come late."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from tests.runs.examples import make_record, make_row
from tests.ui.test_rate_finder import TOKEN, panel, values_of  # noqa: F401  # a fixture
from tlapp.data.dataset import Dataset
from tlapp.runs.live import LiveRun
from tlapp.training.config import TrainConfig
from tlapp.ui.panels import choosing
from tlapp.ui.panels.choices import chosen_config, remember
from tlapp.ui.panels.train import button_updates
from tlapp.ui.panels.train_panel import TrainPanel
from tlapp.ui.session import Page

LAST = TrainConfig(freeze="last:1")


class FakeTiming:
    """Is busy so many times, then measures."""

    def __init__(self, busy: int = 0, on_measure: Callable[[], None] = lambda: None) -> None:
        self.busy, self.on_measure = busy, on_measure
        self.asked = 0

    def can_measure(self, config: TrainConfig) -> bool:
        return not config.is_head_alone

    def measure_epoch(self, dataset: Dataset, config: TrainConfig, **_: Any) -> bool:
        self.asked += 1
        self.on_measure()
        return self.asked > self.busy


@pytest.fixture
def measure(
    page: Page, token: str, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> Callable[[FakeTiming, TrainConfig], Any]:
    """What the page gets when these settings are shown and an epoch is to be timed."""
    monkeypatch.setattr(choosing, "shown_dataset", lambda page, owner: dataset)
    monkeypatch.setattr(choosing, "LOOK_SECONDS", 0.0)

    def measure(timing: FakeTiming, config: TrainConfig) -> Any:
        owner = page.owner_of(token)
        remember(page, owner, config)
        for name in ("can_measure", "measure_epoch"):
            monkeypatch.setattr(page.workspace.models, name, getattr(timing, name))
        return asyncio.run(choosing.measure_epoch(page, token))

    return measure


def test_a_time_that_was_measured_comes_with_the_settings_it_is_for(measure: Any) -> None:
    timing = FakeTiming(busy=3)
    update = measure(timing, LAST)
    assert timing.asked == 4
    assert update["measured"]["of"] == choosing.widget_values.untried(LAST)
    assert "parameters learn" in update["measured"]["sentence"]
    assert "value" not in update  # it does not undo what was chosen meanwhile


def test_nobody_waits_for_the_time_of_settings_that_are_gone(
    page: Page, token: str, measure: Any
) -> None:
    def choose_another() -> None:
        other = replace(LAST, batch_size=2)
        remember(page, page.owner_of(token), other)

    timing = FakeTiming(busy=1_000_000, on_measure=choose_another)
    measure(timing, LAST)
    assert timing.asked == 1


def test_for_the_head_alone_nothing_is_measured(measure: Any) -> None:
    timing = FakeTiming()
    assert "measured" not in measure(timing, TrainConfig())
    assert timing.asked == 0


def test_what_is_pressed_while_the_page_is_filled_is_not_undone(
    page: Page,
    panel: TrainPanel,  # noqa: F811  # a fixture as above
    token: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = page.owner_of(token)
    make, made = choosing._ladder, []

    def slowly(page: Page, owner: str, config: TrainConfig) -> Any:
        if not made:
            remember(page, owner, LAST)
        made.append(config)
        return make(page, owner, config)

    monkeypatch.setattr(choosing, "_ladder", slowly)
    _, ladder, *_ = choosing.show(page, panel, owner)
    assert made == [TrainConfig(), LAST]
    assert [stage.name for stage in ladder.stages if stage.rate is not None] == ["top"]


def test_a_rate_is_not_kept_beside_rates_of_stages_that_the_backbone_has_not(
    page: Page,
    panel: TrainPanel,  # noqa: F811  # a fixture as above
    token: str,
) -> None:
    """Another tab chose another backbone, with a rate for a stage of its own."""
    owner = page.owner_of(token)
    remember(page, owner, replace(LAST, stage_rates=(("top", 1e-4),)))
    shown = TrainConfig(backbone="resnet18", freeze="last:1")
    event: Any = SimpleNamespace(stage="layer4", rate=2e-4)
    choosing.change_rate(page, panel, TOKEN, values_of(page, panel, token, shown), event)
    assert chosen_config(page, owner).stage_rates == (("layer4", 2e-4),)
    choosing.show(page, panel, owner)


@pytest.mark.parametrize(
    "kept",
    [replace(LAST, stage_rates=(("gone", 1e-4),)), TrainConfig(backbone="gone_net")],
)
def test_settings_that_another_version_kept_are_passed_over(
    page: Page,
    panel: TrainPanel,  # noqa: F811  # a fixture as above
    token: str,
    kept: TrainConfig,
) -> None:
    owner = page.owner_of(token)
    remember(page, owner, kept)
    assert chosen_config(page, owner) == TrainConfig()
    choosing.show(page, panel, owner)


def test_other_pictures_fill_the_ladder_and_no_field(
    page: Page,
    panel: TrainPanel,  # noqa: F811  # a fixture as above
    token: str,
) -> None:
    owner = page.owner_of(token)
    remember(page, owner, LAST)
    filled = dict(zip(panel.for_pictures(), choosing.show_for_pictures(page, owner), strict=True))
    assert set(filled).isdisjoint(panel.form.components())
    assert [stage.name for stage in filled[panel.ladder].stages if stage.rate is not None] == [
        "top"
    ]
    assert filled[panel.train] == filled[panel.rates.start] == gr.update(interactive=False)


@pytest.mark.parametrize(("last_phase", "can_tune"), [(1, True), (2, False)])
def test_a_head_can_be_fine_tuned_although_a_phase_after_it_was_stopped_before_it_began(
    last_phase: int, can_tune: bool
) -> None:
    record = make_record(
        state="stopped",
        config=asdict(LAST),
        earlier_phases=(asdict(TrainConfig()),),
        epochs=(make_row(1, phase=1), make_row(2, phase=last_phase)),
        best_epoch=1,
    )
    *_, fine_tune = button_updates(LiveRun(record=record, phase="done"))
    assert fine_tune["visible"] is can_tune
