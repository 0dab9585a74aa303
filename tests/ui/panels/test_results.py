"""Results: what a run has shown on the held-out pictures, at each moment."""

import re
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.runs.examples import make_record, make_row
from tests.ui.conftest import built
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining, wait_until
from tlapp.data.dataset import Dataset
from tlapp.evaluation.diagnosis import diagnose
from tlapp.messages import ENGLISH, words
from tlapp.runs.live import LiveRun
from tlapp.runs.record import RunRecord
from tlapp.training.config import TrainConfig
from tlapp.ui import text
from tlapp.ui.page import Page
from tlapp.ui.panels.results import ResultsPanel
from tlapp.ui.text.comparing import gain_sentence
from tlapp.ui.visit import Visit


@pytest.fixture
def panel() -> ResultsPanel:
    return built(ResultsPanel())


def visit_of(record: RunRecord | None) -> Visit:
    """A visit with this run on the page."""
    live = None if record is None else LiveRun(record=record, phase="done")
    return cast(Visit, SimpleNamespace(run=live, words=words(ENGLISH)))


def shown(panel: ResultsPanel, record: RunRecord | None) -> str:
    return str(panel.render(visit_of(record))[panel.results])


def ended(**values: Any) -> RunRecord:
    """A run that got 8 of 10 held-out pictures right."""
    rows = values.pop("epochs", (make_row(1, valid_accuracy=0.8),))
    return make_record(state="finished", epochs=rows, valid_count=10, **values).with_best(1)


def ids_of(page: str) -> list[str]:
    return re.findall(r'id="([\w-]+)"', page)


def test_without_a_run_it_is_said_what_will_stand_here(panel: ResultsPanel) -> None:
    assert str(text.RESULTS_EMPTY) in shown(panel, None)


def test_a_run_that_goes_on_has_its_diagnosis_and_no_result(panel: ResultsPanel) -> None:
    rows = tuple(make_row(epoch, valid_loss=float(epoch)) for epoch in range(1, 12))
    going = make_record(state="running", epochs=rows, train_count=40, valid_count=10)
    said = shown(panel, going)
    assert str(text.RESULTS_PENDING) in said
    assert ids_of(said) == (["diagnosis"] if diagnose(going) else [])
    assert diagnose(going)  # else the line above shows nothing


def test_a_run_that_learned_nothing_says_so(panel: ResultsPanel) -> None:
    assert str(text.RESULTS_NONE) in shown(panel, make_record(state="stopped"))


def test_a_result_is_a_sentence_with_its_interval_and_the_curves_as_files(
    panel: ResultsPanel,
) -> None:
    record = ended()
    said = shown(panel, record)
    assert record.valid_interval is not None
    assert str(text.result_sentence(8, 10, *record.valid_interval)) in said
    for kind in text.CURVE_LINKS:
        assert f'href="curves/{record.run_id}.{kind}" download' in said
    assert "gain-sentence" not in ids_of(said)


def test_without_held_out_pictures_there_is_no_figure(panel: ResultsPanel) -> None:
    row = make_row(1, valid_accuracy=None, valid_loss=None)
    assert str(text.NO_HELD_OUT) in shown(panel, make_record(state="finished", epochs=(row,)))


def test_what_fine_tuning_has_added_stands_beside_the_result(panel: ResultsPanel) -> None:
    rows = (
        make_row(1, valid_accuracy=0.8, valid_hits="1111111100"),
        make_row(2, phase=2, valid_accuracy=0.9, valid_hits="1111111110"),
    )
    record = ended(epochs=rows, earlier_phases=({},)).with_best(2)
    gain = record.gain_over_first_phase()
    assert gain is not None
    said = gain_sentence(gain, keeps_head=False, has_head_run=False)
    assert str(said) in shown(panel, record)


def test_every_class_has_its_bar_and_names_are_text(panel: ResultsPanel) -> None:
    row = make_row(1, valid_accuracy=0.8, valid_class_correct=(3, 0, 0))
    record = ended(
        epochs=(row,),
        class_names=("<script>", "dog", "unseen"),
        valid_class_counts=(4, 2, 0),
    )
    said = shown(panel, record)
    assert "<script>" not in said
    assert "&lt;script&gt;" in said
    assert "width:75%" in said
    assert str(text.of_pictures(0, 2)) in said
    assert "unseen" not in said  # none of its pictures is held out


def test_the_view_changes_with_each_epoch_and_at_the_end_and_not_between(
    page: Page,
    token: str,
    owner: str,
    panel: ResultsPanel,
    dataset: Dataset,
    steps: StepTraining,
) -> None:
    views = [panel.view(page.visit(token))]
    run_id = page.workspace.trainings.start(owner, dataset, TrainConfig())
    page.visit(token).keep(run_id=run_id)
    views.append(panel.view(page.visit(token)))
    steps.step()
    wait_until(page.workspace, run_id, lambda live: live.record.epochs)
    views.append(panel.view(page.visit(token)))
    assert panel.view(page.visit(token)) == views[-1]
    page.workspace.trainings.stop(run_id)
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    views.append(panel.view(page.visit(token)))
    assert all(before != after for before, after in pairwise(views))
    assert panel.view(page.visit(token)) == views[-1]


def test_a_step_within_an_epoch_is_no_other_view(panel: ResultsPanel) -> None:
    live = LiveRun(record=make_record(state="running"), phase="training", batch=1)
    visits = [
        cast(Visit, SimpleNamespace(run=each, words=words(ENGLISH)))
        for each in (live, replace(live, batch=2))
    ]
    assert panel.view(visits[0]) == panel.view(visits[1])
