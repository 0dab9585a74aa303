"""Words of the freeze race."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from tlapp.experiments.race import RaceResult
from tlapp.messages import (
    NOTHING,
    Message,
    alone,
    counted_message,
    duration,
    joined,
    message,
    number,
    percent,
    verbatim,
)
from tlapp.runs.live import LiveRun
from tlapp.runs.record import RunRecord
from tlapp.ui.text import PRESET_TITLES
from tlapp.ui.text.comparing import points
from tlapp.ui.text.status import about_left, ordinal, waiting

HEADING: Final = message("Freeze race")
START_BUTTON: Final = message("Start the race")
STOP_BUTTON: Final = message("Stop the race")
STOPPED: Final = message(
    "The race was stopped before its end, so it says nothing about who would have won. Start it "
    "again."
)
RACE_VIEW_WORDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "by_epoch": message("Over epochs"),
        "by_seconds": message("Over seconds"),
        "axis": message("What the curves are drawn over"),
        "plot": message("Held-out accuracy of the five lanes"),
    }
)


def invitation(seconds: float | None, most_seconds: float) -> Message:
    """What a race is, how long it takes here, and whether it may take so long."""
    what = message(
        "One press trains your pictures in five ways, with the same held-out pictures and the same "
        "seed, side by side on one plot."
    )
    if seconds is None:
        return what
    takes = message("About {time} here.", time=duration(seconds))
    if seconds <= most_seconds:
        return joined(what, takes)
    too_long = message(
        "That is more than the {most} that one training may take here: it will be stopped before "
        "its end. Choose a faster backbone, or bring fewer pictures.",
        most=duration(most_seconds),
    )
    return joined(what, takes, too_long)


def race_status(lives: Sequence[LiveRun]) -> Message:
    """Where the race is."""
    over = [live for live in lives if live.is_over]
    if len(over) == len(lives):
        stopped = any(live.state == "stopped" for live in lives)
        return STOPPED if stopped else message("The race is over.")
    if all(live.phase == "waiting" for live in lives):
        return waiting(lives[0].queue_position, lives[0].waiting_seconds)
    ended = counted_message(
        "The race is on: {ended} of {count} lane has come to the end.",
        "The race is on: {ended} of {count} lanes have come to the end.",
        count=len(lives),
        ended=len(over),
    )
    return joined(ended, _time_left(next(live for live in lives if not live.is_over)))


def _time_left(live: LiveRun) -> Message:
    """How long the race has taken, and will take, where that is known."""
    left = live.job_seconds_left
    if left is None or left >= 1:
        return about_left(left)
    return message("{time} so far, longer than expected.", time=duration(live.job_seconds))


def lane_title(record: RunRecord) -> Message:
    """How the lane is called."""
    return PRESET_TITLES.get(record.lane) or verbatim(record.lane)


def lane_figure(record: RunRecord) -> Message:
    """The best held-out accuracy so far, if there is one."""
    best = record.best_row()
    if best is None or best.valid_accuracy is None:
        return NOTHING
    return alone(percent(best.valid_accuracy))


def best_figure(record: RunRecord) -> Message:
    """The same as it stands beside the lane, whose curve may be lower by now."""
    figure = lane_figure(record)
    return message("best {share}", share=figure) if figure else NOTHING


def lane_note(live: LiveRun) -> Message:
    """How far the lane is."""
    record = live.record
    if record.state == "failed":
        return message("failed: {why}", why=record.message)
    if live.is_over:
        return _lane_end(record)
    if live.phase == "waiting":
        return message("waits")
    if live.phase == "features":
        return message(
            "looks at picture {number} of {total}",
            number=live.features_done,
            total=live.features_total,
        )
    if live.batch < live.batches:
        return message(
            "epoch {epoch} of {epochs}, step {step} of {steps}",
            epoch=ordinal(live.epoch),
            epochs=ordinal(live.epochs),
            step=ordinal(live.batch),
            steps=ordinal(live.batches),
        )
    return message(
        "epoch {epoch} of {epochs}", epoch=ordinal(live.epoch), epochs=ordinal(live.epochs)
    )


def _lane_end(record: RunRecord) -> Message:
    """What a lane that is over has come to."""
    epochs = _epochs_and_time(record)
    if record.state != "finished":
        return message("stopped after {epochs}", epochs=epochs)
    best = record.best_row()
    if best is None:
        return epochs
    if record.keeps_first_phase:
        return message(
            "{epochs}; best: epoch {best}, of the head alone",
            epochs=epochs,
            best=ordinal(best.epoch),
        )
    return message("{epochs}; best: epoch {best}", epochs=epochs, best=ordinal(best.epoch))


def _epochs_and_time(record: RunRecord) -> Message:
    if record.seconds is None:
        return _epochs(record)
    count, time = len(record.epochs), duration(record.seconds)
    if record.found_features:
        return counted_message(
            "{count} epoch in {time} (its pictures had been read before)",
            "{count} epochs in {time} (its pictures had been read before)",
            count=count,
            time=time,
        )
    return counted_message(
        "{count} epoch in {time}", "{count} epochs in {time}", count=count, time=time
    )


def _epochs(record: RunRecord) -> Message:
    return counted_message("{count} epoch", "{count} epochs", count=len(record.epochs))


def verdict(result: RaceResult, records: Sequence[RunRecord]) -> tuple[Message, ...]:
    """What a race has shown, for a beginner."""
    by_lane = {record.lane: record for record in records}
    level = [by_lane[lane] for lane in result.level]
    sentences = [_winner(result, level)]
    if result.transfer_gain is not None:
        sentences.append(_transfer(result.transfer_gain, by_lane["scratch"]))
    if result.freezing_gain is not None:
        sentences.append(_freezing(result.freezing_gain))
    return tuple(sentences)


def _winner(result: RaceResult, level: Sequence[RunRecord]) -> Message:
    """Who is in front; `level`: those with the winner's accuracy, the winner included."""
    share = percent(result.accuracy)
    if len(level) > 1:
        lanes = [message("**{lane}**", lane=lane_title(record)) for record in level]
        return message(
            "{lanes} and {last} are level: {share} of the held-out pictures are right. {first}, "
            "which changes the least of them, is enough here; bring more pictures to tell them "
            "apart.",
            lanes=joined(*lanes[:-1], by=", "),
            last=lanes[-1],
            share=share,
            first=lanes[0],
        )
    lane, lead = lane_title(level[0]), result.runner_up_gain
    if lead is not None and lead[1] > 0:
        return message(
            "**{lane}** is in front: {share} of the held-out pictures are right, a certain lead.",
            lane=lane,
            share=share,
        )
    return message(
        "**{lane}** is in front: {share} of the held-out pictures are right, but its lead over the "
        "next is not certain.",
        lane=lane,
        share=share,
    )


def _transfer(gain: tuple[float, float, float], scratch: RunRecord) -> Message:
    if gain[2] < 0:
        return message(
            "This time the network from scratch was better than the head alone: {points} points. "
            "Your pictures may be far from ImageNet's: open more stages.",
            points=points(-gain[0]),
        )
    if gain[1] <= 0:
        return message(
            "What the network had learned from ImageNet made no certain difference here: from "
            "scratch it came to {share}.",
            share=lane_figure(scratch),
        )
    return message(
        "What the network had learned from ImageNet is worth **{points} points** here "
        "(95 % interval {low} to {high}): with only its head learning it beats the same network "
        "that began from scratch, which came to {share} with the same pictures in {epochs}, each of "
        "which takes many times as long.",
        points=number(100 * gain[0], 1),
        low=points(gain[1]),
        high=points(gain[2]),
        share=lane_figure(scratch),
        epochs=_epochs(scratch),
    )


def _freezing(gain: tuple[float, float, float]) -> Message:
    figures = message(
        "{points} points (95 % interval {low} to {high})",
        points=points(gain[0]),
        low=points(gain[1]),
        high=points(gain[2]),
    )
    if gain[1] > 0:
        return message(
            "Training the head first, then the rest slowly, beats everything at one rate by "
            "{figures}: an untrained head sends large errors down, and they overwrite what was "
            "known.",
            figures=figures,
        )
    if gain[2] < 0:
        return message(
            "This time everything at one rate was better than slower below: {figures} against it.",
            figures=figures,
        )
    return message(
        "Slower below against everything at one rate: {figures}, not certain with so few pictures.",
        figures=figures,
    )
