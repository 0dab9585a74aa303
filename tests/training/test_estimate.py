"""How long a training will take."""

from dataclasses import replace

import pytest

from tests.training.tiny import tiny_backbone
from tlapp.training.config import TrainConfig
from tlapp.training.estimate import Workload, estimate_seconds

WORK = Workload(train_count=500, valid_count=146, class_count=10, stage_shares=(0.75, 0.25))


def seconds(config: TrainConfig, work: Workload = WORK) -> float:
    return estimate_seconds(tiny_backbone(), config, work, images_per_second=100.0)


def test_a_frozen_training_takes_one_pass_over_the_pictures() -> None:
    assert 6.46 < seconds(TrainConfig()) < 10


def test_pictures_in_the_cache_cost_nothing() -> None:
    cached = replace(WORK, cached_count=646)
    assert 0 < seconds(TrainConfig(), cached) < 1


def test_views_cost_a_pass_each() -> None:
    plain, viewed = seconds(TrainConfig()), seconds(TrainConfig(augmented_views=2))
    assert 1000 / 100 <= viewed - plain <= 1.5 * 1000 / 100


def test_everything_costs_every_epoch() -> None:
    one, five = (seconds(TrainConfig(freeze="none", epochs=n)) for n in (1, 5))
    assert 4 < five / one <= 5
    assert one > 3 * 500 / 100


def test_what_is_frozen_below_costs_a_pass_in_every_epoch_where_it_is_not_kept() -> None:
    config = TrainConfig(freeze="last:1", epochs=5)
    more = seconds(config, replace(WORK, is_boundary_kept=False)) - seconds(config)
    assert more == pytest.approx(5 * (500 + 200 + 146) * 0.75 / 100)


def test_what_is_frozen_below_costs_one_pass_and_the_rest_every_epoch() -> None:
    one, five = (seconds(TrainConfig(freeze="last:1", epochs=n)) for n in (1, 5))
    whole = seconds(TrainConfig(freeze="none", epochs=5))
    assert 0.2 < (five - one) / 4 / (whole / 5) < 0.35
