"""What is said of runs: nothing of good ones, the right thing of others."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.runs.examples import make_record, make_row
from tests.training.tiny import Album, tiny_backbone
from tlapp.evaluation.diagnosis import diagnose
from tlapp.messages import number, percent
from tlapp.runs.record import EpochRow, RunRecord
from tlapp.runs.recorder import epoch_row
from tlapp.training.config import TrainConfig
from tlapp.training.events import EpochFinished
from tlapp.training.session import train
from tlapp.training.task import TrainJob
from tlapp.ui.text.diagnosis import diagnosis

CLASSES = ("a", "b", "c", "d")
GUESSING = math.log(4)


def rows(train_loss: Sequence[float], valid_loss: Sequence[float], **values: Any) -> list[EpochRow]:
    """Epochs with these losses; the running loss is a little above the one in eval mode."""
    pairs = zip(train_loss, valid_loss, strict=True)
    return [
        make_row(epoch, train_loss=1.02 * loss, train_eval_loss=loss, valid_loss=valid, **values)
        for epoch, (loss, valid) in enumerate(pairs, start=1)
    ]


def run(epochs: Sequence[EpochRow], **values: Any) -> RunRecord:
    record = make_record(
        class_names=CLASSES,
        epochs=tuple(epochs),
        state="finished",
        valid_count=400,
        valid_class_counts=(100,) * 4,
    )
    return replace(record, **{"valid_interval": (0.7, 0.8)} | values)


def said(record: RunRecord) -> list[str]:
    return [finding.trouble for finding in diagnose(record)]


GOOD = rows([1.2, 0.7, 0.5, 0.42, 0.41, 0.40], [1.25, 0.8, 0.6, 0.55, 0.54, 0.54])


def test_of_a_good_run_nothing_is_said() -> None:
    assert said(run(GOOD)) == []
    assert said(run([])) == []


@pytest.mark.parametrize("loss", [2.5, 40.0, math.nan, math.inf])
def test_a_loss_above_guessing_is_diverging(loss: float) -> None:
    record = run([*GOOD, make_row(7, train_loss=loss)])
    assert said(record) == ["diverging"]
    assert said(replace(record, state="running")) == ["diverging"]


def test_a_loss_that_hardly_falls_needs_a_larger_rate() -> None:
    slow = [1.38, 1.37, 1.36, 1.35]
    assert said(run(rows(slow, slow))) == ["rate_too_small"]
    assert said(run(rows(slow[:2], slow[:2]))) == []  # too early to say
    converged = [0.31, 0.30, 0.30, 0.30]
    assert said(run(rows(converged, converged))) == []


def test_a_held_out_loss_that_rises_is_overfitting_and_since_when() -> None:
    record = run(rows([1.0, 0.5, 0.3, 0.2, 0.1, 0.05], [1.1, 0.7, 0.6, 0.66, 0.8, 0.9]))
    (finding,) = diagnose(record)
    assert (finding.trouble, finding.figures) == ("overfitting", (3, 0.6, 0.9))
    assert diagnosis(finding)[0].value("epoch") == "3"


def test_a_run_that_still_falls_needs_more_epochs() -> None:
    record = run(rows([1.2, 1.0, 0.8], [1.25, 1.05, 0.85]))
    assert said(record) == ["not_converged"]
    up_and_down = rows([1.2, 0.9, 0.7, 0.6, 0.5], [1.25, 0.72, 0.98, 0.85, 0.73])
    assert "not_converged" not in said(run(up_and_down))
    assert said(replace(record, state="running")) == []  # it is not over


def test_few_held_out_pictures_leave_the_accuracy_open() -> None:
    record = run(GOOD, valid_count=12, valid_interval=(0.5, 0.9))
    (finding,) = diagnose(record)
    what, _ = diagnosis(finding)
    assert what.value("count") == 12
    assert (what.value("low"), what.value("high")) == (number(50), percent(0.9))


def test_one_answer_for_everything_is_told_with_its_class() -> None:
    last = make_row(7, valid_class_correct=(0, 98, 3, 0))
    (finding,) = diagnose(run([*GOOD, last]))
    assert finding.trouble == "one_class"
    assert diagnosis(finding)[0].value("name") == "b"
    assert said(run([*GOOD, make_row(7, valid_class_correct=(90, 98, 95, 92))])) != ["one_class"]


def test_why_the_held_out_loss_is_below_the_running_one_is_explained() -> None:
    epochs = [replace(row, train_loss=2 * row.train_eval_loss) for row in GOOD]
    (finding,) = diagnose(run(epochs))
    assert finding.trouble == "held_out_better"
    what, compare = diagnosis(finding)
    assert what.value("held_out") == number(0.54, 2)
    assert what.value("learning") == number(0.8, 2)
    assert compare.value("loss") == number(0.4, 2)


def test_only_the_last_phase_is_judged() -> None:
    first = rows([1.38] * 4, [1.38] * 4)
    assert said(run(first)) == ["rate_too_small"]
    second = [replace(row, phase=2, epoch=row.epoch + 4) for row in GOOD]
    assert said(run([*first, *second])) == []


def test_every_finding_has_words() -> None:
    for record in (
        run(rows([1.38] * 4, [1.38] * 4)),
        run(rows([1.2, 1.0, 0.8], [1.25, 1.05, 0.85]), valid_interval=(0.1, 0.9)),
    ):
        for finding in diagnose(record):
            what, to_do = diagnosis(finding)
            assert what.template.endswith(".")
            assert to_do.template.endswith(".")


def epochs_of(**wishes: Any) -> RunRecord:
    """A real training of the tiny network."""
    album = Album()
    job = TrainJob(
        images=album.images,
        split=album.split,
        picture_of=album.picture,
        backbone=tiny_backbone(),
        phases=(TrainConfig(**wishes),),
    )
    epochs = [
        epoch_row(event)
        for event in train(job, cache=None, should_stop=lambda: False)
        if isinstance(event, EpochFinished)
    ]
    return run(epochs, class_names=album.images.class_names, valid_class_counts=())


def test_a_real_training_at_a_tiny_rate_is_found_out() -> None:
    assert said(epochs_of(epochs=5, learning_rate=1e-8)) == ["rate_too_small"]


def test_a_head_that_fine_tuning_spoiled_is_said_and_not_taken_for_getting_better() -> None:
    head = make_row(1, valid_loss=0.1, valid_accuracy=1.0)
    tuned = [
        make_row(number, phase=2, valid_loss=loss, valid_accuracy=0.8, train_eval_loss=0.1)
        for number, loss in enumerate((0.55, 0.5, 0.4, 0.3), start=2)
    ]
    record = run([head, *tuned], best_epoch=1)
    assert said(record) == ["head_spoiled"]
    sentence, _ = diagnosis(diagnose(record)[0])
    losses = sentence.value("before"), sentence.value("after")
    assert losses == (number(0.1, 2), number(0.55, 2))
    assert sentence.value("epoch") == "2"
    better = run([head, *tuned[:-1], replace(tuned[-1], valid_accuracy=1.0, valid_loss=0.05)])
    assert "head_spoiled" not in said(better)
    assert "head_spoiled" not in said(replace(record, state="running"))
    rising = [replace(row, valid_loss=0.11 * 2**row.epoch) for row in tuned]
    assert said(run([head, *rising], best_epoch=1)) != ["head_spoiled"]
    assert "head_spoiled" not in said(run([head, tuned[0]], state="stopped", best_epoch=1))
    gentle = run([head, *(replace(row, valid_loss=0.12) for row in tuned)])
    assert "head_spoiled" not in said(gentle)


def test_an_early_epoch_that_is_kept_though_the_loss_fell_on_is_explained() -> None:
    hits = ("1111", "1110", "1110", "1110")
    losses = rows([0.9, 0.6, 0.55, 0.5], [0.8, 0.5, 0.49, 0.48])
    course = [replace(row, valid_hits=hit) for row, hit in zip(losses, hits, strict=True)]
    record = run(course, best_epoch=1)
    assert said(record) == ["early_best"]
    sentence, _ = diagnosis(diagnose(record)[0])
    assert sentence.value("count") == 1
    assert (sentence.value("kept"), sentence.value("other")) == ("1", "4")
    assert sentence.value("kept_loss") == number(0.8, 2)
    assert sentence.value("other_loss") == number(0.48, 2)
    assert said(replace(record, best_epoch=4)) == []
    certain = [replace(row, valid_hits=row.valid_hits * 20) for row in course]
    certain[1:] = [replace(row, valid_hits="0" * 80) for row in certain[1:]]
    assert said(run(certain, best_epoch=1)) == []
    level = [replace(row, valid_hits="1111") for row in course]
    assert said(run(level, best_epoch=1)) == []
    steady = [course[0], *(replace(row, valid_loss=0.75) for row in course[1:])]
    assert said(run(steady, best_epoch=1)) == []
