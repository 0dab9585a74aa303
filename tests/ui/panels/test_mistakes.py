"""The classic mistakes on the page: what is asked, shown and answered."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.ui.conftest import built
from tests.workspace.conftest import PATIENCE_SECONDS
from tlapp.data.dataset import Dataset
from tlapp.errors import DataError
from tlapp.experiments.bench import OUTCOMES, MistakeValue, Side
from tlapp.experiments.mistakes import MISTAKES, begin_mistake
from tlapp.messages import joined, verbatim
from tlapp.training.config import TrainConfig
from tlapp.ui.actions import experiments
from tlapp.ui.actions.experiments import Guess
from tlapp.ui.page import Page
from tlapp.ui.panels.mistakes import MistakesPanel
from tlapp.ui.sent import Sent
from tlapp.ui.text import mistakes as words
from tlapp.ui.visit import Visit
from tlapp.ui.widgets.mistake_view import MistakeViewValue
from tlapp.workspace import MISTAKE, Experiment, new_visitor

RIGHT = Side(45, 50, certainty=0.8)


def ended(name: str = "bgr", *, guess: str = "", **values: Any) -> MistakeValue:
    """A mistake that is over: 30 of 50 right instead of 45."""
    value = begin_mistake(name, RIGHT, class_count=4, guess=guess)
    return replace(value, **{"wrong": Side(30, 50, certainty=0.5), "share_done": 1.0, **values})


def seen(state: Any, value: MistakeValue, **more: Any) -> Experiment:
    return Experiment(experiment_id="e", kind=MISTAKE, state=state, value=value, **more)


def told(**values: Any) -> str:
    return str(joined(*words.answer(ended(**values))))


@pytest.fixture
def panel() -> MistakesPanel:
    return built(MistakesPanel())


@pytest.fixture
def run_id(page: Page, token: str, owner: str, dataset: Dataset) -> str:
    """A head that was trained for real, on the visitor's page."""
    run_id = page.workspace.trainings.start(owner, dataset, TrainConfig(epochs=2))
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    page.visit(token).keep(run_id=run_id)
    return run_id


def moment_of(panel: MistakesPanel, visit: Visit) -> MistakeViewValue:
    value = panel.render(visit)[panel.mistakes]
    assert isinstance(value, MistakeViewValue)
    return value


def test_every_mistake_has_its_words() -> None:
    assert list(words.MISTAKE_WORDS) == list(MISTAKES)
    assert set(words.OUTCOME_WORDS) == set(words.OUTCOME_AFTER) == set(OUTCOMES)


def test_without_a_run_nothing_can_be_chosen(page: Page, token: str, panel: MistakesPanel) -> None:
    moment = moment_of(panel, page.visit(token))
    assert (moment.is_ready, moment.run, moment.intro) == (False, "", str(words.TRAIN_FIRST))


def test_a_mistake_is_chosen_followed_and_found_again(
    page: Page, token: str, panel: MistakesPanel, run_id: str
) -> None:
    before = page.visit(token)
    assert moment_of(panel, before).is_ready
    assert not moment_of(panel, before).run
    experiments.make_mistake(before, Guess(mistake="bgr", outcome="worse"))
    going = page.visit(token)
    assert panel.view(going) != panel.view(before)
    assert going.mistake is not None
    assert page.workspace.experiments.wait(going.mistake.experiment_id, PATIENCE_SECONDS)
    over = page.visit(token)
    assert panel.view(over) != panel.view(going)
    last = moment_of(panel, over)
    assert (last.run, last.is_running, last.status) == ("bgr", False, "")
    assert [bar.label for bar in last.bars] == [str(words.RIGHT), str(words.WRONG)]
    assert [view.label for view in last.views] == [str(words.VIEW_RIGHT), str(words.VIEW_WRONG)]
    assert len(last.answer) == 3
    again = page.visit(token)  # as after a reload
    assert panel.view(again) == panel.view(over)
    assert moment_of(panel, again) == last
    stranger = moment_of(panel, page.visit(new_visitor()))
    assert (stranger.is_ready, stranger.run) == (False, "")


def test_a_mistake_that_was_stopped_has_no_answer(
    page: Page, token: str, owner: str, panel: MistakesPanel
) -> None:
    start = begin_mistake("bgr", RIGHT, class_count=4)

    def values(should_stop: Any) -> Iterator[MistakeValue]:
        while not should_stop():
            yield start

    experiment_id = page.workspace.experiments.start(owner, MISTAKE, values, first=start)
    assert moment_of(panel, page.visit(token)).is_running
    experiments.stop_mistake(page.visit(token))
    assert page.workspace.experiments.wait(experiment_id, PATIENCE_SECONDS)
    moment = moment_of(panel, page.visit(token))
    assert (moment.run, moment.is_running, moment.status) == ("bgr", False, str(words.STOPPED))
    assert moment.answer == ()


def test_a_guess_is_read_from_what_the_widget_says(panel: MistakesPanel) -> None:
    make = panel.reads_guess().make
    said = make(Sent(values={}, event={"name": "bgr", "outcome": "same"}))
    assert said == Guess(mistake="bgr", outcome="same")
    for wrong in ({}, {"name": "bgr"}, {"name": 7, "outcome": "same"}):
        with pytest.raises(DataError):
            make(Sent(values={}, event=wrong))


def test_the_answer_compares_the_guess_and_uses_both_results() -> None:
    said = told(guess="worse")
    assert said.startswith("**You were right:** fewer are right.")
    assert "With the mistake 60\u00a0%" in said
    assert "without it 90\u00a0%" in said
    assert "50\u00a0% of the probability on average, instead of 80\u00a0%" in said
    assert str(words.MISTAKE_WORDS["bgr"].why_harmed) in said
    assert 'you said "about as many", but fewer are right' in told(guess="same")
    assert told(guess="guessing").startswith("**It harms, but less than that:**")
    assert told(guess="").startswith("With the mistake")


def test_the_reason_fits_what_happened() -> None:
    said = told(wrong=Side(45, 50))
    assert str(words.MISTAKE_WORDS["bgr"].why_not) in said
    assert str(words.MISTAKE_WORDS["bgr"].why_harmed) not in said


def test_figures_that_make_the_point_are_told() -> None:
    assert "Of those it really never saw, 70\u00a0% are right" in told(honest=Side(35, 50))
    assert "Of the pictures learned from, 99\u00a0% look right" in told(train_accuracy=0.99)
    assert "another object in 75\u00a0%" in told(agreement=0.25)
    broken = told(wrong=Side(0, 50), is_broken=True)
    assert "no answer is even a number" in broken
    assert "0\u00a0%" not in broken.replace("90\u00a0%", "")


@pytest.mark.parametrize(
    ("experiment", "status"),
    [
        (seen("waiting", ended(), position=1), "Waiting for its turn: yours is next."),
        (seen("waiting", ended(), position=3), "Waiting: 2 others go first."),
        (seen("running", ended(share_done=0.4)), "It is happening: 40\u00a0%."),
        (seen("running", ended(share_done=0.4, seconds_left=12.0)), "40\u00a0%. About 12 s left."),
        (seen("finished", ended()), ""),
        (
            seen("failed", ended(), message=verbatim("It is gone."), hint=verbatim("Bring it.")),
            "It is gone. Bring it.",
        ),
    ],
)
def test_every_state_is_told(experiment: Experiment, status: str) -> None:
    said = words.mistake_status(experiment, experiment.value)
    assert str(said).endswith(status)
    assert bool(said) == bool(status)
