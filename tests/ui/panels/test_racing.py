"""The freeze race on the page: its lanes, its sentence, and its buttons."""

from dataclasses import replace

import pytest

from tests.runs.examples import make_record, make_row
from tests.ui.conftest import built
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining
from tlapp.data.dataset import Dataset
from tlapp.experiments.race import LANES, race_result
from tlapp.messages import Message, duration, joined, message
from tlapp.runs.live import LiveRun
from tlapp.runs.record import RunRecord
from tlapp.ui.actions import experiments
from tlapp.ui.page import Page
from tlapp.ui.panels.racing import RacePanel
from tlapp.ui.text import PRESET_TITLES, racing, status
from tlapp.ui.visit import Visit
from tlapp.ui.widgets.race_view import RaceValue
from tlapp.workspace import new_visitor


@pytest.fixture
def panel(page: Page) -> RacePanel:
    return built(RacePanel(page))


def race_of(panel: RacePanel, visit: Visit) -> RaceValue:
    value = panel.render(visit)[panel.race]
    assert isinstance(value, RaceValue)
    return value


def buttons_of(panel: RacePanel, visit: Visit) -> tuple[bool, bool, bool]:
    """Whether Start can be pressed, whether it is there, and whether Stop is."""
    update = panel.render(visit)
    start, stop = update[panel.start], update[panel.stop]
    return start["interactive"], start["visible"], stop["visible"]


def lane(name: str, hits: str) -> RunRecord:
    row = replace(make_row(1), valid_hits=hits, valid_accuracy=hits.count("1") / len(hits))
    return replace(make_record(), lane=name, epochs=(row,), valid_count=len(hits)).with_best(1)


def sentences(*records: RunRecord) -> str:
    result = race_result(records)
    assert result is not None
    return str(joined(*racing.verdict(result, records)))


def test_without_pictures_no_race_can_be_started(
    page: Page, token: str, panel: RacePanel, dataset: Dataset
) -> None:
    before = page.visit(token)
    assert race_of(panel, before) == RaceValue(status=str(racing.invitation(None, 0.0)))
    assert buttons_of(panel, before) == (False, True, False)
    before.keep(dataset_id=dataset.dataset_id)
    after = page.visit(token)
    assert panel.view(after) != panel.view(before)
    assert buttons_of(panel, after) == (True, True, False)


def test_a_race_has_five_lanes_and_ends_together(
    page: Page, token: str, panel: RacePanel, dataset: Dataset, steps: StepTraining
) -> None:
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    experiments.start_race(page.visit(token))
    going = page.visit(token)
    shown = race_of(panel, going)
    assert [each.title for each in shown.lanes] == [str(PRESET_TITLES[name]) for name in LANES]
    assert buttons_of(panel, going) == (True, False, True)
    assert not race_of(panel, page.visit(new_visitor())).lanes
    experiments.stop_race(going)
    for live in going.race:
        assert page.workspace.trainings.wait(live.record.run_id, PATIENCE_SECONDS)
    over = page.visit(token)
    assert panel.view(over) != panel.view(going)
    assert race_of(panel, over).status == str(racing.STOPPED)
    assert race_of(panel, over).verdict == ()
    assert buttons_of(panel, over) == (True, True, False)


def test_the_verdict_tells_what_transfer_is_worth() -> None:
    said = sentences(lane("head", "1" * 90 + "0" * 10), lane("scratch", "1" * 30 + "0" * 70))
    assert "**Head only** is in front: 90\u00a0%" in said
    assert "a certain lead" in said
    assert "worth **60.0 points** here (95 % interval +" in said
    assert "which came to 30\u00a0%" in said


def test_the_verdict_does_not_claim_what_few_pictures_cannot_show() -> None:
    said = sentences(
        lane("head", "1110"),
        lane("slower_below", "1111"),
        lane("one_rate", "1110"),
        lane("scratch", "1100"),
    )
    assert "**All, slower below** is in front" in said
    assert "lead over the next is not certain" in said
    assert "made no certain difference" in said
    assert "not certain with so few pictures" in said


def test_a_race_that_may_not_take_so_long_says_so_before() -> None:
    unknown, short, long = (racing.invitation(each, 600.0) for each in (None, 500.0, 700.0))
    assert [len(said.values) for said in (unknown, short, long)] == [0, 2, 3]
    assert short.value("part0") == unknown
    assert short.value("part1") == message("About {time} here.", time=duration(500.0))
    too_long = long.value("part2")
    assert isinstance(too_long, Message)
    assert too_long.value("most") == duration(600.0)


def test_the_status_counts_lanes() -> None:
    over = LiveRun(record=make_record(state="finished"), phase="done")
    running = LiveRun(record=make_record(state="running"), phase="training")
    waiting = LiveRun(record=make_record(state="waiting"), phase="waiting", queue_position=3)
    going = racing.race_status([over, running])
    assert (going.value("ended"), going.value("count")) == (1, 2)
    timed = replace(running, job_seconds=34.0, job_seconds_left=12.0)
    assert racing.race_status([over, timed]) == joined(going, status.about_left(12.0))
    late = racing.race_status([over, replace(timed, job_seconds_left=0.0)]).value("part1")
    assert isinstance(late, Message)
    assert late.value("time") == duration(34.0)
    assert racing.race_status([waiting, waiting]) == status.waiting(3)
    assert not racing.race_status([over, over]).values


def test_a_lane_tells_each_step_and_in_the_end_its_best_epoch_and_what_it_was_spared() -> None:
    going = LiveRun(
        record=make_record(state="running"),
        phase="training",
        epoch=3,
        epochs=36,
        batch=2,
        batches=8,
    )

    def note(live: LiveRun) -> str:
        return str(racing.lane_note(live))

    assert note(going) == "epoch 3 of 36, step 2 of 8"
    assert note(replace(going, batch=8)) == "epoch 3 of 36"
    rows = (make_row(1, valid_accuracy=0.9), make_row(2, valid_accuracy=0.8))
    record = make_record(state="finished", epochs=rows, seconds=4.0, images_per_second=80.0)
    over = LiveRun(record=record, phase="done")
    assert note(over) == "2 epochs in 4 s; best: epoch 1"
    phases = (rows[0], replace(rows[1], phase=2))
    kept = replace(over, record=replace(record, epochs=phases))
    assert note(kept) == "2 epochs in 4 s; best: epoch 1, of the head alone"
    spared = replace(over, record=replace(record, images_per_second=0.0))
    assert "in 4 s (its pictures had been read before); best" in note(spared)
    stopped = replace(over, record=replace(record, state="stopped"))
    assert note(stopped) == "stopped after 2 epochs in 4 s"


def test_lanes_that_are_level_have_no_winner() -> None:
    said = sentences(
        lane("head", "1111"),
        lane("last", "1111"),
        lane("one_rate", "1111"),
        lane("scratch", "1100"),
    )
    assert "**Head only**, **Last stage** and **All at one rate** are level: 100\u00a0%" in said
    assert "**Head only**, which changes the least of them, is enough here" in said
    assert "is in front" not in said
