"""How much memory a training will take: more of everything is more of it."""

from dataclasses import replace

import pytest
from torch import nn

from tests.training.tiny import tiny_backbone
from tlapp.backbones.costs import TopCosts
from tlapp.training.config import TrainConfig
from tlapp.training.estimate import Workload
from tlapp.training.inputs import MOST_ACTIVATION_BYTES
from tlapp.training.memory import estimate_bytes

WORK = Workload(train_count=500, valid_count=146, class_count=10, stage_shares=(0.75, 0.25))
WHOLE = TopCosts(has_bottom=False, entering=3 * 32 * 32, saved_bytes=10_000_000)
TOP = TopCosts(has_bottom=True, entering=2_000, saved_bytes=1_000_000)
EVERYTHING = TrainConfig(freeze="none")
LAST = TrainConfig(freeze="last:1")


def needed(config: TrainConfig, top: TopCosts = WHOLE, work: Workload = WORK) -> int:
    return estimate_bytes(tiny_backbone(), config, work, top)


def test_a_head_alone_holds_its_features() -> None:
    head, viewed = needed(TrainConfig()), needed(TrainConfig(augmented_views=2))
    assert viewed - head == 2 * 500 * 12 * 4  # views, pictures, width, bytes


def test_what_is_kept_at_the_boundary_counts_in_half_precision() -> None:
    more = replace(WORK, valid_count=246)
    assert needed(LAST, TOP, more) - needed(LAST, TOP) == 100 * 2_000 * 2


def test_a_boundary_that_is_too_large_is_not_kept() -> None:
    wide = replace(TOP, entering=MOST_ACTIVATION_BYTES // 1000)
    anew = replace(WORK, is_boundary_kept=False)
    assert needed(LAST, wide, anew) == needed(LAST, TOP, anew) < needed(LAST, wide)


def test_more_saved_for_the_gradients_takes_more() -> None:
    twice = replace(WHOLE, saved_bytes=20_000_000)
    assert needed(EVERYTHING, twice) > needed(EVERYTHING) + 4 * 10_000_000


@pytest.mark.parametrize("change", [{"pretrained": False}, {"train_batchnorm": True}])
def test_statistics_are_learned_from_whole_batches(change: dict[str, bool]) -> None:
    small, large = (needed(replace(EVERYTHING, batch_size=size, **change)) for size in (16, 32))
    saved = 16 * WHOLE.saved_bytes
    assert saved <= large - small <= 2 * saved


def test_a_network_without_batchnorm_learns_no_statistics() -> None:
    backbone = tiny_backbone()
    plain = replace(backbone, module=nn.Sequential(nn.Conv2d(3, 12, 1)))
    scratch = replace(EVERYTHING, pretrained=False)
    small, large = (
        estimate_bytes(plain, replace(scratch, batch_size=size), WORK, WHOLE) for size in (64, 128)
    )
    assert large == small  # as many pictures at once as cores take, whatever the batch
    assert small < estimate_bytes(backbone, replace(scratch, batch_size=64), WORK, WHOLE)
