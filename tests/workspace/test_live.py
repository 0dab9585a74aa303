"""A run at one moment, folded from its events."""

from tests.runs.examples import make_record
from tlapp.runs.live import LiveTracker
from tlapp.training.events import PreparingFeatures


def test_the_first_speeds_say_nothing_of_the_time_left() -> None:
    tracker = LiveTracker(make_record())
    told = []
    for done in range(10, 101, 10):
        tracker.on_event(PreparingFeatures(done, 100, 20.0))
        told.append(tracker.live.seconds_left)
    assert told[:5] == [None] * 5
    assert told[5:] == [2.0, 1.5, 1.0, 0.5, 0.0]
