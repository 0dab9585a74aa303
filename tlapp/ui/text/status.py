"""One sentence about a run at this moment: what it does, how far it is, and what comes next."""

from tlapp.runs.live import LiveRun
from tlapp.runs.record import RunRecord
from tlapp.training.config import HEAD_ALONE
from tlapp.ui.text import duration, megabytes, percent, pictures

_TAKE_UP_AGAIN = (
    "The run that it went on from is kept: show it under Compare runs, and go on there."
)


def status_of(live: LiveRun) -> str:
    """The status line under the Train button."""
    record = live.record
    if record.state == "failed":
        return f"{record.message} {record.hint}".strip().replace("`", "")
    if live.is_over:
        return _ended(live)
    match live.phase:
        case "waiting":
            return waiting(live.queue_position, live.waiting_seconds)
        case "download":
            return (
                f"Downloading the weights: {megabytes(live.download_done_bytes)} of "
                f"{megabytes(live.download_total_bytes)}. This is done once."
            )
        case "features":
            return _features(live)
        case _:
            return _training(live)


def waiting(position: int, seconds: float | None = None) -> str:
    """Who waits at this place of the queue (1: next), for about so long."""
    ahead = max(position - 1, 0)
    left = "" if seconds is None or seconds < 1 else f", about {duration(seconds)}"
    if ahead == 0:
        return f"Waiting for its turn: yours is next{left}."
    jobs = "1 other goes first" if ahead == 1 else f"{ahead} others go first"
    return f"Waiting: {jobs}{left}."


def _features(live: LiveRun) -> str:
    if not live.features_done:
        return "Loading the backbone."
    phase = live.record.phases[live.phase_number - 1]
    is_frozen = phase.get("freeze") == HEAD_ALONE
    if live.asks_original:
        return (
            f"The untouched network looks at picture {live.features_done:,} of "
            f"{live.features_total:,}, to tell later what is forgotten."
        )
    views = phase.get("augmented_views", 0)
    how = f" (those to learn from in {views + 1} views)" if views else ""
    speed = f", {live.features_per_second:.0f} a second" if live.features_per_second else ""
    seconds = live.seconds_left or 0.0
    left = f" About {duration(seconds)} left for that." if seconds >= 1 else ""
    return (
        f"Looking at picture {live.features_done:,} of {live.features_total:,}{how}{speed}.{left} "
        f"Each is read once; {'then only the head' if is_frozen else 'then what is open'} learns."
    )


def _training(live: LiveRun) -> str:
    sentence = f"Epoch {live.epoch} of {live.epochs}."
    if live.batches:
        sentence = f"Epoch {live.epoch} of {live.epochs}, step {live.batch} of {live.batches}."
    best = _best(live)
    seconds = live.seconds_left or 0.0
    left = f" About {duration(seconds)} left." if seconds >= 1 else ""
    return f"{sentence}{best}{left}"


def _best(live: LiveRun) -> str:
    rows = [row for row in live.record.epochs if row.is_best and row.valid_accuracy is not None]
    if not rows or rows[-1].valid_accuracy is None:
        return ""
    return f" Best so far: {percent(rows[-1].valid_accuracy)} held-out, epoch {rows[-1].epoch}."


def _kept(record: RunRecord) -> str:
    """That the head from before is kept, where what learned later came to less; else ""."""
    later = record.best_later_row()
    if later is None or later.valid_accuracy is None or not record.keeps_first_phase:
        return ""
    return f" Fine-tuning came to {percent(later.valid_accuracy)}; the head from before is kept:"


def _ended(live: LiveRun) -> str:
    record = live.record
    if record.best_epoch is None:
        how = record.message or "Stopped before the first epoch was finished."
        return f"{how} {_TAKE_UP_AGAIN if record.continues else 'Press Train again.'}"
    took = f" in {duration(record.seconds)}" if record.seconds is not None else ""
    stopped = record.message or "Stopped. The best epoch so far is kept."
    how = f"Finished{took}. {record.message}".strip() if record.state == "finished" else stopped
    if record.valid_accuracy is None:
        return f"{how} {pictures(record.train_count)} learned. Try it on new pictures."
    return (
        f"{how}{_kept(record)} {percent(record.valid_accuracy)} of the held-out pictures are right "
        f"(epoch {record.best_epoch}). Try it on new pictures."
    )
