"""What the figures of a run say about how it went: the usual troubles, each by its symptom."""

import math
from dataclasses import dataclass
from typing import Literal

from tlapp.runs.record import EpochRow, RunRecord, gain

Trouble = Literal[
    "one_class",  # every picture gets the same answer
    "diverging",  # the loss is above that of guessing
    "head_spoiled",  # fine-tuning began by undoing what the head had learned
    "rate_too_small",  # the loss has hardly fallen
    "overfitting",  # the held-out loss rises while the other falls
    "not_converged",  # it was still getting better at the end
    "early_best",  # an epoch is kept though the held-out loss fell on after it
    "few_held_out",  # the accuracy is hardly known
    "held_out_better",  # than the running loss, which is no trouble at all
]

MOST_TOLD = 3
_DIVERGED = 1.5  # times the loss of guessing; label smoothing and dropout stay below
_SPOILED = 1.5  # times the head's held-out loss, and _RISEN_NATS above it
_HARDLY_FALLEN = 0.85  # of the first epoch's loss; a good rate halves it within a few epochs
_NEAR_GUESSING = 0.7  # of the loss of guessing
_RISEN = 1.1  # times the lowest held-out loss, and
_RISEN_NATS = 0.05  # this much above it: below is noise between epochs
_STILL_FALLING = 0.97  # of the held-out loss two epochs before: 1.5 % an epoch, and
_FALLEN_NATS = 0.05  # this much below it
_FALLEN_ON = 0.8  # of the kept epoch's held-out loss, and _FALLEN_NATS below it
_WIDE_INTERVAL = 0.2  # of the accuracy: plus or minus 10 points
_NEARLY_ALL, _NEARLY_NONE = 0.9, 0.1
_CLEARLY_BETTER = 0.9  # times the running loss
_LEAST_EPOCHS = 3  # fewer show no course


@dataclass(frozen=True)
class Finding:
    """One trouble with the figures that show it; what they are depends on the trouble."""

    trouble: Trouble
    figures: tuple[float, ...] = ()
    name: str = ""  # the class, for "one_class"


def diagnose(record: RunRecord) -> tuple[Finding, ...]:
    """The gravest troubles of a run, also while it goes on; () when there is nothing to say.

    At most three, and none that another one explains.
    """
    rows = [row for row in record.epochs if row.phase == record.epochs[-1].phase]
    if not rows:
        return ()
    guessing = math.log(max(2, len(record.class_names)))
    grave = _one_class(record, rows[-1]) or _diverging(rows, guessing)
    if grave:
        return (grave,)
    course = (
        _head_spoiled(record, rows)
        or _rate_too_small(rows, guessing)
        or _overfitting(rows)
        or (_not_converged(rows) if record.is_over else None)
    )
    found = [
        course,
        _early_best(record, rows),
        _few_held_out(record),
        _held_out_better(rows) if not course else None,
    ]
    return tuple(finding for finding in found if finding)[:MOST_TOLD]


def _one_class(record: RunRecord, row: EpochRow) -> Finding | None:
    """Figures: how many of that class are right, of how many."""
    counts, correct = record.valid_class_counts, row.valid_class_correct
    if len(correct) != len(counts) or min(counts, default=0) < 2:
        return None
    shares = [right / count for right, count in zip(correct, counts, strict=True)]
    best = max(range(len(shares)), key=shares.__getitem__)
    others = [share for index, share in enumerate(shares) if index != best]
    if shares[best] < _NEARLY_ALL or max(others) > _NEARLY_NONE:
        return None
    return Finding("one_class", (correct[best], counts[best]), record.class_names[best])


def _diverging(rows: list[EpochRow], guessing: float) -> Finding | None:
    """Figures: the loss at the end, and that of guessing."""
    loss = rows[-1].train_loss
    is_bad = not math.isfinite(loss) or loss > _DIVERGED * guessing
    return Finding("diverging", (loss, guessing)) if is_bad else None


def _head_spoiled(record: RunRecord, rows: list[EpochRow]) -> Finding | None:
    """Figures: the head's held-out loss, the highest after it, and the epoch of that one."""
    head = record.best_row(1)
    if not record.is_over or not record.keeps_first_phase or head is None:
        return None
    before = _valid_loss(head)
    worst = max(rows, key=_valid_loss)
    has_risen = _valid_loss(worst) > max(_SPOILED * before, before + _RISEN_NATS)
    has_fallen = _valid_loss(rows[-1]) < _valid_loss(worst)
    if not (has_risen and has_fallen):  # it does well, learns by heart, or had no time to recover
        return None
    return Finding("head_spoiled", (before, _valid_loss(worst), worst.epoch))


def _rate_too_small(rows: list[EpochRow], guessing: float) -> Finding | None:
    """Figures: the loss after the first epoch and at the end."""
    first, last = rows[0].train_eval_loss, rows[-1].train_eval_loss
    is_slow = last > _HARDLY_FALLEN * first and last > _NEAR_GUESSING * guessing
    if len(rows) < _LEAST_EPOCHS or not is_slow:
        return None
    return Finding("rate_too_small", (first, last))


def _overfitting(rows: list[EpochRow]) -> Finding | None:
    """Figures: the epoch of the lowest held-out loss, that loss, and the one at the end."""
    measured = [row for row in rows if row.valid_loss is not None]
    if len(measured) < _LEAST_EPOCHS:
        return None
    lowest = min(measured, key=_valid_loss)
    low, last = _valid_loss(lowest), _valid_loss(measured[-1])
    has_risen = last > _RISEN * low and last > low + _RISEN_NATS
    still_learns = measured[-1].train_eval_loss < lowest.train_eval_loss
    if not (has_risen and still_learns):
        return None
    return Finding("overfitting", (lowest.epoch, low, last))


def _not_converged(rows: list[EpochRow]) -> Finding | None:
    """Figures: the held-out loss two epochs before the end, and at the end."""
    losses = [row.valid_loss for row in rows if row.valid_loss is not None]
    if len(losses) < _LEAST_EPOCHS:
        return None
    before, last = losses[-3], losses[-1]
    has_fallen = last < _STILL_FALLING * before and last < before - _FALLEN_NATS
    is_lowest = last == min(losses)  # else it goes up and down
    return Finding("not_converged", (before, last)) if has_fallen and is_lowest else None


def _early_best(record: RunRecord, rows: list[EpochRow]) -> Finding | None:
    """Figures: the epoch that is kept, how many pictures it gets right more than the one of the
    lowest held-out loss, that one, and the two losses."""
    kept = next((row for row in rows if row.epoch == record.best_epoch), None)
    if not record.is_over or kept is None or kept.valid_loss is None:
        return None
    lowest = min(rows, key=_valid_loss)
    low, before = _valid_loss(lowest), kept.valid_loss
    more = kept.valid_hits.count("1") - lowest.valid_hits.count("1")
    has_fallen_on = low < _FALLEN_ON * before and low < before - _FALLEN_NATS
    if more < 1 or lowest.epoch < kept.epoch or not has_fallen_on:
        return None
    lead = gain(lowest, kept)
    if lead is None or lead[1] > 0:  # that is no chance
        return None
    return Finding("early_best", (kept.epoch, more, lowest.epoch, before, low))


def _few_held_out(record: RunRecord) -> Finding | None:
    """Figures: how many pictures, and the two ends of the interval."""
    interval = record.valid_interval
    if not record.is_over or interval is None or interval[1] - interval[0] <= _WIDE_INTERVAL:
        return None
    return Finding("few_held_out", (record.valid_count, *interval))


def _held_out_better(rows: list[EpochRow]) -> Finding | None:
    """Figures of the last epoch: the running loss, the same in eval mode, the held-out one."""
    last = rows[-1]
    if last.valid_loss is None or last.valid_loss >= _CLEARLY_BETTER * last.train_loss:
        return None
    return Finding("held_out_better", (last.train_loss, last.train_eval_loss, last.valid_loss))


def _valid_loss(row: EpochRow) -> float:
    return math.inf if row.valid_loss is None else row.valid_loss
