"""The learning-rate range test."""

import math
from dataclasses import replace
from itertools import count, pairwise

import pytest

from tests.training.tiny import Album, tiny_backbone
from tlapp.experiments.lr_finder import (
    RATES,
    RateSweep,
    _concluded,
    explain,
    find_rate,
    smoothed,
)
from tlapp.training.config import TrainConfig
from tlapp.training.task import TrainJob

HEAD = TrainConfig(epochs=20)
TOP = TrainConfig(freeze="last:1", epochs=1)


def sweeps_of(*phases: TrainConfig) -> list[RateSweep]:
    album = Album()
    job = TrainJob(
        images=album.images,
        split=album.split,
        picture_of=album.picture,
        backbone=tiny_backbone(),
        phases=phases,
    )
    return list(find_rate(job, cache=None, should_stop=lambda: False))


def test_the_rates_grow_by_the_same_factor_from_a_millionth_to_ten() -> None:
    assert (RATES[0], RATES[-1]) == (1e-6, pytest.approx(10))
    factors = [high / low for low, high in pairwise(RATES)]
    assert factors == pytest.approx([factors[0]] * 99)


@pytest.mark.parametrize("phases", [(HEAD,), (TOP,), (HEAD, TOP)])
def test_each_sweep_is_whole_and_the_last_one_suggests(phases: tuple[TrainConfig, ...]) -> None:
    *growing, last = sweeps_of(*phases)
    assert growing[0].pictures_total == 24
    assert all(each.suggested_rate is None and not each.is_over for each in growing)
    assert [each.done for each in growing] == sorted(each.done for each in growing)
    for each in (*growing, last):
        assert len(each.rates) == len(each.losses) == each.done
        assert each.rates == RATES[: each.done]
    assert last.is_over
    assert last.ended_early == (last.done < last.total)
    assert last.config == phases[-1]
    assert last.reason is not None
    assert last.reason.lowest_loss == min(last.losses)


def test_the_suggestion_lies_where_the_loss_falls() -> None:
    last = sweeps_of(HEAD)[-1]
    assert last.suggested_rate is not None
    assert last.reason is not None
    assert 1e-4 < last.suggested_rate < last.reason.lowest_rate < 10


def test_the_same_job_gives_the_same_sweep() -> None:
    first, second = (replace(sweeps_of(HEAD)[-1], seconds_left=None) for _ in range(2))
    assert first == second


def test_the_settings_own_rate_makes_no_difference() -> None:
    first, second = (
        sweeps_of(TrainConfig(freeze="last:1", epochs=1, learning_rate=rate))[-1]
        for rate in (1e-4, 1e-2)
    )
    assert first.losses == pytest.approx(second.losses, rel=1e-3)


def test_a_loss_that_is_no_number_ends_it() -> None:
    last = sweeps_of(TrainConfig(freeze="last:1", backbone_learning_rate=1e30))[-1]
    assert last.ended_early
    assert all(map(math.isfinite, last.losses))


def test_it_ends_without_a_suggestion_when_stopped() -> None:
    album = Album()
    job = TrainJob(
        images=album.images,
        split=album.split,
        picture_of=album.picture,
        backbone=tiny_backbone(),
        phases=(HEAD,),
    )
    calls = count()
    told = list(find_rate(job, cache=None, should_stop=lambda: next(calls) > 30))
    assert told
    assert not told[-1].is_over
    assert told[-1].suggested_rate is None


def test_the_smoothing_has_no_pull_to_zero() -> None:
    assert smoothed([2.0, 2.0, 2.0]) == pytest.approx((2.0, 2.0, 2.0))
    assert smoothed([1.0, 0.0])[-1] == pytest.approx(0.8 / 1.8)


def curve(*corners: tuple[float, float]) -> list[float]:
    """A loss at each rate: straight over the rate's logarithm between (rate, loss) corners."""
    found = []
    for rate in RATES:
        for (low, before), (high, after) in pairwise(corners):
            if low <= rate * (1 + 1e-9) and rate <= high * (1 + 1e-9):
                share = math.log(rate / low) / math.log(high / low)
                found.append(before + (after - before) * share)
                break
    return found


def test_a_clear_descent_is_taken_where_it_is_steepest() -> None:
    losses = curve((1e-6, 2.3), (1e-4, 2.2), (3e-3, 1.4), (5e-3, 0.8), (5e-2, 0.5), (10, 9.0))
    reason = explain(RATES, losses, first_loss=2.3, is_trained=False)
    assert reason.rule == "steepest"
    assert reason.steepest_rate == pytest.approx(3.5e-3, rel=0.4)
    assert reason.lowest_rate == pytest.approx(5e-2, rel=0.2)


def test_a_jump_at_a_rate_that_changes_nothing_does_not_count() -> None:
    losses = curve((1e-6, 2.3), (2e-5, 2.3), (3e-5, 1.2), (1e-2, 0.5), (10, 9.0))
    reason = explain(RATES, losses, first_loss=2.3, is_trained=False)
    assert reason.steepest_rate < 1e-4
    assert reason.rule == "tenth"
    assert reason.lowest_rate == pytest.approx(1e-2, rel=0.2)


@pytest.mark.parametrize(
    "losses",
    [
        curve((1e-6, 0.15), (5e-5, 0.16), (8e-5, 0.13), (5e-3, 0.12), (3e-2, 0.16), (10, 5.0)),
        curve((1e-6, 0.15), (1e-5, 0.14), (1e-4, 0.11), (3e-2, 0.16), (10, 5.0)),
        curve((1e-6, 0.16), (3e-2, 0.16), (10, 5.0)),
    ],
    ids=["chance descent", "chance low", "flat"],
)
def test_losses_that_fall_too_little_show_what_is_safe(losses: list[float]) -> None:
    reason = explain(RATES, losses, first_loss=0.1601, is_trained=True)
    untrained = explain(RATES, losses, first_loss=0.1601, is_trained=False)
    assert (reason.rule, untrained.rule) == ("safe", "safe tenth")
    assert reason.safe_rate == pytest.approx(3e-2, rel=0.2)


def test_after_a_trained_head_the_harmless_rate_is_suggested_and_else_a_tenth_of_it() -> None:
    raw = curve((1e-6, 0.15), (1e-5, 0.14), (1e-4, 0.11), (3e-2, 0.16), (10, 5.0))
    for is_after_head, share in ((True, 1.0), (False, 0.1)):
        sweep = RateSweep(config=TOP, is_after_head=is_after_head, rates=RATES, losses=tuple(raw))
        found = _concluded(sweep, raw)
        assert found.reason is not None
        assert found.suggested_rate == pytest.approx(share * found.reason.safe_rate, rel=0.1)


def test_where_no_growth_was_seen_a_tenth_is_suggested() -> None:
    flat = [0.15] * len(RATES)
    assert explain(RATES, flat, first_loss=0.15, is_trained=True).rule == "safe tenth"
    grown = [0.15, *([0.2] * (len(RATES) - 1))]
    assert explain(RATES, grown, first_loss=0.14, is_trained=True).rule == "safe tenth"


@pytest.mark.parametrize(("phases", "is_after_head"), [((TOP,), False), ((HEAD, TOP), True)])
def test_a_search_knows_whether_the_head_was_trained(
    phases: tuple[TrainConfig, ...], is_after_head: bool
) -> None:
    assert sweeps_of(*phases)[-1].is_after_head is is_after_head
