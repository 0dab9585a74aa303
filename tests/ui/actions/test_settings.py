"""What choosing settings keeps, refuses and measures."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.ui.filled import locked_stages, settings_form
from tlapp.data.dataset import Dataset
from tlapp.errors import BackboneError, TrainingError
from tlapp.messages import verbatim
from tlapp.settings import LOCAL_LIMITS
from tlapp.training.config import TrainConfig
from tlapp.training.presets import defaults, fine_tuning
from tlapp.ui.actions import settings as actions
from tlapp.ui.page import Page
from tlapp.workspace import DownloadState

LAST = TrainConfig(freeze="last:1")


def kept(page: Page, token: str) -> TrainConfig:
    """The settings that the visitor's page shows from now on."""
    return page.visit(token).config


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


Measure = Callable[[FakeTiming, TrainConfig], list[TrainConfig]]


@pytest.fixture
def measure(page: Page, token: str, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> Measure:
    """What comes of it when these settings are on the page and an epoch is to be timed."""
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    monkeypatch.setattr(actions, "LOOK_SECONDS", 0.0)

    def measure(timing: FakeTiming, config: TrainConfig) -> list[TrainConfig]:
        page.visit(token).keep(config=config)
        for name in ("can_measure", "measure_epoch"):
            monkeypatch.setattr(page.workspace.models, name, getattr(timing, name))

        async def measured() -> list[TrainConfig]:
            return [each async for each in actions.measure_epoch(page.visit(token))]

        return asyncio.run(measured())

    return measure


def test_an_epoch_is_timed_as_soon_as_the_machine_is_free(measure: Measure) -> None:
    timing = FakeTiming(busy=3)
    assert measure(timing, LAST) == [LAST]
    assert timing.asked == 4


def test_nobody_waits_for_the_time_of_settings_that_are_gone(
    page: Page, token: str, measure: Measure
) -> None:
    def choose_another() -> None:
        page.visit(token).keep(config=replace(LAST, batch_size=2))

    timing = FakeTiming(busy=1_000_000, on_measure=choose_another)
    assert measure(timing, LAST) == []
    assert timing.asked == 1


def test_for_the_head_alone_nothing_is_measured(measure: Measure) -> None:
    timing = FakeTiming()
    assert measure(timing, TrainConfig()) == []
    assert timing.asked == 0


def test_on_a_machine_that_stays_busy_the_waiting_has_an_end(
    measure: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MOST_WAITED_SECONDS", -1.0)
    timing = FakeTiming(busy=1_000_000)
    assert measure(timing, LAST) == []
    assert timing.asked == 1


def test_a_rate_is_not_kept_beside_rates_of_stages_that_the_backbone_has_not(
    page: Page, token: str
) -> None:
    """Another tab chose another backbone, with a rate for a stage of its own."""
    page.visit(token).keep(config=replace(LAST, stage_rates=(("top", 1e-4),)))
    shown = TrainConfig(backbone="resnet18", freeze="last:1")
    form = actions.StageRate(stage="layer4", rate=2e-4, settings=settings_form(page, shown))
    actions.change_rate(page.visit(token), form)
    assert kept(page, token).stage_rates == (("layer4", 2e-4),)


def test_a_stage_gets_a_rate_of_its_own_and_loses_it_again(page: Page, token: str) -> None:
    form = actions.StageRate(stage="top", rate=2e-4, settings=settings_form(page, LAST))
    actions.change_rate(page.visit(token), form)
    assert kept(page, token) == replace(LAST, stage_rates=(("top", 2e-4),))
    actions.change_rate(page.visit(token), replace(form, rate=None))
    assert kept(page, token) == LAST


@pytest.mark.parametrize(("stage", "rate"), [("gone", 1e-4), ("top", -1), ("top", "fast")])
def test_a_rate_that_cannot_be_is_refused_and_nothing_is_kept(
    page: Page, token: str, stage: str, rate: object
) -> None:
    form = actions.StageRate(stage=stage, rate=rate, settings=settings_form(page, LAST))
    with pytest.raises(TrainingError):
        actions.change_rate(page.visit(token), form)
    assert page.visit(token).state.config is None


@pytest.mark.parametrize(
    "other", [replace(LAST, stage_rates=(("gone", 1e-4),)), TrainConfig(backbone="gone_net")]
)
def test_settings_that_another_version_kept_are_passed_over(
    page: Page, token: str, other: TrainConfig
) -> None:
    page.visit(token).keep(config=other)
    assert kept(page, token) == TrainConfig()


def test_fields_are_kept_as_they_are_touched(page: Page, token: str) -> None:
    actions.change_settings(page.visit(token), settings_form(page, LAST, epochs=7, dropout=0.25))
    assert kept(page, token) == replace(LAST, epochs=7, dropout=0.25)


@pytest.mark.parametrize("freeze", ["head", "last:2", "none"])
def test_untouched_fields_stand_for_the_defaults(page: Page, token: str, freeze: str) -> None:
    config = TrainConfig(backbone="resnet18", freeze=freeze)
    assert settings_form(page, config).config(page.visit(token)) == config


def test_an_empty_field_means_its_default(page: Page, token: str) -> None:
    form = settings_form(page, TrainConfig(), epochs=None)
    assert form.config(page.visit(token)).epochs == TrainConfig().epochs


def test_a_whole_number_may_come_as_a_float(page: Page, token: str) -> None:
    epochs = settings_form(page, TrainConfig(), epochs=7.0).config(page.visit(token)).epochs
    assert (epochs, type(epochs)) == (7, int)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("epochs", 0, "number of epochs"),
        ("epochs", 2.5, "number of epochs"),
        ("epochs", 1001, "number of epochs cannot be 1001"),
        ("epochs", 20_000, "number of epochs cannot be 20000"),
        ("head_epochs", 5000, "number of epochs of the head alone cannot be 5000"),
        ("learning_rate", -1, "learning rate"),
        ("seed", -5, "seed"),
        ("dropout", 1, "dropout"),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_its_name(
    page: Page, token: str, field: str, value: float, words: str
) -> None:
    form = settings_form(page, TrainConfig(), **{field: value})
    with pytest.raises(TrainingError, match=words) as caught:
        actions.change_settings(page.visit(token), form)
    assert caught.value.hint.template.startswith("Choose")
    with pytest.raises(TrainingError, match=words):
        actions.check_field(field, value, LOCAL_LIMITS)
    assert page.visit(token).state.config is None


def test_a_field_alone_may_be_empty_or_good(page: Page) -> None:
    actions.check_field("epochs", None, LOCAL_LIMITS)
    actions.check_field("epochs", 7.0, LOCAL_LIMITS)


def test_another_backbone_takes_over_what_it_can(page: Page, token: str) -> None:
    page.visit(token).keep(config=replace(LAST, stage_rates=(("top", 1e-4),), seed=3))
    actions.choose_backbone(page.visit(token), "resnet18")
    assert kept(page, token) == replace(LAST, backbone="resnet18", seed=3)


def test_locks_that_another_backbone_has_not_give_way_to_the_defaults(
    page: Page, token: str
) -> None:
    page.visit(token).keep(config=TrainConfig(freeze="stage 6", seed=3))
    actions.choose_backbone(page.visit(token), "resnet18")
    assert kept(page, token) == TrainConfig(backbone="resnet18", seed=3)


def test_there_is_no_backbone_of_that_name(page: Page, token: str) -> None:
    with pytest.raises(BackboneError):
        actions.choose_backbone(page.visit(token), "gone_net")


def test_between_the_head_alone_and_more_the_fields_take_other_defaults(
    page: Page, token: str
) -> None:
    locked = locked_stages(page, LAST)
    form = replace(settings_form(page, TrainConfig(), seed=5, epochs=7), locked=locked)
    page.visit(token).keep(config=TrainConfig(seed=5, epochs=7))
    actions.change_locks(page.visit(token), form)
    assert kept(page, token) == defaults("last:1", backbone=LAST.backbone, seed=5)
    form = replace(form, locked=(), fields=settings_form(page, LAST, epochs=7).fields)
    actions.change_locks(page.visit(token), form)
    assert kept(page, token) == replace(LAST, freeze="none", epochs=7)  # fields stay


def test_a_usual_choice_is_taken_whole_and_no_other(page: Page, token: str) -> None:
    page.visit(token).keep(config=TrainConfig(backbone="resnet18", dropout=0.1, seed=4))
    actions.choose_preset(page.visit(token), "no such choice")
    assert kept(page, token).dropout == 0.1
    actions.choose_preset(page.visit(token), "last")
    assert kept(page, token) == fine_tuning("last:1", backbone="resnet18", seed=4)


def test_the_defaults_come_back_for_what_is_chosen_to_learn(page: Page, token: str) -> None:
    page.visit(token).keep(config=replace(LAST, backbone="resnet18", epochs=99, seed=4))
    actions.reset_settings(page.visit(token))
    assert kept(page, token) == defaults("last:1", backbone="resnet18")


class FakeDownloads:
    """A download of which each look finds the next state."""

    def __init__(self, *states: Any) -> None:
        self._states = iter(states)
        self.started: list[str] = []

    def start(self, name: str) -> None:
        self.started.append(name)

    def state(self, name: str) -> DownloadState:
        return DownloadState(
            backbone_name=name,
            state=next(self._states),
            message=verbatim("It broke off."),
            hint=verbatim("Again."),
        )

    def listen(self, name: str, wake: Callable[[], object]) -> Callable[[], None]:
        wake()
        return lambda: None


def _download(page: Page, token: str, monkeypatch: pytest.MonkeyPatch, *states: str) -> list[str]:
    monkeypatch.setattr("tlapp.ui.tabs.UPDATE_SECONDS", 0.0)
    monkeypatch.setattr("tlapp.ui.tabs.SILENCE_SECONDS", 0.0)
    models = SimpleNamespace(downloads=FakeDownloads(*states))
    monkeypatch.setattr(page.workspace, "models", models)
    told = []

    async def follow() -> None:
        async for state in actions.download(page.visit(token), "resnet18"):
            told.append(state.state)

    try:
        asyncio.run(follow())
    finally:
        assert models.downloads.started == ["resnet18"]
        assert tuple(told) == states
    return told


def test_a_download_is_told_until_it_is_over(
    page: Page, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _download(page, token, monkeypatch, "waiting", "running", "finished")


def test_a_download_that_failed_is_told_and_refused(
    page: Page, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BackboneError, match="It broke off"):
        _download(page, token, monkeypatch, "running", "failed")
