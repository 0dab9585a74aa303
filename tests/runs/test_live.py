"""A run at one moment, folded from its events, and the time that is left."""

from tests.runs.examples import make_record
from tlapp.runs.live import LiveTracker, Pace
from tlapp.training.events import PreparingFeatures


def test_the_first_speeds_say_nothing_of_the_time_left() -> None:
    tracker = LiveTracker(make_record())
    told = []
    for done in range(10, 101, 10):
        tracker.on_event(PreparingFeatures(done, 100, 20.0))
        told.append(tracker.live.seconds_left)
    assert told[:5] == [None] * 5
    assert told[5:] == [2.0, 1.5, 1.0, 0.5, 0.0]


def left_over(epochs: int, batches: int, step: float, measuring: float) -> list[float]:
    """What is said after each step and epoch of a training at an even pace, and the truth."""
    pace, at, errors = Pace(epochs), 100.0, []
    pace.begin(at)
    end = at + epochs * (batches * step + measuring)
    for epoch in range(1, epochs + 1):
        for batch in range(1, batches + 1):
            at += step
            said = pace.step(epoch, batch, batches, at=at)
            assert said is not None
            errors.append(said - (end - at))
        at += measuring
        said = pace.epoch(epoch, batches * step + measuring, batches, at=at)
        errors.append(said - (end - at))
    return errors


def test_after_the_first_epoch_the_figure_is_right_and_stays_so() -> None:
    errors = left_over(5, 10, 1.0, 2.0)
    assert all(abs(error) < 1e-6 for error in errors[11:])
    assert all(abs(error) < 5 for error in errors[:11])


def test_epochs_that_tell_no_steps_are_counted_whole() -> None:
    pace = Pace(10)
    said = [pace.epoch(epoch, 2.0, 0, at=2.0 * epoch) for epoch in range(1, 11)]
    assert said == [2.0 * (10 - epoch) for epoch in range(1, 11)]


def test_a_machine_that_becomes_busy_is_followed() -> None:
    pace = Pace(1)
    pace.begin(0.0)
    at, said = 0.0, 0.0
    for batch in range(1, 101):
        at += 1.0 if batch <= 50 else 2.0
        said = pace.step(1, batch, 200, at=at) or 0.0
    assert 240 < said < 270  # 100 steps of 2 s, and a guess of 60 s for the measuring
