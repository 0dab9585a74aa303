"""What a race trains, and what it shows."""

from dataclasses import replace

import pytest

from tests.runs.examples import make_record, make_row
from tlapp.experiments.race import LANES, lanes_at_once, race_phases, race_result
from tlapp.runs.record import RunRecord


def record_of(lane: str, hits: str) -> RunRecord:
    accuracy = hits.count("1") / len(hits)
    row = replace(make_row(1), valid_hits=hits, valid_accuracy=accuracy)
    return replace(make_record(), lane=lane, epochs=(row,), valid_count=len(hits)).with_best(1)


def test_the_lanes_learn_what_their_names_say() -> None:
    lanes = race_phases("resnet18", seed=3, train_count=500)
    assert list(lanes) == list(LANES)
    assert [phase.freeze for phase in lanes["head"]] == ["head"]
    assert [phase.freeze for phase in lanes["last"]] == ["head", "last:1"]
    assert [phase.freeze for phase in lanes["slower_below"]] == ["head", "none"]
    naive = lanes["one_rate"]
    assert len(naive) == 1
    assert naive[0].learning_rate == naive[0].backbone_learning_rate
    assert not lanes["scratch"][-1].pretrained
    assert {phase.seed for phases in lanes.values() for phase in phases} == {3}
    assert {phase.backbone for phases in lanes.values() for phase in phases} == {"resnet18"}


@pytest.mark.parametrize(("parameters", "at_once"), [(3_400_000, 12), (138_000_000, 1)])
def test_only_so_many_networks_are_held_as_fit(parameters: int, at_once: int) -> None:
    assert lanes_at_once(parameters) == at_once


def test_the_result_names_the_winner_and_what_transfer_is_worth() -> None:
    result = race_result(
        [record_of("head", "1" * 90 + "0" * 10), record_of("scratch", "1" * 30 + "0" * 70)]
    )
    assert result is not None
    assert (result.winner, result.accuracy) == ("head", 0.9)
    assert result.transfer_gain is not None
    gain, low, high = result.transfer_gain
    assert gain == pytest.approx(0.6)
    assert 0.4 < low < high < 0.8
    assert result.freezing_gain is None


def test_of_equals_the_gentler_one_wins() -> None:
    records = [record_of("head", "1100"), record_of("last", "0011")]
    result = race_result(records)
    assert result is not None
    assert result.winner == "head"


def test_a_race_that_was_stopped_says_nothing_about_who_would_have_won() -> None:
    records = [record_of("head", "1100"), replace(record_of("last", "1110"), state="stopped")]
    assert race_result(records) is None


def test_one_lane_alone_shows_nothing() -> None:
    assert race_result([record_of("head", "1100")]) is None
    assert race_result([record_of("head", "1100"), make_record()]) is None
