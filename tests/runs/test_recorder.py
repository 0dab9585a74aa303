"""Recording: every epoch's row, the newest and the best model, and little time."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs.examples import (
    epoch_finished,
    finished,
    make_classifier,
    make_record,
    make_row,
    phase_started,
    published_backbone,
    started,
)
from tlapp.backbones.loading import Backbone
from tlapp.messages import message
from tlapp.runs.folder import RunFolder
from tlapp.runs.recorder import SAVE_PERIOD_SECONDS, UNSAVED_MESSAGE, RunRecorder
from tlapp.runs.store import RunStore


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return published_backbone()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunFolder]:
    store = RunStore(tmp_path / "runs")
    yield store.create(make_record())
    store.close()


class Clock:
    """Time that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_each_epoch_is_on_disk_before_the_next(run: RunFolder, backbone: Backbone) -> None:
    recorder = RunRecorder(run, run.record())
    recorder.start()
    recorder.on_event(started())
    recorder.on_event(phase_started())
    for epoch in (1, 2, 3):
        recorder.on_event(epoch_finished(make_classifier(backbone, epoch), epoch))
        assert [row.epoch for row in run.record().epochs] == list(range(1, epoch + 1))
    record = run.record()
    assert (record.state, record.train_count, record.valid_count) == ("running", 16, 4)
    assert record.started


def test_elapsed_time_counts_the_run_that_is_resumed_and_rows_of_an_earlier_version(
    run: RunFolder, backbone: Backbone
) -> None:
    recorder = RunRecorder(run, run.record())
    rows = (make_row(1, seconds=2.0), make_row(2, seconds=3.0))  # know nothing of elapsed time
    recorder.resume(rows, (1, make_classifier(backbone, 1)))
    recorder.start()
    recorder.on_event(epoch_finished(make_classifier(backbone, 3), 3))
    assert recorder.record.seconds_before == 5.0
    assert run.record().elapsed == pytest.approx((2.0, 5.0, 6.03))


def test_models_of_quick_epochs_are_saved_twice_a_second(
    run: RunFolder, backbone: Backbone
) -> None:
    clock = Clock()
    recorder = RunRecorder(run, run.record(), clock)
    for epoch in (1, 2, 3):
        recorder.on_event(epoch_finished(make_classifier(backbone, epoch), epoch))
    assert run.model_epochs() == (1,)
    clock.seconds += SAVE_PERIOD_SECONDS
    recorder.on_event(epoch_finished(make_classifier(backbone, 4), 4))
    assert run.model_epochs() == (4,)


def test_the_newest_and_the_best_model_are_kept_while_training(
    run: RunFolder, backbone: Backbone
) -> None:
    clock = Clock()
    recorder = RunRecorder(run, run.record(), clock)
    for epoch in (1, 2, 3, 4):
        event = epoch_finished(make_classifier(backbone, epoch), epoch, is_best=epoch == 2)
        recorder.on_event(event)
        clock.seconds += SAVE_PERIOD_SECONDS
    assert run.model_epochs() == (2, 4)
    assert recorder.latest is not None
    assert recorder.latest[0] == 4


def test_afterwards_the_best_model_alone_is_kept(run: RunFolder, backbone: Backbone) -> None:
    recorder = RunRecorder(run, run.record())
    recorder.on_event(started())
    for epoch in (1, 2, 3):
        event = epoch_finished(make_classifier(backbone, epoch), epoch, is_best=epoch == 2)
        recorder.on_event(event)
    recorder.on_event(finished(make_classifier(backbone, 2), 2))
    recorder.end("finished")
    assert run.model_epochs() == (2,)
    record = run.record()
    assert (record.state, record.best_epoch, record.valid_correct) == ("finished", 2, 3)
    assert recorder.latest is not None
    assert recorder.latest[0] == 2


def test_a_training_that_fails_keeps_its_best_epoch(run: RunFolder, backbone: Backbone) -> None:
    recorder = RunRecorder(run, run.record())
    recorder.on_event(started())
    for epoch in (1, 2):
        event = epoch_finished(make_classifier(backbone, epoch), epoch, is_best=epoch == 1)
        recorder.on_event(event)
    why, hint = message("Learning rate too high."), message("Try {rate}.", rate="0.001")
    recorder.end("failed", why=why, hint=hint)
    record = run.record()
    assert (record.state, record.best_epoch) == ("failed", 1)
    assert record.valid_interval is not None
    assert [(result.correct, result.total) for result in record.class_results] == [(2, 2), (1, 2)]
    assert (record.message, record.hint) == (why, hint)
    assert run.model_epochs() == (1,)


def test_a_run_without_an_epoch_ends_without_a_model(run: RunFolder) -> None:
    recorder = RunRecorder(run, run.record())
    recorder.start()
    recorder.end("stopped", why=message("Stopped."))
    assert (run.record().state, run.model_epochs()) == ("stopped", ())


def test_when_the_disk_refuses_the_record_in_memory_says_failed(
    run: RunFolder, backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = RunRecorder(run, run.record())
    recorder.on_event(epoch_finished(make_classifier(backbone, 1), 1))

    def refuse(self: RunFolder, *arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RunFolder, "write", refuse)
    with pytest.raises(OSError, match="No space"):
        recorder.end("finished")
    assert recorder.record.state == "failed"
    assert recorder.record.message == UNSAVED_MESSAGE
    assert [row.epoch for row in run.record().epochs] == [1]


def test_recording_thirty_quick_epochs_costs_little(run: RunFolder, backbone: Backbone) -> None:
    events = [epoch_finished(make_classifier(backbone, epoch), epoch) for epoch in range(1, 31)]
    recorder = RunRecorder(run, run.record())
    began = time.thread_time()  # this thread's work, whatever else the machine does
    recorder.start()
    recorder.on_event(started())
    recorder.on_event(phase_started())
    for event in events:
        recorder.on_event(event)
    recorder.on_event(finished(events[-1].classifier, 30))
    recorder.end("finished")
    assert time.thread_time() - began < 0.1
