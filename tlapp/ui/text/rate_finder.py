"""Words of the learning-rate finder."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tlapp.backbones.catalog import find_card
from tlapp.backbones.weights import DownloadProgress
from tlapp.experiments.lr_finder import RateReason, RateSweep
from tlapp.training.config import TrainConfig
from tlapp.training.presets import defaults
from tlapp.ui.text import count, duration, megabytes
from tlapp.ui.text.comparing import learned, small_number
from tlapp.ui.text.status import waiting
from tlapp.workspace import Experiment

START_BUTTON = "Find a learning rate"
STOP_BUTTON = "Stop searching"
USE_BUTTON = "Use it"
USE_NOT_BUTTON = "Found for other settings"
NOTHING_FOUND = "No learning rate has been found yet."
FIND_FIRST = "Press Find a learning rate first."
OTHER_SETTINGS = "This rate was found for other settings than those on the page."
FIND_AGAIN = "Press Find a learning rate again, for the settings as they are now."

INVITATION = (
    "Not sure about the rate? This takes one step at each of 100 rates, from far too low to far too "
    "high, and shows where the loss falls. Nothing of your runs changes."
)
NOT_STARTED = "The first step comes next."
STOPPED = "Stopped before the end, so no rate is suggested. Press Find a learning rate again."
RATE_CHART_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "title": "Loss at each rate",
        "unit": "mean cross-entropy, smoothed; lower is better",
        "progress": "Steps",
        "plot": "Loss at each learning rate",
        "at": "Rate {rate}: loss {loss}",
        "keys": "The arrow keys read the curve step by step.",
    }
)


def rate_words(rate: float) -> str:
    """A rate, as far as it matters: "0.0029", "5e-5"."""
    return small_number(rate, digits=2)


def status_of(seen: Experiment) -> str:
    """Where a search is."""
    match seen.state:
        case "waiting":
            return waiting(seen.position)
        case "failed":
            return f"{seen.message} {seen.hint}".strip()
        case "stopped":
            return STOPPED
        case "finished":
            return outcome(seen.value)
        case _:
            return _running(seen.value)


def _running(value: object) -> str:
    if isinstance(value, RateSweep):
        return _progress_line(value)
    if isinstance(value, DownloadProgress):
        done, total = megabytes(value.done_bytes), megabytes(value.total_bytes)
        return f"Downloading the weights: {done} of {total}. This is done once."
    return "Loading the backbone."


def _progress_line(sweep: RateSweep) -> str:
    if sweep.done:
        left = sweep.seconds_left or 0.0
        tail = f" About {duration(left)} left." if left >= 1 else ""
        return f"Step {sweep.done} of {sweep.total}, at rate {rate_words(sweep.rates[-1])}.{tail}"
    if sweep.pictures_done < sweep.pictures_total:
        return f"Looking at picture {sweep.pictures_done:,} of {sweep.pictures_total:,}."
    return NOT_STARTED


def outcome(sweep: RateSweep) -> str:
    """What was searched for, and how far it went."""
    steps = count(sweep.done, "step", "steps")
    has_end = sweep.ended_early and sweep.done > 0
    end = f" after {steps}, when the loss had grown enough to tell" if has_end else ""
    return f"{_title(sweep.config)}: the search is over{end}."


def _title(config: TrainConfig) -> str:
    what = learned(config.freeze, is_pretrained=config.pretrained, has_head_phase=False)
    return f"{find_card(config.backbone).title}, {what}"


def mark(rate: float) -> str:
    """What stands beside the suggestion in the chart."""
    return f"suggested {rate_words(rate)}"


def why(sweep: RateSweep) -> str:
    """The suggestion and its reason in a sentence or two; **strong** parts in asterisks."""
    reason = sweep.reason
    if reason is None or sweep.suggested_rate is None:
        return (
            "**No rate is suggested**: the loss was no number from the first step on. "
            "Go back to the default settings."
        )
    rate = sweep.suggested_rate
    return (
        f"**Take {rate_words(rate)}.** {_because(reason)}{_rest(sweep.config, rate)}"
        f"{_or_the_default(sweep.config, rate, reason)}"
    )


def _rest(config: TrainConfig, rate: float) -> str:
    """Which rates of the settings Use it changes, where there are several."""
    if config.is_head_alone:
        return ""
    below = rate_words(config.backbone_learning_rate * rate / config.learning_rate)
    return (
        f" **{USE_BUTTON}** makes it the learning rate of the head; that of the backbone changes in "
        f"proportion, to {below}."
    )


def _or_the_default(config: TrainConfig, rate: float, reason: RateReason) -> str:
    """What to do where a rate that does no harm at once is below the default."""
    usual = defaults(config.freeze, backbone=config.backbone).learning_rate
    has_warm_up = config.pretrained and not config.is_head_alone
    if rate >= usual or reason.rule != "safe" or not has_warm_up:
        return ""
    return (
        f" The default is higher, {rate_words(usual)}: after a warm-up a training often bears more "
        "than a single step does. Train once with each, and let Compare runs decide."
    )


def _because(reason: RateReason) -> str:
    steepest = rate_words(reason.steepest_rate)
    if reason.rule == "safe tenth":
        return (
            f"It is a tenth of {rate_words(reason.safe_rate)}: beyond that the loss grows over the "
            f"{reason.first_loss:.2g} it began with. It falls too little to show more."
        )
    if reason.rule == "safe":
        return (
            "It is the highest rate that does no harm: beyond it the loss grows over the "
            f"{reason.first_loss:.2g} it began with. It falls too little to show more; a trained head "
            "has not much to learn."
        )
    lowest = (
        f"{rate_words(reason.lowest_rate)}, where the loss is lowest ({reason.lowest_loss:.2g})"
    )
    if reason.rule == "steepest":
        return (
            "There the loss falls fastest, and it is well below "
            f"{lowest}; at higher rates it is higher again."
        )
    tenth = f"It is a tenth of {lowest}; at higher rates it is higher again."
    if reason.steepest_rate > reason.lowest_rate / 10:
        return f"{tenth} It falls fastest at {steepest}, which is too near to that point."
    return f"{tenth} Where the curve falls fastest, at {steepest}, it is no more than noise."
