"""The ladder: what learns, how fast, what is doubtful about it, and how far a run has moved it."""

from dataclasses import asdict, replace

import pytest

from tests.runs.examples import make_record, make_row
from tlapp.data.dataset import Dataset
from tlapp.errors import ServerError, TrainingError
from tlapp.messages import verbatim
from tlapp.runs.live import LiveRun
from tlapp.runs.record import RunRecord
from tlapp.training.config import TrainConfig
from tlapp.training.presets import fine_tuning
from tlapp.ui.page import Page
from tlapp.ui.table import Panels, watched
from tlapp.ui.visit import Visit
from tlapp.ui.widgets.ladder import LadderValue

LAST = TrainConfig(freeze="last:1")


def shown(panels: Panels, visit: Visit) -> LadderValue:
    """What the ladder shows to this visit."""
    value = panels.ladder.render(visit)[panels.ladder.ladder]["value"]
    assert isinstance(value, LadderValue)
    return value


def with_config(page: Page, token: str, config: TrainConfig) -> Visit:
    """The page with these settings."""
    page.visit(token).keep(config=config)
    return page.visit(token)


@pytest.fixture
def pictures(page: Page, token: str, dataset: Dataset) -> Dataset:
    """The data set, in use."""
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    return dataset


def test_the_ladder_says_what_learns_and_how_fast(
    page: Page, panels: Panels, token: str, pictures: Dataset
) -> None:
    value = shown(panels, page.visit(token))
    assert {stage.rate for stage in value.stages} == {None}
    assert (value.head.parameters, value.head.rate) == (1280 * 2 + 2, 2e-3)
    assert (value.preset, value.doubts) == ("head", ())
    assert value.sentence.startswith("**2,562** of 3.4 M ")
    assert value.replaced_layer == (
        "Replaced: classifier.1: 1280 -> 1000 becomes 1280 -> 2 (1.3 M parameters go, 2,562 come)."
    )
    top = fine_tuning("last:1", backbone="efficientnet_lite0", train_count=10)
    value = shown(panels, with_config(page, token, top))
    assert [stage.rate for stage in value.stages] == [None] * 8 + [7e-5]
    assert (value.preset, value.head.parameters) == ("last", 2_562)
    other = replace(top, backbone_learning_rate=0.1)
    assert shown(panels, with_config(page, token, other)).preset == ""
    everything = shown(panels, with_config(page, token, TrainConfig(freeze="none")))
    assert everything.sentence.startswith("All **3.4 M** parameters learn.")


def test_the_ladder_doubts_locks_that_make_no_sense(
    page: Page, panels: Panels, token: str, pictures: Dataset
) -> None:
    value = shown(panels, with_config(page, token, TrainConfig(freeze="stage 3")))
    assert "learns below stage 3" in value.doubts[0]
    assert value.preset == ""


def test_settings_that_cannot_work_are_told_on_the_ladder(
    page: Page, panels: Panels, token: str
) -> None:
    error = TrainingError(verbatim("No **5**."), hint=verbatim("Choose 1."))
    update = panels.ladder.render_refusal(page.visit(token), error)
    told = update[panels.ladder.ladder]["value"]
    assert (told.sentence, told.is_problem, told.untried) == ("No 5. Choose 1.", True, "")


def test_what_is_no_fault_of_the_settings_is_told_over_the_page(
    page: Page, panels: Panels, token: str
) -> None:
    error = ServerError(
        verbatim("The disk of this machine is full."), hint=verbatim("Remove something.")
    )
    with pytest.raises(ServerError):
        panels.ladder.render_refusal(page.visit(token), error)


def test_without_pictures_the_ladder_promises_no_number_of_classes(
    page: Page, panels: Panels, token: str
) -> None:
    value = shown(panels, page.visit(token))
    assert "-> your classes" in value.replaced_layer
    assert "and a new head" in value.sentence or "A new head" in value.sentence


def test_a_time_that_was_measured_comes_with_the_settings_it_is_for(
    page: Page, panels: Panels, token: str, pictures: Dataset
) -> None:
    visit = with_config(page, token, LAST)
    update = panels.ladder.render_measured(visit, LAST)[panels.ladder.ladder]
    assert update["measured"]["of"] == shown(panels, visit).untried != ""
    assert "parameters learn" in update["measured"]["sentence"]
    assert "value" not in update  # it does not undo what was chosen meanwhile


def test_other_pictures_fill_the_ladder_and_no_field(
    page: Page, panels: Panels, token: str, dataset: Dataset
) -> None:
    page.visit(token).keep(config=LAST)
    drawn = [panels.ladder, *(panel for group in watched(panels) for panel in group)]
    without = page.tabs.show_changed(page.visit(token, "tab"), drawn)
    page.visit(token).keep(pending_dataset_id=dataset.dataset_id)
    filled = page.tabs.show_changed(page.visit(token, "tab"), drawn)
    assert set(filled).isdisjoint(panels.settings.fields.values())
    stages = filled[panels.ladder.ladder]["value"].stages
    assert [stage.name for stage in stages if stage.rate is not None] == ["top"]
    for button in (panels.training.train, panels.rates.start):
        assert (without[button]["interactive"], filled[button]["interactive"]) == (False, True)


# --- How far a run has moved it ----------------------------------------------------------------


def moved(page: Page, panels: Panels, token: str, record: RunRecord) -> bool:
    """Whether the page shows how far this run has moved its backbone."""
    visit = page.visit(token)
    visit.__dict__["run"] = LiveRun(record=record, phase="training")
    update = panels.moved.render(visit)[panels.ladder.ladder]
    assert "value" not in update  # the settings stay as they are
    return bool(update["moved"]["stages"])


def test_the_ladder_tells_of_the_network_that_is_kept(
    page: Page, panels: Panels, token: str
) -> None:
    stages = page.workspace.models.sketch("efficientnet_lite0").stages
    rows = (
        make_row(1, valid_accuracy=0.9),
        make_row(2, phase=2, valid_accuracy=0.5, agreement=0.8, drift=(0.1,) * len(stages)),
    )
    record = make_record(epochs=rows, state="running", config=asdict(LAST))
    assert moved(page, panels, token, record)
    assert not moved(page, panels, token, replace(record, state="finished"))


def test_without_a_run_nothing_has_moved(page: Page, panels: Panels, token: str) -> None:
    update = panels.moved.render(page.visit(token))[panels.ladder.ladder]
    assert not update["moved"]["stages"]
