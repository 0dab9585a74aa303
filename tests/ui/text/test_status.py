"""The status line says at each moment what happens, how far it is and what comes next."""

from typing import Any

import pytest

from tests.runs.examples import make_record, make_row
from tlapp.runs.live import LiveRun
from tlapp.ui.text.status import status_of


def _say(*, record: dict[str, Any] | None = None, **live: Any) -> str:
    phase = live.pop("phase", "waiting")
    return str(status_of(LiveRun(record=make_record(**(record or {})), phase=phase, **live)))


@pytest.mark.parametrize(
    ("live", "sentence"),
    [
        ({"queue_position": 0}, "Waiting for its turn: yours is next."),
        ({"queue_position": 1}, "Waiting for its turn: yours is next."),
        (
            {"queue_position": 1, "waiting_seconds": 400.0},
            "Waiting for its turn: yours is next, about 7 min.",
        ),
        ({"queue_position": 2}, "Waiting: 1 other goes first."),
        (
            {"queue_position": 4, "waiting_seconds": 150.0},
            "Waiting: 3 others go first, about 2 min 30 s.",
        ),
    ],
)
def test_a_run_that_waits_says_how_many_go_first(live: dict[str, Any], sentence: str) -> None:
    assert _say(**live) == sentence


def test_a_download_says_how_much_has_come_and_that_it_is_done_once() -> None:
    sentence = _say(
        phase="download", download_done_bytes=12_000_000, download_total_bytes=45_000_000
    )
    assert sentence == "Downloading the weights: 12 MB of 45 MB. This is done once."


def test_pictures_that_pass_the_backbone_are_counted_with_their_speed() -> None:
    assert _say(phase="features", features_total=300) == "Loading the backbone."
    asked: dict[str, Any] = {
        "phase": "features",
        "features_done": 120,
        "features_total": 300,
        "features_per_second": 41.7,
        "seconds_left": 4.3,
    }
    sentence = _say(**asked)
    assert sentence.startswith(
        "Looking at picture 120 of 300, 42 a second. About 4 s left for that."
    )
    assert "only the head learns" in sentence
    views = _say(**asked, record={"config": {"freeze": "last:2", "augmented_views": 3}})
    assert views.startswith(
        "Looking at picture 120 of 300 (those to learn from in 4 views), 42 a second."
    )
    assert "what is open learns" in views


def test_what_the_meter_asks_of_the_untouched_network_is_told_apart() -> None:
    sentence = _say(phase="features", features_done=3, features_total=60, asks_original=True)
    assert sentence.startswith("The untouched network looks at picture 3 of 60")
    assert "read once" not in sentence


def test_a_training_says_its_epoch_its_best_and_the_time_left() -> None:
    assert _say(phase="training", epoch=1, epochs=30) == "Epoch 1 of 30."
    rows = (make_row(1, valid_accuracy=0.7), make_row(2, valid_accuracy=0.6, is_best=False))
    sentence = _say(
        phase="training",
        record={"epochs": rows},
        epoch=2,
        epochs=30,
        batch=3,
        batches=9,
        seconds_left=12.2,
    )
    assert sentence == (
        "Epoch 2 of 30, step 3 of 9. Best so far: 70\u00a0% held-out, epoch 1. About 12 s left."
    )


def test_without_held_out_pictures_nothing_is_called_the_best() -> None:
    row = make_row(1, valid_accuracy=None, valid_loss=None)
    assert (
        _say(phase="training", record={"epochs": (row,)}, epoch=1, epochs=3, seconds_left=0.5)
        == "Epoch 1 of 3."
    )


def test_a_finished_run_says_its_result_and_the_next_step() -> None:
    ended = {
        "state": "finished",
        "epochs": (make_row(1),),
        "best_epoch": 1,
        "valid_accuracy": 0.84,
        "seconds": 6.2,
    }
    assert _say(phase="done", record=ended) == (
        "Finished in 6 s. 84\u00a0% of the held-out pictures are right (epoch 1). "
        "Try it on new pictures."
    )
    nothing_held_out = {**ended, "valid_accuracy": None, "train_count": 1}
    assert _say(phase="done", record=nothing_held_out) == (
        "Finished in 6 s. 1 picture learned. Try it on new pictures."
    )


def test_a_fine_tuning_that_came_to_less_than_the_head_says_so() -> None:
    ended = {
        "state": "finished",
        "epochs": (
            make_row(1, valid_accuracy=1.0),
            make_row(2, phase=2, valid_accuracy=0.89, is_best=False),
        ),
        "best_epoch": 1,
        "valid_accuracy": 1.0,
        "seconds": 36.0,
    }
    assert _say(phase="done", record=ended) == (
        "Finished in 36 s. Fine-tuning came to 89\u00a0%; the head from before is kept: "
        "100\u00a0% of the held-out pictures are right (epoch 1). Try it on new pictures."
    )
    second_of_three = (
        make_row(1),
        make_row(2, phase=2, valid_accuracy=0.89),
        make_row(3, phase=3, valid_accuracy=0.8, is_best=False),
    )
    kept = {**ended, "epochs": second_of_three, "best_epoch": 2, "valid_accuracy": 0.89}
    assert "from before" not in _say(phase="done", record=kept)
    better = (make_row(1), make_row(2, phase=2, valid_accuracy=0.89))
    gained = {**ended, "epochs": better, "best_epoch": 2, "valid_accuracy": 0.89}
    assert "from before" not in _say(phase="done", record=gained)


def test_a_stopped_run_says_once_what_is_kept() -> None:
    ended = {
        "state": "stopped",
        "epochs": (make_row(1),),
        "best_epoch": 1,
        "valid_accuracy": 0.84,
        "message": "Stopped after 1 of 30 epochs. The best one (1) is kept.",
    }
    assert _say(phase="done", record=ended) == (
        "Stopped after 1 of 30 epochs. The best one (1) is kept. "
        "84\u00a0% of the held-out pictures are right (epoch 1). Try it on new pictures."
    )
    assert _say(phase="done", record={**ended, "message": ""}).startswith(
        "Stopped. The best epoch so far is kept. 84\u00a0%"
    )


@pytest.mark.parametrize("message", ["", "Stopped before the first epoch was finished."])
def test_a_run_that_was_stopped_too_early_says_to_train_again(message: str) -> None:
    assert _say(phase="done", record={"state": "stopped", "message": message}) == (
        "Stopped before the first epoch was finished. Press Train again."
    )


def test_a_run_that_goes_on_from_another_and_was_killed_at_once_says_where_that_one_is() -> None:
    message = "The program ended during this training. Nothing was learned yet."
    record = make_record(
        state="stopped", epochs=(make_row(1),), best_epoch=None, message=message, continues="r_1"
    )
    said = str(status_of(LiveRun(record=record, phase="done")))
    assert said.startswith(f"{message} The run that it went on from is kept")
    assert "learned. Now" not in said


def test_a_failed_run_says_why_and_what_to_do() -> None:
    failed = {"state": "failed", "message": "The disk is full.", "hint": "Make room."}
    assert _say(phase="done", record=failed) == "The disk is full. Make room."


def test_a_finished_run_says_what_was_lost_of_it() -> None:
    lost = "The figures of epoch 2 are lost: its log was damaged."
    record = {"state": "finished", "epochs": (make_row(1),), "best_epoch": 1, "message": lost}
    assert _say(phase="done", record=record).startswith(f"Finished. {lost} ")
