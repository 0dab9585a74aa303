"""The first steps of a phase, at chosen rates."""

import math
from itertools import count

import pytest
import torch

from tests.training.tiny import Album, tiny_backbone
from tlapp.backbones.loading import Backbone
from tlapp.training.config import TrainConfig
from tlapp.training.events import EpochFinished
from tlapp.training.rehearsal import StepLoss, rehearse
from tlapp.training.session import train
from tlapp.training.task import TrainJob

HEAD = TrainConfig(epochs=1, batch_size=18, dropout=0.0)
TOP = TrainConfig(freeze="last:1", epochs=1, batch_size=6)


def job_of(*phases: TrainConfig, backbone: Backbone | None = None) -> TrainJob:
    album = Album()
    return TrainJob(
        images=album.images,
        split=album.split,
        picture_of=album.picture,
        backbone=backbone or tiny_backbone(),
        phases=phases,
    )


def losses_of(job: TrainJob, *scales: float) -> list[float]:
    events = rehearse(job, scales, cache=None, should_stop=lambda: False)
    return [event.loss for event in events if isinstance(event, StepLoss)]


@pytest.mark.parametrize("config", [HEAD, TOP])
def test_the_first_step_begins_where_training_begins(config: TrainConfig) -> None:
    first, _ = losses_of(job_of(config), 1.0, 1.0)
    assert first == pytest.approx(math.log(3), rel=1e-5)  # an untrained head guesses among 3


@pytest.mark.parametrize("config", [HEAD, TOP])
def test_a_step_at_no_rate_changes_nothing_and_a_larger_one_changes_more(
    config: TrainConfig,
) -> None:
    untrained = math.log(3)
    assert losses_of(job_of(config), 0.0, 0.0, 0.0)[-1] == pytest.approx(untrained, rel=1e-5)
    small, large = (losses_of(job_of(config), scale, 0.0)[-1] for scale in (0.1, 1.0))
    assert abs(large - untrained) > abs(small - untrained) > 0


def test_its_steps_are_those_of_training() -> None:
    """One whole batch an epoch: the loss of the second step is that of the second epoch."""
    job = job_of(TrainConfig(epochs=2, batch_size=18, dropout=0.0))
    epochs = train(job, cache=None, should_stop=lambda: False)
    trained = [event.train_loss for event in epochs if isinstance(event, EpochFinished)]
    assert losses_of(job, 1.0, 1.0) == pytest.approx(trained, rel=1e-6)


def test_there_may_be_more_steps_than_a_pass_has_batches() -> None:
    assert len(losses_of(job_of(TOP), *[1e-3] * 8)) == 8


def test_a_phase_after_the_head_begins_with_a_trained_head() -> None:
    fresh = losses_of(job_of(TOP), 1.0)[0]
    begun = losses_of(job_of(TrainConfig(epochs=40, learning_rate=0.02), TOP), 1.0)[0]
    assert begun < 0.8 * fresh


@pytest.mark.parametrize("config", [HEAD, TOP])
def test_nothing_of_the_backbone_changes(config: TrainConfig) -> None:
    backbone = tiny_backbone()
    before = {name: tensor.clone() for name, tensor in backbone.module.state_dict().items()}
    losses_of(job_of(config, backbone=backbone), 10.0, 10.0)
    for name, tensor in backbone.module.state_dict().items():
        assert torch.equal(tensor, before[name]), name


@pytest.mark.parametrize("config", [HEAD, TOP])
def test_a_loss_that_is_lost_is_told_and_not_raised(config: TrainConfig) -> None:
    losses = losses_of(job_of(config), *[1e30] * 4)
    assert len(losses) == 4
    assert not math.isfinite(losses[-1]) or losses[-1] > 1e6


@pytest.mark.parametrize("phases", [(HEAD,), (TOP,), (HEAD, TOP)])
def test_it_ends_when_stopped(phases: tuple[TrainConfig, ...]) -> None:
    calls = count()
    events = rehearse(
        job_of(*phases), [1.0] * 10**6, cache=None, should_stop=lambda: next(calls) > 20
    )
    assert sum(isinstance(event, StepLoss) for event in events) < 21
