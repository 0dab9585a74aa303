"""Compare runs: what stands in the list, and that one visitor cannot touch another's runs."""

from dataclasses import replace

import gradio as gr
import pytest

from tests.runs.examples import make_record, make_row
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining
from tlapp.data.dataset import Dataset
from tlapp.errors import NotFoundError, RunError
from tlapp.training.config import TrainConfig
from tlapp.ui import run_values
from tlapp.ui.panels import comparing
from tlapp.ui.panels.choices import chosen_config, remember
from tlapp.ui.session import Page
from tlapp.ui.text.comparing import gain_sentence
from tlapp.workspace import free_name, new_visitor


def event(run: str, **values: str) -> gr.EventData:
    return gr.EventData(None, {"run": run, **values})


@pytest.fixture
def owner(page: Page, token: str) -> str:
    """The visitor whose page it is."""
    return page.owner_of(token)


@pytest.fixture
def run_id(page: Page, owner: str, dataset: Dataset) -> str:
    config = TrainConfig(epochs=3, learning_rate=0.004)
    run_id = page.workspace.trainings.start(owner, dataset, config)
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    return run_id


def test_the_best_run_of_each_data_set_is_marked() -> None:
    rows = (make_row(1), make_row(2))
    first, second, other = (
        make_record(epochs=rows, valid_accuracy=accuracy, data_fingerprint=data)
        for accuracy, data in ((0.8, "a"), (0.9, "a"), (0.5, "b"))
    )
    value = run_values.run_list((first, second, other), shown_run=first.run_id)
    assert [row.is_best for row in value.rows] == [False, True, True]
    assert [row.is_shown for row in value.rows] == [True, False, False]
    assert all(len(row.cells) == len(value.columns) for row in value.rows)
    assert value.rows[0].seconds == pytest.approx((0.01, 0.02))


def test_a_run_keeps_the_number_that_it_was_given(
    page: Page, token: str, owner: str, dataset: Dataset, run_id: str
) -> None:
    later = page.workspace.trainings.start(owner, dataset, TrainConfig(epochs=1))
    assert page.workspace.trainings.wait(later, PATIENCE_SECONDS)
    first = page.workspace.run(run_id).name
    assert page.workspace.run(later).name == f"{first} (2)"
    comparing.rename(page, token, event(run_id, name="Mine"))
    assert page.workspace.run(later).name == f"{first} (2)"
    comparing.rename(page, token, event(later, name="Mine"))
    assert page.workspace.run(later).name == "Mine (2)"
    assert free_name("Pets (2)", {"Pets", "Pets (2)"}) == "Pets (3)"


def test_how_a_run_ended_and_what_learned_is_told_of_what_happened() -> None:
    record = make_record(
        state="stopped",
        epochs=(make_row(1),),
        config={"freeze": "last:2", "learning_rate": 3e-4, "backbone_learning_rate": 1e-3},
        earlier_phases=(
            {"freeze": "head", "epochs": 30, "learning_rate": 0.002, "batch_size": 32},
        ),
    )
    row = run_values.run_list((record,), None).rows[0]
    assert row.ended == "stopped before its end"
    assert (row.cells[1], row.cells[4]) == ("head only", "0.002")
    settings = dict(row.settings)
    assert (settings["Frozen"], settings["Epochs"]) == ("the whole backbone", "30")


def test_a_run_that_keeps_its_head_says_so_where_it_says_what_learned() -> None:
    rows = (make_row(1), make_row(2, phase=2, valid_accuracy=0.5))
    record = make_record(epochs=rows, config={"freeze": "last:2"}, earlier_phases=({},))
    row = run_values.run_list((record,), None).rows[0]
    assert row.cells[1] == "head, then last 2 stages (the head was better and is kept)"
    better = replace(record, epochs=(rows[0], replace(rows[1], valid_accuracy=0.9)))
    assert run_values.run_list((better,), None).rows[0].cells[1] == "head, then last 2 stages"


def test_the_time_axis_counts_preparation_and_the_run_before() -> None:
    rows = (make_row(1, elapsed_seconds=6.0), make_row(2, elapsed_seconds=35.0))
    record = make_record(epochs=rows, seconds=29.2, seconds_before=6.0)
    row = run_values.run_list((record,), None).rows[0]
    assert row.seconds == (6.0, 35.0)
    assert row.cells[-1] == "6 s + 29 s"
    alone = run_values.run_list((replace(record, seconds_before=0.0),), None).rows[0]
    assert alone.cells[-1] == "29 s"


def test_a_frozen_backbone_has_no_learning_rate() -> None:
    config = {"freeze": "head", "learning_rate": 0.002, "backbone_learning_rate": 2e-4}
    row = run_values.run_list((make_record(config=config, epochs=(make_row(1),)),), None).rows[0]
    assert dict(row.settings)["Learning rate of the backbone"] == "frozen"
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
    record = make_record(config=config, earlier_phases=(head,), epochs=rows)
    row = run_values.run_list((record,), None).rows[0]
    settings = dict(row.settings)
    assert settings["Frozen"] == "all but the last 2 stages"
    assert settings["First the head alone, epochs"] == "30, at rate 0.002, batch size 32"
    assert settings["Rates of single stages"] == "top 0.0001"
    assert settings["Backbone"] == row.cells[0] == "ResNet18"
    assert row.cells[1] == "head, then last 2 stages"
    assert row.cells[4] == "0.0003, backbone 0.001"


def test_a_run_is_renamed_kept_and_removed(page: Page, token: str, run_id: str) -> None:
    assert comparing.rename(page, token, event(run_id, name=" Mine ")).rows[0].name == "Mine"
    assert comparing.pin(page, token, event(run_id)).rows[0].is_pinned
    with pytest.raises(RunError, match="is kept"):
        comparing.remove(page, token, event(run_id))
    assert not comparing.unpin(page, token, event(run_id)).rows[0].is_pinned
    assert comparing.remove(page, token, event(run_id)).rows == ()


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_name_that_cannot_be_is_refused(page: Page, token: str, run_id: str, name: str) -> None:
    with pytest.raises(RunError, match="A name has"):
        comparing.rename(page, token, event(run_id, name=name))


def test_an_earlier_run_is_shown_and_its_settings_taken_over(
    page: Page, token: str, owner: str, run_id: str
) -> None:
    assert comparing.open_run(page, token, event(run_id)).rows[0].is_shown
    assert page.workspace.of(owner).state().run_id == run_id
    remember(page, owner, TrainConfig())
    comparing.adopt(page, token, event(run_id))
    assert chosen_config(page, owner) == TrainConfig(epochs=3, learning_rate=0.004)


def test_nobody_reaches_the_run_of_somebody_else(page: Page, run_id: str) -> None:
    stranger = new_visitor()
    for handler in (comparing.rename, comparing.pin, comparing.remove, comparing.open_run):
        with pytest.raises(NotFoundError):
            handler(page, stranger, event(run_id, name="x"))
    assert comparing.refresh(page, stranger).rows == ()


def test_only_runs_with_the_same_held_out_pictures_are_ranked() -> None:
    rows = (make_row(1), make_row(2))
    first = make_record(epochs=rows, valid_accuracy=0.8, split_seed=0)
    second = make_record(epochs=rows, valid_accuracy=0.9, split_seed=1)
    value = run_values.run_list((first, second), shown_run=None)
    assert [row.is_best for row in value.rows] == [True, True]


def test_no_other_run_is_shown_while_the_one_on_the_page_goes_on(
    page: Page, token: str, owner: str, run_id: str, dataset: Dataset, steps: StepTraining
) -> None:
    busy = page.workspace.trainings.start(owner, dataset, TrainConfig())
    page.workspace.visitors.change(owner, lambda state: replace(state, run_id=busy))
    with pytest.raises(RunError, match="not over yet"):
        comparing.open_run(page, token, event(run_id))
    assert page.workspace.of(owner).state().run_id == busy
    page.workspace.trainings.stop(busy)
    assert page.workspace.trainings.wait(busy, PATIENCE_SECONDS)
    assert comparing.open_run(page, token, event(run_id)).rows[0].is_shown


def test_a_gain_says_how_sure_it_is_and_what_is_kept() -> None:
    certain = gain_sentence((0.05, 0.01, 0.09), keeps_head=False, has_head_run=True)
    assert "+5.0 points" in certain
    assert certain.endswith("a real gain.")
    level = gain_sentence((0.0, -0.1, 0.1), keeps_head=False, has_head_run=True)
    assert level.endswith("The head alone did as well; to use it, show its run under Compare runs.")
    assert "did as well" not in certain
    in_one = gain_sentence((0.0, -0.1, 0.1), keeps_head=False, has_head_run=False)
    assert "Compare runs" not in in_one
    lost = gain_sentence((-0.047, -0.109, 0.017), keeps_head=True, has_head_run=True)
    assert "not certain yet" in lost
    assert "it is the model that is kept" in lost
