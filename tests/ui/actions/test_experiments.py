"""The freeze race and the classic mistakes: what starts and stops them, and whose they are."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining
from tlapp.data.dataset import Dataset
from tlapp.errors import DataError, JobError, RunError, TrainingError
from tlapp.experiments.bench import MistakeValue, Side
from tlapp.experiments.mistakes import begin_mistake
from tlapp.experiments.race import LANES
from tlapp.training.config import TrainConfig
from tlapp.ui.actions import experiments
from tlapp.ui.actions.experiments import Guess
from tlapp.ui.page import Page
from tlapp.workspace import MISTAKE, new_visitor

FIRST = begin_mistake("bgr", Side(45, 50, certainty=0.8), class_count=4)


@pytest.fixture
def brought(page: Page, token: str, dataset: Dataset) -> Dataset:
    """The data set in use."""
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    return dataset


@pytest.fixture
def run_id(page: Page, token: str, owner: str, dataset: Dataset) -> str:
    """A head that was trained for real, on the visitor's page."""
    run_id = page.workspace.trainings.start(owner, dataset, TrainConfig(epochs=2))
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    page.visit(token).keep(run_id=run_id)
    return run_id


def guess(mistake: str = "bgr", outcome: str = "same") -> Guess:
    return Guess(mistake=mistake, outcome=outcome)


def wait_for_mistake(page: Page, token: str) -> MistakeValue:
    """The visitor's mistake, when it is over."""
    mistake = page.visit(token).mistake
    assert mistake is not None
    assert page.workspace.experiments.wait(mistake.experiment_id, PATIENCE_SECONDS)
    value = page.workspace.experiments.look(mistake.experiment_id).value
    assert isinstance(value, MistakeValue)
    return value


def test_a_race_needs_pictures(page: Page, token: str) -> None:
    with pytest.raises(DataError) as refused:
        experiments.start_race(page.visit(token))
    assert refused.value.hint
    assert page.visit(token).race == ()


def test_a_race_has_five_lanes_and_is_stopped_as_one(
    page: Page, token: str, brought: Dataset, steps: StepTraining
) -> None:
    experiments.stop_race(page.visit(token))  # harmless without one
    experiments.start_race(page.visit(token))
    lanes = page.visit(token).race
    assert [live.record.lane for live in lanes] == list(LANES)
    assert page.visit(new_visitor()).race == ()
    experiments.stop_race(page.visit(token))
    for live in lanes:
        assert page.workspace.trainings.wait(live.record.run_id, PATIENCE_SECONDS)
    assert {live.state for live in page.visit(token).race} == {"stopped"}


def test_a_race_puts_the_shown_import_to_use_and_a_refused_one_changes_nothing(
    page: Page, token: str, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    busy = page.workspace.trainings.start(owner, dataset, TrainConfig())
    page.visit(token).keep(pending_dataset_id=dataset.dataset_id)
    before = page.visit(token).state
    with pytest.raises(JobError):
        experiments.start_race(page.visit(token))
    assert page.visit(token).state == before
    page.workspace.trainings.stop(busy)
    assert page.workspace.trainings.wait(busy, PATIENCE_SECONDS)
    experiments.start_race(page.visit(token))
    state = page.visit(token).state
    assert (state.dataset_id, state.pending_dataset_id) == (dataset.dataset_id, None)
    experiments.stop_race(page.visit(token))


def test_a_mistake_needs_a_run(page: Page, token: str) -> None:
    with pytest.raises(RunError) as refused:
        experiments.make_mistake(page.visit(token), guess())
    assert refused.value.hint
    assert page.visit(token).mistake is None


def test_a_mistake_that_is_none_is_refused(page: Page, token: str, run_id: str) -> None:
    with pytest.raises(TrainingError):
        experiments.make_mistake(page.visit(token), guess("sleeping"))
    assert page.visit(token).mistake is None


def test_a_mistake_is_made_on_a_copy_and_is_nobody_elses(
    page: Page, token: str, run_id: str
) -> None:
    experiments.make_mistake(page.visit(token), guess(outcome="worse"))
    stranger = page.visit(new_visitor())
    assert stranger.mistake is None
    experiments.stop_mistake(stranger)
    made = wait_for_mistake(page, token)
    assert (made.name, made.guess, made.share_done) == ("bgr", "worse", 1.0)
    assert page.workspace.run(run_id).state == "finished"


def test_an_outcome_that_is_none_foretells_nothing(page: Page, token: str, run_id: str) -> None:
    experiments.make_mistake(page.visit(token), guess(outcome="rain"))
    assert wait_for_mistake(page, token).guess == ""


def test_stopping_ends_a_mistake(page: Page, token: str, owner: str) -> None:
    experiments.stop_mistake(page.visit(token))  # harmless without one

    def values(should_stop: Any) -> Iterator[MistakeValue]:
        while not should_stop():
            yield FIRST

    page.workspace.experiments.start(owner, MISTAKE, values, first=FIRST)
    experiments.stop_mistake(page.visit(token))
    wait_for_mistake(page, token)
    mistake = page.visit(token).mistake
    assert mistake is not None
    assert mistake.state == "stopped"
    assert not page.visit(token).under_way


def test_a_run_that_goes_on_or_was_measured_on_nothing_is_no_measured_run(
    page: Page, token: str, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    run_id = page.workspace.trainings.start(owner, dataset, TrainConfig())
    page.visit(token).keep(run_id=run_id)
    assert experiments.measured_run(page.visit(token)) is None
    page.workspace.trainings.stop(run_id)
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    over = page.visit(token)
    assert over.run is not None
    assert over.run.is_over
    assert experiments.measured_run(over) is None
