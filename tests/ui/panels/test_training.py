"""The Train zone's buttons, the run at each moment, and what is said of the next step."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from tests.runs.examples import make_record, make_row
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining
from tlapp.data.dataset import Dataset
from tlapp.messages import Message, joined
from tlapp.runs.live import LiveRun
from tlapp.runs.record import RunRecord
from tlapp.training.config import TrainConfig
from tlapp.ui import text
from tlapp.ui.page import Page
from tlapp.ui.table import Panels
from tlapp.ui.text.tuning import FINE_TUNED, GO_ON, HEAD_KEPT
from tlapp.ui.visit import Visit
from tlapp.ui.widgets.run_view import RunViewValue

LAST = TrainConfig(freeze="last:1")


def with_run(visit: Visit, live: LiveRun) -> Visit:
    """The visit, with this moment of a run on the page."""
    visit.__dict__["run"] = live
    return visit


def view(panels: Panels, visit: Visit) -> RunViewValue:
    """The run's view."""
    value = panels.training.render(visit)[panels.training.run_view]
    assert isinstance(value, RunViewValue)
    return value


def _live(*, record: dict[str, Any] | None = None, **live: Any) -> LiveRun:
    return LiveRun(record=make_record(**(record or {})), **live)


@pytest.mark.parametrize(
    ("live", "state", "progress"),
    [
        (_live(phase="waiting"), "waiting", None),
        (
            _live(
                record={"state": "running"},
                phase="download",
                download_done_bytes=1,
                download_total_bytes=4,
            ),
            "preparing",
            0.25,
        ),
        (_live(record={"state": "running"}, phase="download"), "preparing", 0.0),
        (
            _live(record={"state": "running"}, phase="features", features_done=3, features_total=4),
            "preparing",
            0.75,
        ),
        (
            _live(
                record={"state": "running", "epochs": (make_row(1),)},
                phase="training",
                epochs=4,
                batch=1,
                batches=2,
            ),
            "running",
            0.375,
        ),
        (_live(record={"state": "finished"}, phase="done"), "finished", None),
        (_live(record={"state": "failed"}, phase="done"), "failed", None),
    ],
)
def test_each_moment_of_a_run_has_its_state_and_progress(
    page: Page, panels: Panels, token: str, live: LiveRun, state: str, progress: float | None
) -> None:
    value = view(panels, with_run(page.visit(token), live))
    assert (value.state, value.progress) == (state, progress)


def test_a_run_names_its_pictures_when_the_page_shows_others(
    page: Page, panels: Panels, token: str, dataset: Dataset
) -> None:
    live = _live(record={"state": "finished"}, phase="done")
    assert view(panels, with_run(page.visit(token), live)).origin == ""
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    assert f'"{live.record.dataset_name}"' in view(panels, with_run(page.visit(token), live)).origin
    own = _live(record={"state": "finished", "dataset_id": dataset.dataset_id}, phase="done")
    assert view(panels, with_run(page.visit(token), own)).origin == ""


def test_progress_never_goes_over_the_end(page: Page, panels: Panels, token: str) -> None:
    record = {"state": "running", "epochs": tuple(make_row(epoch) for epoch in (1, 2))}
    live = _live(record=record, phase="training", epochs=2, batch=5, batches=5)
    assert view(panels, with_run(page.visit(token), live)).progress == 1.0


def test_every_series_of_the_curves_has_one_number_an_epoch(
    page: Page, panels: Panels, token: str
) -> None:
    rows = (make_row(1), make_row(2, valid_accuracy=None, valid_loss=None, is_best=False))
    live = _live(record={"epochs": rows, "state": "running"}, phase="training", epochs=30)
    value = view(panels, with_run(page.visit(token), live))
    assert value.epochs.train == (1.0, 0.5)
    assert value.epochs.valid == (1.1, None)
    assert value.epochs.valid_accuracy == (0.7, None)
    assert (value.best_epoch, value.total_epochs) == (1, 30)


def test_the_interval_of_a_result_stands_beside_its_chart(
    page: Page, panels: Panels, token: str
) -> None:
    record = {
        "state": "finished",
        "epochs": (make_row(1),),
        "best_epoch": 1,
        "valid_accuracy": 0.84,
        "valid_interval": (0.78, 0.89),
    }
    value = view(panels, with_run(page.visit(token), _live(record=record, phase="done")))
    assert value.accuracy_note == "held-out 84\u00a0% (78 to 89)"
    assert value.interval == (0.78, 0.89)


def test_before_the_first_training_the_next_step_is_said(
    page: Page, panels: Panels, token: str, dataset: Dataset
) -> None:
    assert view(panels, page.visit(token)).status == str(text.BRING_PICTURES_FIRST)
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    assert view(panels, page.visit(token)).status == str(text.PRESS_TRAIN)


@pytest.mark.parametrize(("last_phase", "can_tune"), [(1, True), (2, False)])
def test_a_head_can_be_fine_tuned_although_a_phase_after_it_was_stopped_before_it_began(
    page: Page, panels: Panels, token: str, last_phase: int, can_tune: bool
) -> None:
    record = make_record(
        state="stopped",
        config=asdict(LAST),
        earlier_phases=(asdict(TrainConfig()),),
        epochs=(make_row(1, phase=1), make_row(2, phase=last_phase)),
        best_epoch=1,
    )
    visit = with_run(page.visit(token), LiveRun(record=record, phase="done"))
    assert panels.training.render(visit)[panels.training.fine_tune]["visible"] is can_tune


# --- The next step -----------------------------------------------------------------------------


def said(panels: Panels, visit: Visit) -> Message:
    """What the page says of the next step."""
    told = panels.next_step.view(visit)
    assert isinstance(told, Message)
    return told


def head(page: Page, token: str, dataset: Dataset, config: TrainConfig) -> RunRecord:
    """A finished run of the head, shown on the page."""
    run_id = page.workspace.trainings.start(dataset.owner, dataset, config)
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    page.visit(token).keep(run_id=run_id)
    return page.workspace.run(run_id)


def test_what_fine_tuning_would_do_is_said_beforehand(
    page: Page, panels: Panels, token: str, dataset: Dataset
) -> None:
    head(page, token, dataset, TrainConfig(epochs=1))
    by_default = str(said(panels, page.visit(token)))
    assert by_default.startswith("Fine-tune goes on from this head and opens the last 2 stages (")
    assert "default settings" in by_default
    page.visit(token).keep(config=LAST)
    assert "with what is open above (" in str(said(panels, page.visit(token)))
    for shown in (replace(LAST, pretrained=False), replace(LAST, backbone="resnet18")):
        page.visit(token).keep(config=shown)
        other = str(said(panels, page.visit(token)))
        assert "on EfficientNet-Lite0 and opens its last 2 stages" in other
        assert "for another network" in other


def test_when_the_pictures_have_changed_nothing_is_offered(
    page: Page, panels: Panels, token: str, dataset: Dataset
) -> None:
    record = head(page, token, dataset, TrainConfig(epochs=1))
    live = replace(page.workspace.live(record.run_id), can_go_on=True)
    assert said(panels, with_run(page.visit(token), live))
    page.workspace.library.save(replace(dataset, split_seed=dataset.split_seed + 1))
    assert not said(panels, with_run(page.visit(token), live))
    page.workspace.library.delete(page.workspace.dataset(dataset.dataset_id))
    assert not said(panels, with_run(page.visit(token), live))


def test_a_run_that_is_fine_tuned_says_so_and_one_that_was_stopped_that_it_can_go_on(
    page: Page, panels: Panels, token: str, dataset: Dataset
) -> None:
    record = head(page, token, dataset, TrainConfig(epochs=1))
    rows = (record.epochs[0], replace(record.epochs[0], epoch=2, phase=2))
    tuned = replace(
        record,
        epochs=rows,
        earlier_phases=(record.config,),
        config={**record.config, "freeze": "last:2"},
    )
    live = replace(page.workspace.live(record.run_id), record=tuned)

    def of(live: LiveRun) -> Message:
        return said(panels, with_run(page.visit(token), live))

    assert of(live) == FINE_TUNED  # the head is no run of its own
    after_head = replace(live, record=replace(tuned, continues=record.run_id))
    assert of(after_head) == joined(FINE_TUNED, HEAD_KEPT)
    better = replace(tuned, epochs=(rows[0], replace(rows[1], valid_loss=0.0)))
    live = replace(live, record=better)
    assert of(live) == FINE_TUNED
    assert of(replace(live, can_go_on=True)) == joined(GO_ON, FINE_TUNED)


def test_without_a_run_or_while_it_goes_on_there_is_no_next_step(
    page: Page, panels: Panels, token: str, dataset: Dataset, steps: StepTraining
) -> None:
    assert not said(panels, page.visit(token))
    run_id = page.workspace.trainings.start(dataset.owner, dataset, TrainConfig())
    page.visit(token).keep(run_id=run_id)
    assert not said(panels, page.visit(token))


def test_while_something_else_is_under_way_nothing_can_be_begun_and_the_page_says_why(
    page: Page, panels: Panels, token: str, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    training = panels.training

    def refreshed() -> tuple[str, set[bool]]:
        visit = page.visit(token)
        update = {**training.render(visit), **panels.rates.render(visit)}
        starts = (training.train, training.resume, training.fine_tune, panels.rates.start)
        return str(said(panels, visit)), {update[button]["interactive"] for button in starts}

    assert refreshed() == ("", {True})
    run_ids = page.workspace.experiments.start_race(owner, dataset, "efficientnet_lite0")
    why, can_begin = refreshed()
    assert "Your freeze race is under way" in why
    assert can_begin == {False}
    page.workspace.trainings.stop(run_ids[0])
    for run_id in run_ids:
        assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    assert refreshed() == ("", {True})
