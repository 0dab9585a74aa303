"""Words of the freeze race."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from tlapp.experiments.race import RaceResult
from tlapp.runs.live import LiveRun
from tlapp.runs.record import RunRecord
from tlapp.ui.text import PRESET_TITLES, count, duration, percent
from tlapp.ui.text.comparing import points
from tlapp.ui.text.status import waiting

HEADING = "Freeze race"
START_BUTTON = "Start the race"
STOP_BUTTON = "Stop the race"
STOPPED = "The race was stopped before its end, so it says nothing about who would have won. Start it again."
RACE_VIEW_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "by_epoch": "Over epochs",
        "by_seconds": "Over seconds",
        "axis": "What the curves are drawn over",
        "plot": "Held-out accuracy of the five lanes",
    }
)


def invitation(seconds: float | None, most_seconds: float) -> str:
    """What a race is, how long it takes here, and whether it may take so long."""
    takes = "" if seconds is None else f" About {duration(seconds)} here."
    if seconds is not None and seconds > most_seconds:
        takes += (
            f" That is more than the {duration(most_seconds)} that one training may take here: it "
            "will be stopped before its end. Choose a faster backbone, or bring fewer pictures."
        )
    return (
        "One press trains your pictures in five ways, with the same held-out pictures and the "
        f"same seed, side by side on one plot.{takes}"
    )


def race_status(lives: Sequence[LiveRun]) -> str:
    """Where the race is."""
    over = [live for live in lives if live.is_over]
    if len(over) == len(lives):
        stopped = any(live.state == "stopped" for live in lives)
        return STOPPED if stopped else "The race is over."
    if all(live.phase == "waiting" for live in lives):
        return waiting(lives[0].queue_position, lives[0].waiting_seconds)
    ended = f"{len(over)} of {count(len(lives), 'lane has', 'lanes have')} come to the end"
    going = next(live for live in lives if not live.is_over)
    return f"The race is on: {ended}.{_time_left(going)}"


def _time_left(live: LiveRun) -> str:
    """How long the race has taken, and will take; "" while that is not known."""
    if live.job_seconds_left is None:
        return ""
    if live.job_seconds_left < 1:
        return f" {duration(live.job_seconds)} so far, longer than expected."
    return f" About {duration(live.job_seconds_left)} left."


def lane_title(record: RunRecord) -> str:
    """How the lane is called."""
    return PRESET_TITLES.get(record.lane, record.lane)


def lane_figure(record: RunRecord) -> str:
    """The best held-out accuracy so far; "" while there is none."""
    best = record.best_row()
    return "" if best is None or best.valid_accuracy is None else percent(best.valid_accuracy)


def best_figure(record: RunRecord) -> str:
    """The same as it stands beside the lane, whose curve may be lower by now."""
    figure = lane_figure(record)
    return f"best {figure}" if figure else ""


def lane_note(live: LiveRun) -> str:
    """How far the lane is."""
    record = live.record
    if record.state == "failed":
        return f"failed: {record.message}"
    if live.is_over:
        return _lane_end(record)
    if live.phase == "waiting":
        return "waits"
    if live.phase == "features":
        return f"looks at picture {live.features_done:,} of {live.features_total:,}"
    step = f", step {live.batch} of {live.batches}" if live.batch < live.batches else ""
    return f"epoch {live.epoch} of {live.epochs}{step}"


def _lane_end(record: RunRecord) -> str:
    """What a lane that is over has come to."""
    took = f" in {duration(record.seconds)}" if record.seconds is not None else ""
    kept = " (its pictures had been read before)" if took and record.found_features else ""
    epochs = f"{_epochs(record)}{took}{kept}"
    if record.state != "finished":
        return f"stopped after {epochs}"
    best = record.best_row()
    if best is None:
        return epochs
    phase = ", of the head alone" if record.keeps_first_phase else ""
    return f"{epochs}; best: epoch {best.epoch}{phase}"


def verdict(result: RaceResult, records: Sequence[RunRecord]) -> tuple[str, ...]:
    """What a race has shown, for a beginner."""
    by_lane = {record.lane: record for record in records}
    level = [by_lane[lane] for lane in result.level]
    sentences = [_winner(result, level)]
    if result.transfer_gain is not None:
        sentences.append(_transfer(result.transfer_gain, by_lane["scratch"]))
    if result.freezing_gain is not None:
        sentences.append(_freezing(result.freezing_gain))
    return tuple(sentences)


def _winner(result: RaceResult, level: Sequence[RunRecord]) -> str:
    """Who is in front; `level`: those with the winner's accuracy, the winner included."""
    if len(level) > 1:
        names = [f"**{lane_title(record)}**" for record in level]
        return (
            f"{', '.join(names[:-1])} and {names[-1]} are level: {percent(result.accuracy)} of the "
            f"held-out pictures are right. {names[0]}, which changes the least of them, is enough "
            "here; bring more pictures to tell them apart."
        )
    lead = result.runner_up_gain
    is_certain = lead is not None and lead[1] > 0
    sure = "a certain lead" if is_certain else "but its lead over the next is not certain"
    return (
        f"**{lane_title(level[0])}** is in front: {percent(result.accuracy)} of the held-out pictures "
        f"are right, {sure}."
    )


def _transfer(gain: tuple[float, float, float], scratch: RunRecord) -> str:
    if gain[2] < 0:
        return (
            f"This time the network from scratch was better than the head alone: {points(-gain[0])} "
            "points. Your pictures may be far from ImageNet's: open more stages."
        )
    if gain[1] <= 0:
        return (
            "What the network had learned from ImageNet made no certain difference here: from "
            f"scratch it came to {lane_figure(scratch)}."
        )
    return (
        f"What the network had learned from ImageNet is worth **{100 * gain[0]:.1f} points** here "
        f"(95 % interval {points(gain[1])} to {points(gain[2])}): with only its head learning it "
        "beats the same network that began from scratch, which came to "
        f"{lane_figure(scratch)} with the same pictures in {_epochs(scratch)}, each of which takes "
        "many times as long."
    )


def _epochs(record: RunRecord) -> str:
    return count(len(record.epochs), "epoch", "epochs")


def _freezing(gain: tuple[float, float, float]) -> str:
    what = f"{points(gain[0])} points (95 % interval {points(gain[1])} to {points(gain[2])})"
    if gain[1] > 0:
        return (
            f"Training the head first, then the rest slowly, beats everything at one rate by {what}: "
            "an untrained head sends large errors down, and they overwrite what was known."
        )
    if gain[2] < 0:
        return f"This time everything at one rate was better than slower below: {what} against it."
    return f"Slower below against everything at one rate: {what}, not certain with so few pictures."
