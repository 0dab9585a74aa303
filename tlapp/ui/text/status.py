"""What is said of a run at this moment: what it does, how far it is, and what comes next."""

from typing import Final

from tlapp.messages import (
    NOTHING,
    Message,
    counted_message,
    duration,
    joined,
    message,
    percent,
    size,
)
from tlapp.runs.live import LiveRun
from tlapp.runs.record import RunRecord
from tlapp.training.config import HEAD_ALONE

_RESUME_ELSEWHERE: Final = message(
    "The run that it went on from is kept: show it under Compare runs, and go on there."
)
_TRY_IT: Final = message("Try it on new pictures.")
LOADING: Final = message("Loading the backbone.")


def status_of(live: LiveRun) -> Message:
    """The status line under the Train button."""
    record = live.record
    if record.state == "failed":
        return joined(record.message, record.hint)
    if live.is_over:
        return _ended(live)
    match live.phase:
        case "waiting":
            return waiting(live.queue_position, live.waiting_seconds)
        case "download":
            return downloading(live.download_done_bytes, live.download_total_bytes)
        case "features":
            return _features(live)
        case _:
            return _training(live)


def ordinal(number: float) -> str:
    """The number of an epoch or a step: more a name than an amount, so that it is not grouped."""
    return f"{number:.0f}"


def waiting(position: int, seconds: float | None = None) -> Message:
    """Who waits at this place of the queue (1: next), for about so long."""
    ahead = max(position - 1, 0)
    if seconds is None or seconds < 1:
        if ahead == 0:
            return message("Waiting for its turn: yours is next.")
        return counted_message(
            "Waiting: {count} other goes first.", "Waiting: {count} others go first.", count=ahead
        )
    time = duration(seconds)
    if ahead == 0:
        return message("Waiting for its turn: yours is next, about {time}.", time=time)
    return counted_message(
        "Waiting: {count} other goes first, about {time}.",
        "Waiting: {count} others go first, about {time}.",
        count=ahead,
        time=time,
    )


def downloading(done_bytes: int, total_bytes: int) -> Message:
    """How far the weights have come."""
    return message(
        "Downloading the weights: {done} of {total}. This is done once.",
        done=size(done_bytes),
        total=size(total_bytes),
    )


def about_left(seconds: float | None) -> Message:
    """How long it will still take, where that is known and worth a word."""
    if seconds is None or seconds < 1:
        return NOTHING
    return message("About {time} left.", time=duration(seconds))


def looking(done: int, total: int) -> Message:
    """Which of the pictures is being looked at."""
    return message("Looking at picture {number} of {total}.", number=done, total=total)


def _features(live: LiveRun) -> Message:
    if not live.features_done:
        return LOADING
    phase = live.record.phases[live.phase_number - 1]
    if live.asks_original:
        return message(
            "The untouched network looks at picture {number} of {total}, to tell later what is "
            "forgotten.",
            number=live.features_done,
            total=live.features_total,
        )
    seconds = live.seconds_left or 0.0
    return joined(
        _looking(live, phase.get("augmented_views", 0)),
        message("About {time} left for that.", time=duration(seconds)) if seconds >= 1 else NOTHING,
        message("Each is read once; then only the head learns.")
        if phase.get("freeze") == HEAD_ALONE
        else message("Each is read once; then what is open learns."),
    )


def _looking(live: LiveRun, views: int) -> Message:
    """Which picture, in how many views beside itself, and how fast."""
    done, total, speed = live.features_done, live.features_total, live.features_per_second
    if views and speed:
        return counted_message(
            "Looking at picture {number} of {total} (those to learn from in {count} view), {speed} "
            "a second.",
            "Looking at picture {number} of {total} (those to learn from in {count} views), {speed} "
            "a second.",
            count=views + 1,
            number=done,
            total=total,
            speed=f"{speed:.0f}",
        )
    if views:
        return counted_message(
            "Looking at picture {number} of {total} (those to learn from in {count} view).",
            "Looking at picture {number} of {total} (those to learn from in {count} views).",
            count=views + 1,
            number=done,
            total=total,
        )
    if speed:
        return message(
            "Looking at picture {number} of {total}, {speed} a second.",
            number=done,
            total=total,
            speed=f"{speed:.0f}",
        )
    return looking(done, total)


def _training(live: LiveRun) -> Message:
    epoch = (
        message(
            "Epoch {epoch} of {epochs}, step {step} of {steps}.",
            epoch=ordinal(live.epoch),
            epochs=ordinal(live.epochs),
            step=ordinal(live.batch),
            steps=ordinal(live.batches),
        )
        if live.batches
        else message(
            "Epoch {epoch} of {epochs}.",
            epoch=ordinal(live.epoch),
            epochs=ordinal(live.epochs),
        )
    )
    return joined(epoch, _best(live), about_left(live.seconds_left))


def _best(live: LiveRun) -> Message:
    rows = [row for row in live.record.epochs if row.is_best and row.valid_accuracy is not None]
    if not rows or rows[-1].valid_accuracy is None:
        return NOTHING
    return message(
        "Best so far: {share} held-out, epoch {epoch}.",
        share=percent(rows[-1].valid_accuracy),
        epoch=ordinal(rows[-1].epoch),
    )


def _ended(live: LiveRun) -> Message:
    record = live.record
    if record.best_epoch is None:
        return joined(
            record.message or message("Stopped before the first epoch was finished."),
            _RESUME_ELSEWHERE if record.continues else message("Press Train again."),
        )
    return joined(_how_it_ended(record), _result(record, record.best_epoch), _TRY_IT)


def _how_it_ended(record: RunRecord) -> Message:
    if record.state != "finished":
        return record.message or message("Stopped. The best epoch so far is kept.")
    finished = (
        message("Finished.")
        if record.seconds is None
        else message("Finished in {time}.", time=duration(record.seconds))
    )
    return joined(finished, record.message)


def _result(record: RunRecord, best_epoch: int) -> Message:
    """How many are right; that the head from before is kept, where what learned later came to less."""
    if record.valid_accuracy is None:
        return counted_message(
            "{count} picture learned.", "{count} pictures learned.", count=record.train_count
        )
    share = percent(record.valid_accuracy)
    later = record.best_later_row()
    if later is not None and later.valid_accuracy is not None and record.keeps_first_phase:
        return message(
            "Fine-tuning came to {later}; the head from before is kept: {share} of the held-out "
            "pictures are right (epoch {epoch}).",
            later=percent(later.valid_accuracy),
            share=share,
            epoch=ordinal(best_epoch),
        )
    return message(
        "{share} of the held-out pictures are right (epoch {epoch}).",
        share=share,
        epoch=ordinal(best_epoch),
    )
