"""Going on from a saved state equals never having stopped."""

from typing import Any

import pytest
import torch

from tests.training.test_session import is_equal, training_in_phases, weights_of
from tests.training.tiny import Album, tiny_backbone
from tlapp.training.config import TrainConfig
from tlapp.training.events import EpochFinished, PhaseStarted, TrainingFinished
from tlapp.training.state import State
from tlapp.training.task import Start

HEAD = TrainConfig(epochs=4, batch_size=6)
FINE = TrainConfig(freeze="last:1", epochs=4, batch_size=6, learning_rate=0.01, augmented_views=1)
SGD = TrainConfig(freeze="none", epochs=4, batch_size=6, optimizer="sgd")
NORMS = TrainConfig(freeze="none", epochs=4, batch_size=6, train_batchnorm=True)


def run_until(phases: tuple[TrainConfig, ...], epoch: int) -> tuple[list[EpochFinished], State]:
    """The epochs told up to `epoch`, and the state after it."""
    told = []
    for event in training_in_phases(Album(), tiny_backbone(), phases):
        if isinstance(event, EpochFinished):
            told.append(event)
            if event.epoch == epoch:
                return told, event.save_state()
    raise AssertionError(f"there is no epoch {epoch}")


def go_on(
    phases: tuple[TrainConfig, ...], told: list[EpochFinished], state: State | None, phase: int
) -> list[Any]:
    best = [epoch for epoch in told if epoch.is_best][-1].classifier
    start = Start(phase=phase, told=tuple(told), best=best, state=state)
    return list(training_in_phases(Album(), tiny_backbone(), phases, start=start))


@pytest.mark.parametrize(
    ("phases", "epoch", "phase"),
    [
        ((HEAD,), 2, 1),
        ((FINE,), 1, 1),
        ((SGD,), 3, 1),
        ((NORMS,), 2, 1),
        ((HEAD, FINE), 2, 1),
        ((HEAD, FINE), 6, 2),
    ],
)
def test_going_on_equals_never_having_stopped(
    phases: tuple[TrainConfig, ...], epoch: int, phase: int
) -> None:
    *whole, last = training_in_phases(Album(), tiny_backbone(), phases)
    told, state = run_until(phases, epoch)
    *later, second = go_on(phases, told, state, phase)
    assert isinstance(last, TrainingFinished)
    assert isinstance(second, TrainingFinished)
    assert is_equal(weights_of(last.result), weights_of(second.result))
    assert (last.result.best_epoch, last.result.valid_accuracy) == (
        second.result.best_epoch,
        second.result.valid_accuracy,
    )
    epochs = [event for event in whole if isinstance(event, EpochFinished)]
    again = [event for event in later if isinstance(event, EpochFinished)]
    assert [event.epoch for event in again] == [event.epoch for event in epochs[epoch:]]
    assert [event.valid_loss for event in again] == [event.valid_loss for event in epochs[epoch:]]


def test_a_finished_head_is_taken_up_by_a_second_phase() -> None:
    told, _ = run_until((HEAD,), 4)
    *_, in_one = training_in_phases(Album(), tiny_backbone(), (HEAD, FINE))
    events = go_on((HEAD, FINE), told, None, 2)
    started = [event for event in events if isinstance(event, PhaseStarted)]
    assert [(phase.phase, phase.first_epoch) for phase in started] == [(2, 5)]
    assert is_equal(weights_of(events[-1].result), weights_of(in_one.result))  # type: ignore[union-attr]


def test_a_state_is_a_copy_that_further_learning_does_not_change() -> None:
    events = training_in_phases(Album(), tiny_backbone(), (FINE,))
    epoch = next(event for event in events if isinstance(event, EpochFinished))
    state = epoch.save_state()
    before = {name: tensor.clone() for name, tensor in state.items()}
    list(events)
    assert all(torch.equal(tensor, before[name]) for name, tensor in state.items())
