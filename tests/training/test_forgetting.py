"""The forgetting meter: what it says of a network that moves, and of one that does not."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.training.test_session import (
    events_of,
    is_equal,
    result_of,
    training_in_phases,
    weights_of,
)
from tests.training.tiny import Album, tiny_backbone
from tlapp.evaluation.predict import features_of
from tlapp.training import finetune
from tlapp.training.config import TrainConfig
from tlapp.training.events import EpochFinished, PreparingFeatures
from tlapp.training.forgetting import Forgetting, ForgettingMeter


def told(**wishes: Any) -> list[Forgetting]:
    events = events_of(Album(), tiny_backbone(), **wishes)
    epochs = [event for event in events if isinstance(event, EpochFinished)]
    return [epoch.forgetting for epoch in epochs if epoch.forgetting is not None]


def test_a_network_that_has_not_moved_has_forgotten_nothing() -> None:
    album, backbone = Album(), tiny_backbone()
    features_ND = features_of(backbone, album.pictures())
    meter = ForgettingMeter(backbone, features_ND)
    assert meter.measure(backbone.module, features_ND) == Forgetting(1.0, (0.0, 0.0))


def test_drift_is_the_length_of_the_way_over_the_length_of_the_weights() -> None:
    album, backbone = Album(), tiny_backbone()
    features_ND = features_of(backbone, album.pictures())
    moved = tiny_backbone().module
    with torch.no_grad():
        for parameter in moved.features.top.parameters():  # type: ignore[union-attr]
            parameter.mul_(1.25)
    measured = ForgettingMeter(backbone, features_ND).measure(moved, -features_ND)
    assert measured.drift == (0.0, pytest.approx(0.25))
    assert measured.agreement < 1.0


def test_a_large_rate_forgets_more_than_a_small_one() -> None:
    small = told(freeze="none", epochs=4, learning_rate=1e-3, backbone_learning_rate=1e-7)
    large = told(freeze="none", epochs=4, learning_rate=1e-3, backbone_learning_rate=0.3)
    assert len(small) == len(large) == 4
    assert small[-1].agreement == 1.0
    assert large[-1].agreement < 1.0
    assert all(0 < a < b for a, b in zip(small[-1].drift, large[-1].drift, strict=True))


def test_frozen_stages_have_not_moved_at_all() -> None:
    last = told(freeze="last:1", epochs=3, backbone_learning_rate=0.01)[-1]
    assert last.drift[0] == 0.0
    assert last.drift[1] > 0.0


def test_the_head_alone_and_random_weights_forget_nothing() -> None:
    assert told(freeze="head") == []
    events = events_of(Album(), tiny_backbone(pretrained=False), freeze="none", pretrained=False)
    epochs = [event for event in events if isinstance(event, EpochFinished)]
    assert [epoch.forgetting for epoch in epochs] == [None, None]


def test_a_later_phase_is_held_against_the_network_of_the_beginning() -> None:
    phase = TrainConfig(freeze="last:1", epochs=2, batch_size=6, backbone_learning_rate=0.02)
    still = replace(phase, backbone_learning_rate=1e-9)
    events = training_in_phases(Album(), tiny_backbone(), (phase, still))
    epochs = [event for event in events if isinstance(event, EpochFinished)]
    drifts = [epoch.forgetting.drift[1] for epoch in epochs if epoch.forgetting]
    assert len(drifts) == 4
    assert drifts[2] > 0.5 * max(drifts[:2])  # it begins where the best epoch left off


def test_what_the_untouched_network_looks_at_first_is_told() -> None:
    album = Album()
    events = training_in_phases(album, tiny_backbone(), (TrainConfig(freeze="none", epochs=1),))
    told = [event for event in events if isinstance(event, PreparingFeatures)]
    count = len(album.split.valid)
    assert [(e.done, e.total) for e in told if e.asks_original][-1] == (count, count)
    assert {e.total for e in told if not e.asks_original} == {count + len(album.split.train)}


def no_meter(*args: Any) -> Iterator[PreparingFeatures]:
    """Stands in for `prepare_meter`."""
    yield from ()


def test_the_meter_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with_meter = result_of(Album(), tiny_backbone(), freeze="none")
    monkeypatch.setattr(finetune, "prepare_meter", no_meter)
    assert is_equal(
        weights_of(with_meter), weights_of(result_of(Album(), tiny_backbone(), freeze="none"))
    )
