"""What Train, Stop, Go on and Fine-tune do, and the search for their rate."""

from dataclasses import replace
from typing import Any

import pytest

from tests.ui.filled import settings_form
from tests.ui.searches import found, sweep
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining, wait_until
from tlapp.data.dataset import Dataset
from tlapp.errors import DataError, JobError, RunError, ServerError, TrainingError
from tlapp.messages import ENGLISH, verbatim, words
from tlapp.runs.record import RunRecord
from tlapp.training.config import TrainConfig
from tlapp.ui.actions import training as actions
from tlapp.ui.page import Page
from tlapp.ui.text.tuning import fine_tuned_name
from tlapp.workspace import RATE_FINDER, VisitorState, new_visitor

REFUSAL = ServerError(
    verbatim("The disk of this machine is full."), hint=verbatim("Remove something.")
)


def kept(page: Page, token: str) -> TrainConfig:
    """The settings that the visitor's page shows from now on."""
    return page.visit(token).config


def shown_run(page: Page, token: str) -> str:
    """The run on the page."""
    run = page.visit(token).run
    assert run is not None
    return run.record.run_id


def stopped(page: Page, run_id: str) -> RunRecord:
    """The run, after it was asked to stop."""
    page.workspace.trainings.stop(run_id)
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    return page.workspace.run(run_id)


# --- Train -------------------------------------------------------------------------------------


def test_train_accepts_the_pictures_keeps_the_settings_and_shows_the_run(
    page: Page, token: str, dataset: Dataset, steps: StepTraining
) -> None:
    page.visit(token).keep(pending_dataset_id=dataset.dataset_id)
    config = TrainConfig(epochs=3)
    actions.start(page.visit(token), settings_form(page, config))
    run_id = shown_run(page, token)
    assert page.visit(token).state == VisitorState(
        dataset_id=dataset.dataset_id, run_id=run_id, config=config
    )
    assert page.workspace.run(run_id).config["epochs"] == 3


def test_train_needs_pictures(page: Page, token: str) -> None:
    with pytest.raises(DataError):
        actions.start(page.visit(token), settings_form(page, TrainConfig()))


def test_a_refused_training_accepts_no_pictures(
    page: Page, token: str, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    page.workspace.trainings.start(owner, dataset, TrainConfig())
    page.visit(token).keep(pending_dataset_id=dataset.dataset_id)
    with pytest.raises(JobError):
        actions.start(page.visit(token), settings_form(page, TrainConfig()))
    state = page.visit(token).state
    assert (state.dataset_id, state.pending_dataset_id) == (None, dataset.dataset_id)
    assert state.run_id is None


@pytest.mark.parametrize("kept_before", [1, 2], ids=["the pictures", "the run"])
def test_a_training_that_the_page_cannot_keep_is_stopped_again(
    page: Page,
    token: str,
    owner: str,
    dataset: Dataset,
    steps: StepTraining,
    monkeypatch: pytest.MonkeyPatch,
    kept_before: int,
) -> None:
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    keep, calls = page.workspace.visitors.change, []

    def refuse(*arguments: Any) -> VisitorState:
        calls.append(arguments)
        if len(calls) > kept_before:
            raise REFUSAL
        return keep(*arguments)

    monkeypatch.setattr(page.workspace.visitors, "change", refuse)
    with pytest.raises(ServerError):
        actions.start(page.visit(token), settings_form(page, TrainConfig()))
    (record,) = page.workspace.of(owner).runs()
    assert page.workspace.trainings.wait(record.run_id, PATIENCE_SECONDS)
    assert page.workspace.run(record.run_id).state == "stopped"


# --- Stop and Go on ----------------------------------------------------------------------------


def test_stop_ends_the_run_on_the_page_and_nothing_where_there_is_none(
    page: Page, token: str, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    actions.stop(page.visit(token))
    run_id = page.workspace.trainings.start(owner, dataset, TrainConfig())
    page.visit(token).keep(run_id=run_id)
    actions.stop(page.visit(token))
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    assert page.workspace.run(run_id).state == "stopped"


def test_nobody_stops_somebody_elses_run(
    page: Page, token: str, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    run_id = page.workspace.trainings.start(owner, dataset, TrainConfig())
    stranger = new_visitor()
    page.visit(stranger).keep(run_id=run_id)
    actions.stop(page.visit(stranger))
    steps.step()
    wait_until(page.workspace, run_id, lambda live: live.record.epochs)
    steps.finish()
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    assert page.workspace.run(run_id).state == "finished"


def test_without_a_run_there_is_nothing_to_go_on_from(page: Page, token: str) -> None:
    with pytest.raises(RunError):
        actions.resume(page.visit(token))
    with pytest.raises(RunError):
        actions.fine_tune(page.visit(token), settings_form(page, TrainConfig()))


# --- Fine-tune ---------------------------------------------------------------------------------


def head(page: Page, token: str, dataset: Dataset, config: TrainConfig) -> RunRecord:
    """A finished run of the head, shown on the page."""
    run_id = page.workspace.trainings.start(dataset.owner, dataset, config)
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    page.visit(token).keep(run_id=run_id)
    return page.workspace.run(run_id)


def tune(page: Page, token: str, shown: TrainConfig) -> RunRecord:
    """Press Fine-tune with these settings on the page; the run that it begins, stopped again."""
    actions.fine_tune(page.visit(token), settings_form(page, shown))
    return stopped(page, shown_run(page, token))


@pytest.mark.parametrize("pretrained", [True, False])
def test_by_itself_fine_tuning_opens_the_last_two_stages(
    page: Page, token: str, dataset: Dataset, pretrained: bool
) -> None:
    first = head(page, token, dataset, TrainConfig(epochs=2, pretrained=pretrained))
    record = tune(page, token, TrainConfig())
    after = kept(page, token)
    assert record.config["freeze"] == after.freeze == "last:2"
    assert record.config["pretrained"] == after.pretrained == pretrained
    assert record.name == f"{first.name}, fine-tuned"


def test_fine_tuning_opens_what_the_ladder_opens(page: Page, token: str, dataset: Dataset) -> None:
    first = head(page, token, dataset, TrainConfig(epochs=2))
    shown = TrainConfig(freeze="last:1", epochs=3, learning_rate=2e-4)
    page.visit(token).keep(config=shown)
    record = tune(page, token, shown)
    assert (record.config["freeze"], record.config["epochs"]) == ("last:1", 3)
    assert kept(page, token) == shown
    assert record.continues == first.run_id


@pytest.mark.parametrize(
    "shown",
    [
        TrainConfig(freeze="none", pretrained=False, epochs=3),
        TrainConfig(backbone="resnet18", freeze="last:1", epochs=3),
    ],
    ids=["from scratch", "another backbone"],
)
def test_what_is_open_for_another_network_is_not_taken(
    page: Page, token: str, dataset: Dataset, shown: TrainConfig
) -> None:
    head(page, token, dataset, TrainConfig(epochs=2))
    page.visit(token).keep(config=shown)
    record = tune(page, token, shown)
    assert (record.config["freeze"], record.config["pretrained"]) == ("last:2", True)
    assert kept(page, token).backbone == "efficientnet_lite0"


def test_a_run_that_was_stopped_goes_on(page: Page, token: str, dataset: Dataset) -> None:
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    config = TrainConfig(freeze="last:1", epochs=900, batch_size=2)
    actions.start(page.visit(token), settings_form(page, config))
    first = shown_run(page, token)
    wait_until(page.workspace, first, lambda live: live.record.epochs)
    assert stopped(page, first).state == "stopped"
    actions.resume(page.visit(token))
    second = shown_run(page, token)
    assert second != first
    assert stopped(page, second).continues == first


def test_a_name_says_once_that_it_is_fine_tuned() -> None:
    english = words(ENGLISH)
    assert fine_tuned_name(fine_tuned_name("Pets", english), english) == "Pets, fine-tuned"


# --- The search for a rate ---------------------------------------------------------------------


def use(page: Page, token: str, config: TrainConfig) -> TrainConfig:
    """Press Use it with these settings on the page; the settings afterwards."""
    actions.use_rate(page.visit(token), settings_form(page, config))
    return kept(page, token)


def test_one_press_takes_the_rate_and_nothing_else(page: Page, token: str, owner: str) -> None:
    found(page, owner, sweep())
    config = TrainConfig(epochs=7, dropout=0.2)
    after = use(page, token, config)
    assert after.learning_rate == 0.004
    assert after == replace(config, learning_rate=0.004, backbone_learning_rate=0.0004)


def test_stages_keep_their_share_of_the_rate(page: Page, token: str, owner: str) -> None:
    top = page.workspace.models.sketch("efficientnet_lite0").stages[-1].name
    config = TrainConfig(
        freeze="last:2",
        learning_rate=1e-3,
        backbone_learning_rate=3e-4,
        stage_rates=((top, 2e-5),),
    )
    page.visit(token).keep(config=config)
    found(page, owner, sweep(config))
    after = use(page, token, config)
    assert (after.learning_rate, after.backbone_learning_rate) == (0.004, 0.0012)
    assert after.stage_rates == ((top, 8e-5),)


@pytest.mark.parametrize(
    "change", [{"freeze": "none"}, {"optimizer": "sgd"}, {"pretrained": False}]
)
def test_a_rate_for_other_settings_is_not_taken(
    page: Page, token: str, owner: str, change: dict[str, Any]
) -> None:
    found(page, owner, sweep())
    with pytest.raises(TrainingError, match="other settings"):
        use(page, token, TrainConfig(**change))


def test_a_rate_found_after_a_trained_head_is_not_for_an_untrained_one(
    page: Page, token: str, owner: str
) -> None:
    after, at_once = (TrainConfig(freeze="none", head_epochs=epochs) for epochs in (30, 0))
    for is_after_head, fitting, other in ((True, after, at_once), (False, at_once, after)):
        value = replace(sweep(replace(after, head_epochs=0)), is_after_head=is_after_head)
        found(page, owner, value)
        assert use(page, token, fitting).learning_rate == 0.004
        with pytest.raises(TrainingError, match="other settings"):
            use(page, token, other)


def test_without_a_suggestion_there_is_nothing_to_take(page: Page, token: str, owner: str) -> None:
    with pytest.raises(TrainingError, match="No learning rate"):
        use(page, token, TrainConfig())
    found(page, owner, replace(sweep(), suggested_rate=None))
    with pytest.raises(TrainingError, match="No learning rate"):
        use(page, token, TrainConfig())


def test_nobody_takes_what_somebody_else_has_found(page: Page, owner: str) -> None:
    found(page, owner, sweep())
    with pytest.raises(TrainingError, match="No learning rate"):
        use(page, new_visitor(), TrainConfig())


def test_a_search_needs_pictures(page: Page, token: str) -> None:
    with pytest.raises(DataError):
        actions.find_rate(page.visit(token), settings_form(page, TrainConfig()))


def test_stopping_ends_a_search_and_is_harmless_without_one(
    page: Page, token: str, owner: str
) -> None:
    actions.stop_search(page.visit(token))
    experiments = page.workspace.experiments

    def values(should_stop: Any) -> Any:
        while not should_stop():
            yield replace(sweep(done=12), is_over=False, suggested_rate=None)

    experiment_id = experiments.start(owner, RATE_FINDER, values)
    actions.stop_search(page.visit(token))
    assert experiments.wait(experiment_id, PATIENCE_SECONDS)
    assert experiments.look(experiment_id).state == "stopped"
