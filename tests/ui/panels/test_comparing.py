"""Compare runs: what stands in the list."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.runs.examples import make_record, make_row
from tests.ui.conftest import built
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining, wait_until
from tlapp.data.dataset import Dataset
from tlapp.runs.record import RunRecord
from tlapp.training.config import TrainConfig
from tlapp.ui.page import Page
from tlapp.ui.panels.comparing import ComparePanel, run_list
from tlapp.ui.text import comparing as words
from tlapp.ui.visit import Visit
from tlapp.ui.widgets.run_list import RunListValue, RunRow
from tlapp.workspace import new_visitor


def rows_of(records: Sequence[RunRecord], shown_run: str | None = None) -> tuple[RunRow, ...]:
    return run_list(records, shown_run, str).rows


def row_of(**values: Any) -> RunRow:
    return rows_of((make_record(**values),))[0]


def list_of(panel: ComparePanel, visit: Visit) -> RunListValue:
    value = panel.render(visit)[panel.runs]
    assert isinstance(value, RunListValue)
    return value


def test_the_best_run_of_each_data_set_is_marked() -> None:
    rows = (make_row(1), make_row(2))
    first, second, other = (
        make_record(epochs=rows, valid_accuracy=accuracy, data_fingerprint=data)
        for accuracy, data in ((0.8, "a"), (0.9, "a"), (0.5, "b"))
    )
    value = run_list((first, second, other), first.run_id, str)
    assert [row.is_best for row in value.rows] == [False, True, True]
    assert [row.is_shown for row in value.rows] == [True, False, False]
    assert all(len(row.cells) == len(value.columns) for row in value.rows)
    assert value.rows[0].seconds == pytest.approx((0.01, 0.02))


def test_only_runs_with_the_same_held_out_pictures_are_ranked() -> None:
    rows = (make_row(1), make_row(2))
    first = make_record(epochs=rows, valid_accuracy=0.8, split_seed=0)
    second = make_record(epochs=rows, valid_accuracy=0.9, split_seed=1)
    assert [row.is_best for row in rows_of((first, second))] == [True, True]


def test_of_equal_runs_the_older_is_marked() -> None:
    records = [make_record(epochs=(make_row(1),), valid_accuracy=0.8) for _ in range(2)]
    assert [row.is_best for row in rows_of(records)] == [False, True]  # newest first


def test_how_a_run_ended_and_what_learned_is_told_of_what_happened() -> None:
    row = row_of(
        state="stopped",
        epochs=(make_row(1),),
        config={"freeze": "last:2", "learning_rate": 3e-4, "backbone_learning_rate": 1e-3},
        earlier_phases=(
            {"freeze": "head", "epochs": 30, "learning_rate": 0.002, "batch_size": 32},
        ),
    )
    assert row.ended == str(words.ENDED["stopped"])
    learned = words.learned("head", is_pretrained=True, has_head_phase=False)
    assert (row.cells[1], row.cells[4]) == (str(learned), "0.002")
    settings = dict(row.settings)
    assert settings[str(words.SETTING_NAMES["freeze"])] == str(words.frozen("head"))
    assert settings[str(words.SETTING_NAMES["epochs"])] == "30"


def test_a_run_that_keeps_its_head_says_so_where_it_says_what_learned() -> None:
    rows = (make_row(1), make_row(2, phase=2, valid_accuracy=0.5))
    record = make_record(epochs=rows, config={"freeze": "last:2"}, earlier_phases=({},))
    better = replace(record, epochs=(rows[0], replace(rows[1], valid_accuracy=0.9)))
    learned = words.learned("last:2", is_pretrained=True, has_head_phase=True)
    kept, changed = (row.cells[1] for row in rows_of((record, better)))
    assert (kept, changed) == (str(words.learned_but_kept(learned)), str(learned))


def test_the_time_axis_counts_preparation_and_the_run_before() -> None:
    rows = (make_row(1, elapsed_seconds=6.0), make_row(2, elapsed_seconds=35.0))
    record = make_record(epochs=rows, seconds=29.2, seconds_before=6.0)
    row, alone = rows_of((record, replace(record, seconds_before=0.0)))
    assert row.seconds == (6.0, 35.0)
    assert (row.cells[-1], alone.cells[-1]) == ("6 s + 29 s", "29 s")


def test_a_frozen_backbone_has_no_learning_rate() -> None:
    config = {"freeze": "head", "learning_rate": 0.002, "backbone_learning_rate": 2e-4}
    row = row_of(config=config, epochs=(make_row(1),))
    rate = dict(row.settings)[str(words.SETTING_NAMES["backbone_learning_rate"])]
    assert rate == str(words.FROZEN)
    assert row.cells[4] == "0.002"


def test_settings_are_told_in_words() -> None:
    config = {
        "backbone": "resnet18",
        "freeze": "last:2",
        "pretrained": True,
        "learning_rate": 3e-4,
        "backbone_learning_rate": 1e-3,
        "stage_rates": [["top", 1e-4]],
    }
    head = {"epochs": 30, "learning_rate": 0.002, "batch_size": 32}
    rows = (make_row(1), make_row(2, phase=2))
    row = row_of(config=config, earlier_phases=(head,), epochs=rows)
    settings = dict(row.settings)
    assert settings["Frozen"] == "all but the last 2 stages"
    assert settings["First the head alone, epochs"] == "30, at rate 0.002, batch size 32"
    assert settings["Rates of single stages"] == "top 0.0001"
    assert settings["Backbone"] == row.cells[0] == "ResNet18"
    assert row.cells[1] == "head, then last 2 stages"
    assert row.cells[4] == "0.0003, backbone 0.001"


def test_a_gain_says_how_sure_it_is_and_what_is_kept() -> None:
    def said(gain: tuple[float, float, float], *, keeps_head: bool, has_head_run: bool) -> str:
        return str(words.gain_sentence(gain, keeps_head=keeps_head, has_head_run=has_head_run))

    certain = said((0.05, 0.01, 0.09), keeps_head=False, has_head_run=True)
    assert "+5.0 points" in certain
    assert certain.endswith("a real gain.")
    level = said((0.0, -0.1, 0.1), keeps_head=False, has_head_run=True)
    assert level.endswith("The head alone did as well; to use it, show its run under Compare runs.")
    assert "did as well" not in certain
    in_one = said((0.0, -0.1, 0.1), keeps_head=False, has_head_run=False)
    assert "Compare runs" not in in_one
    lost = said((-0.047, -0.109, 0.017), keeps_head=True, has_head_run=True)
    assert "not certain yet" in lost
    assert "it is the model that is kept" in lost


def test_a_run_comes_into_the_list_when_it_is_over_and_has_learned(
    page: Page, token: str, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    panel = built(ComparePanel())
    assert list_of(panel, page.visit(token)) == run_list((), None, str)
    run_id = page.workspace.trainings.start(owner, dataset, TrainConfig())
    page.visit(token).keep(run_id=run_id)
    going = page.visit(token)
    assert list_of(panel, going).rows == ()
    seen = panel.view(going)
    steps.step()
    wait_until(page.workspace, run_id, lambda live: live.record.epochs)
    steps.finish()
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    over = page.visit(token)
    assert panel.view(over) != seen
    assert [(row.run, row.is_shown) for row in list_of(panel, over).rows] == [(run_id, True)]
    assert list_of(panel, page.visit(new_visitor())).rows == ()
