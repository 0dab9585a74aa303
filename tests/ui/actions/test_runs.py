"""What Compare runs does, and that one visitor cannot touch another's runs."""

from typing import Any

import pytest

from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining
from tlapp.data.dataset import Dataset
from tlapp.errors import DataError, NotFoundError, RunError
from tlapp.training.config import TrainConfig
from tlapp.ui.actions import runs
from tlapp.ui.actions.runs import RunForm
from tlapp.ui.page import Page
from tlapp.workspace import free_name, new_visitor


def asked(run_id: str, **values: str) -> RunForm:
    return RunForm(event={"run": run_id, **values})


@pytest.fixture
def run_id(page: Page, owner: str, dataset: Dataset) -> str:
    """A run of the visitor's that is over."""
    config = TrainConfig(epochs=3, learning_rate=0.004)
    run_id = page.workspace.trainings.start(owner, dataset, config)
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    return run_id


def test_a_run_keeps_the_number_that_it_was_given(
    page: Page, token: str, owner: str, dataset: Dataset, run_id: str
) -> None:
    later = page.workspace.trainings.start(owner, dataset, TrainConfig(epochs=1))
    assert page.workspace.trainings.wait(later, PATIENCE_SECONDS)
    first = page.workspace.run(run_id).name
    assert page.workspace.run(later).name == f"{first} (2)"
    runs.rename(page.visit(token), asked(run_id, name="Mine"))
    assert page.workspace.run(later).name == f"{first} (2)"
    runs.rename(page.visit(token), asked(later, name="Mine"))
    assert page.workspace.run(later).name == "Mine (2)"
    assert free_name("Pets (2)", {"Pets", "Pets (2)"}) == "Pets (3)"


def test_a_run_is_renamed_kept_and_removed(page: Page, token: str, run_id: str) -> None:
    runs.rename(page.visit(token), asked(run_id, name=" Mine "))
    assert page.workspace.run(run_id).name == "Mine"
    runs.pin(page.visit(token), asked(run_id))
    assert page.workspace.run(run_id).is_pinned
    with pytest.raises(RunError):
        runs.remove(page.visit(token), asked(run_id))
    assert page.visit(token).learned_runs
    runs.unpin(page.visit(token), asked(run_id))
    assert not page.workspace.run(run_id).is_pinned
    runs.remove(page.visit(token), asked(run_id))
    assert page.visit(token).learned_runs == ()


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_name_that_cannot_be_is_refused(page: Page, token: str, run_id: str, name: str) -> None:
    before = page.workspace.run(run_id).name
    with pytest.raises(RunError) as refused:
        runs.rename(page.visit(token), asked(run_id, name=name))
    assert refused.value.hint
    assert page.workspace.run(run_id).name == before


def test_an_earlier_run_is_shown_again(page: Page, token: str, run_id: str) -> None:
    runs.show_run(page.visit(token), asked(run_id))
    shown = page.visit(token).run
    assert shown is not None
    assert shown.record.run_id == run_id


def test_the_settings_of_an_earlier_run_are_taken_over(page: Page, token: str, run_id: str) -> None:
    page.visit(token).keep(config=TrainConfig())
    runs.adopt_settings(page.visit(token), asked(run_id))
    assert page.visit(token).config == TrainConfig(epochs=3, learning_rate=0.004)


@pytest.mark.parametrize(
    "action",
    [runs.rename, runs.pin, runs.unpin, runs.remove, runs.show_run, runs.adopt_settings],
)
def test_nobody_reaches_the_run_of_somebody_else(page: Page, run_id: str, action: Any) -> None:
    before, stranger = page.workspace.run(run_id), new_visitor()
    with pytest.raises(NotFoundError):
        action(page.visit(stranger), asked(run_id, name="x"))
    assert page.workspace.run(run_id) == before
    visit = page.visit(stranger)
    assert (visit.state.run_id, visit.state.config, visit.learned_runs) == (None, None, ())


@pytest.mark.parametrize("sent", [{}, {"run": None}, {"run": 7}, {"run": ["a"]}])
def test_an_event_that_names_no_run_is_refused(page: Page, token: str, sent: Any) -> None:
    with pytest.raises(DataError):
        runs.remove(page.visit(token), RunForm(event=sent))


def test_no_other_run_is_shown_while_the_one_on_the_page_goes_on(
    page: Page, token: str, owner: str, run_id: str, dataset: Dataset, steps: StepTraining
) -> None:
    busy = page.workspace.trainings.start(owner, dataset, TrainConfig())
    page.visit(token).keep(run_id=busy)
    with pytest.raises(RunError):
        runs.show_run(page.visit(token), asked(run_id))
    assert page.visit(token).state.run_id == busy
    page.workspace.trainings.stop(busy)
    assert page.workspace.trainings.wait(busy, PATIENCE_SECONDS)
    runs.show_run(page.visit(token), asked(run_id))
    assert page.visit(token).state.run_id == run_id
