"""Words of the learning-rate finder."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tlapp.backbones.catalog import find_card
from tlapp.backbones.weights import DownloadProgress
from tlapp.experiments.lr_finder import RateReason, RateSweep
from tlapp.messages import (
    NOTHING,
    Message,
    Quantity,
    counted_message,
    joined,
    message,
    significant,
)
from tlapp.training.config import TrainConfig
from tlapp.training.presets import defaults
from tlapp.ui.text.comparing import learned
from tlapp.ui.text.status import LOADING, about_left, downloading, looking, waiting
from tlapp.workspace import Experiment

START_BUTTON: Final = message("Find a learning rate")
STOP_BUTTON: Final = message("Stop searching")
USE_BUTTON: Final = message("Use it")
USE_NOT_BUTTON: Final = message("Found for other settings")
NOTHING_FOUND: Final = message("No learning rate has been found yet.")
FIND_FIRST: Final = message("Press Find a learning rate first.")
OTHER_SETTINGS: Final = message("This rate was found for other settings than those on the page.")
FIND_AGAIN: Final = message("Press Find a learning rate again, for the settings as they are now.")

INVITATION: Final = message(
    "Not sure about the rate? This takes one step at each of 100 rates, from far too low to far too "
    "high, and shows where the loss falls. Nothing of your runs changes."
)
NOT_STARTED: Final = message("The first step comes next.")
STOPPED: Final = message(
    "Stopped before the end, so no rate is suggested. Press Find a learning rate again."
)
RATE_CHART_WORDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "title": message("Loss at each rate"),
        "unit": message("mean cross-entropy, smoothed; lower is better"),
        "progress": message("Steps"),
        "plot": message("Loss at each learning rate"),
        "at": message("Rate {rate}: loss {loss}"),
        "keys": message("The arrow keys read the curve step by step."),
    }
)


def rate_words(rate: float) -> Quantity:
    """A rate, as far as it matters: "0.0029", "5e-5"."""
    return significant(rate, 2)


def status_of(seen: Experiment) -> Message:
    """Where a search is."""
    match seen.state:
        case "waiting":
            return waiting(seen.position)
        case "failed":
            return joined(seen.message, seen.hint)
        case "stopped":
            return STOPPED
        case "finished":
            return outcome(seen.value)
        case _:
            return _running(seen.value)


def _running(value: object) -> Message:
    if isinstance(value, RateSweep):
        return _progress_line(value)
    if isinstance(value, DownloadProgress):
        return downloading(value.done_bytes, value.total_bytes)
    return LOADING


def _progress_line(sweep: RateSweep) -> Message:
    if sweep.done:
        step = message(
            "Step {step} of {steps}, at rate {rate}.",
            step=sweep.done,
            steps=sweep.total,
            rate=rate_words(sweep.rates[-1]),
        )
        return joined(step, about_left(sweep.seconds_left))
    if sweep.pictures_done < sweep.pictures_total:
        return looking(sweep.pictures_done, sweep.pictures_total)
    return NOT_STARTED


def outcome(sweep: RateSweep) -> Message:
    """What was searched for, and how far it went."""
    title = _title(sweep.config)
    if sweep.ended_early and sweep.done > 0:
        return counted_message(
            "{title}: the search is over after {count} step, when the loss had grown enough to tell.",
            "{title}: the search is over after {count} steps, when the loss had grown enough to tell.",
            count=sweep.done,
            title=title,
        )
    return message("{title}: the search is over.", title=title)


def _title(config: TrainConfig) -> Message:
    return message(
        "{backbone}, {what}",
        backbone=find_card(config.backbone).title,
        what=learned(config.freeze, is_pretrained=config.pretrained, has_head_phase=False),
    )


def mark(rate: float) -> Message:
    """What stands beside the suggestion in the chart."""
    return message("suggested {rate}", rate=rate_words(rate))


def why(sweep: RateSweep) -> Message:
    """The suggestion and its reason in a sentence or two; **strong** parts in asterisks."""
    reason = sweep.reason
    if reason is None or sweep.suggested_rate is None:
        return message(
            "**No rate is suggested**: the loss was no number from the first step on. "
            "Go back to the default settings."
        )
    rate = sweep.suggested_rate
    return joined(
        message("**Take {rate}.**", rate=rate_words(rate)),
        _because(reason),
        _rest(sweep.config, rate),
        _or_the_default(sweep.config, rate, reason),
    )


def _rest(config: TrainConfig, rate: float) -> Message:
    """Which rates of the settings Use it changes, where there are several."""
    if config.is_head_alone:
        return NOTHING
    return message(
        "**{button}** makes it the learning rate of the head; that of the backbone changes in "
        "proportion, to {rate}.",
        button=USE_BUTTON,
        rate=rate_words(config.backbone_learning_rate * rate / config.learning_rate),
    )


def _or_the_default(config: TrainConfig, rate: float, reason: RateReason) -> Message:
    """What to do where a rate that does no harm at once is below the default."""
    usual = defaults(config.freeze, backbone=config.backbone).learning_rate
    has_warm_up = config.pretrained and not config.is_head_alone
    if rate >= usual or reason.rule != "safe" or not has_warm_up:
        return NOTHING
    return message(
        "The default is higher, {rate}: after a warm-up a training often bears more than a single "
        "step does. Train once with each, and let Compare runs decide.",
        rate=rate_words(usual),
    )


def _because(reason: RateReason) -> Message:
    first_loss = significant(reason.first_loss, 2)
    if reason.rule == "safe tenth":
        return message(
            "It is a tenth of {rate}: beyond that the loss grows over the {loss} it began with. It "
            "falls too little to show more.",
            rate=rate_words(reason.safe_rate),
            loss=first_loss,
        )
    if reason.rule == "safe":
        return message(
            "It is the highest rate that does no harm: beyond it the loss grows over the {loss} it "
            "began with. It falls too little to show more; a trained head has not much to learn.",
            loss=first_loss,
        )
    lowest, loss = rate_words(reason.lowest_rate), significant(reason.lowest_loss, 2)
    if reason.rule == "steepest":
        return message(
            "There the loss falls fastest, and it is well below {rate}, where the loss is lowest "
            "({loss}); at higher rates it is higher again.",
            rate=lowest,
            loss=loss,
        )
    tenth = message(
        "It is a tenth of {rate}, where the loss is lowest ({loss}); at higher rates it is higher "
        "again.",
        rate=lowest,
        loss=loss,
    )
    steepest = rate_words(reason.steepest_rate)
    if reason.steepest_rate > reason.lowest_rate / 10:
        near = message(
            "It falls fastest at {rate}, which is too near to that point.", rate=steepest
        )
        return joined(tenth, near)
    noise = message(
        "Where the curve falls fastest, at {rate}, it is no more than noise.", rate=steepest
    )
    return joined(tenth, noise)
