"""Words about several runs: their table, what they do differently, what one gained over another."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from tlapp.backbones.catalog import CARDS
from tlapp.messages import (
    NOTHING,
    Message,
    Quantity,
    alone,
    counted_message,
    duration,
    joined,
    message,
    number,
    percent,
    signed,
    significant,
    verbatim,
)
from tlapp.training.config import HEAD_ALONE, LAST_STAGES, NOTHING_FROZEN

NO_RUNS: Final = message("Every training that is over stands here, to be compared with others.")
RUN_COLUMNS: Final = (
    message("Backbone"),
    message("What learned"),
    message("Held-out accuracy"),
    message("95 % interval"),
    message("Rates"),
    message("Learning parameters"),
    message("Time"),
)
SETTING_NAMES: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "backbone": message("Backbone"),
        "pretrained": message("Pretrained weights"),
        "freeze": message("Frozen"),
        "head_epochs": message("First the head alone, epochs"),
        "epochs": message("Epochs"),
        "learning_rate": message("Learning rate of the head"),
        "backbone_learning_rate": message("Learning rate of the backbone"),
        "rate_decay": message("Rate decay"),
        "stage_rates": message("Rates of single stages"),
        "train_batchnorm": message("BatchNorm follows the batches"),
        "batch_size": message("Batch size"),
        "optimizer": message("Optimizer"),
        "weight_decay": message("Weight decay"),
        "label_smoothing": message("Label smoothing"),
        "dropout": message("Dropout"),
        "class_weights": message("Rare classes weigh more"),
        "patience": message("Stop early after"),
        "augmented_views": message("Augmented views"),
        "seed": message("Seed"),
    }
)
PICTURES: Final = message("Pictures")
CONTINUES: Final = message("Goes on from an earlier run")
BACKBONE_TITLES = {card.name: card.title for card in CARDS}
ENDED: Final[Mapping[str, Message]] = MappingProxyType(
    {"stopped": message("stopped before its end"), "failed": message("failed")}
)
FROZEN: Final = message("frozen")


def points(share: float) -> Quantity:
    """A difference of shares in percentage points: "+2.1", "-0.8"."""
    return signed(100 * share, 1)


def gain_sentence(
    gain: tuple[float, float, float], *, keeps_head: bool, has_head_run: bool
) -> Message:
    """What fine-tuning has added to the head alone (gain, low, high), how sure that is, and which
    of both is kept. `has_head_run`: the head is a run of its own."""
    points_gained, low, high = gain
    figures = {"points": points(points_gained), "low": points(low), "high": points(high)}
    if low > 0:
        verdict = message(
            "Fine-tuning against the head alone: {points} points, 95 % interval {low} to {high}: a "
            "real gain.",
            **figures,
        )
    elif high < 0:
        verdict = message(
            "Fine-tuning against the head alone: {points} points, 95 % interval {low} to {high}: a "
            "real loss.",
            **figures,
        )
    else:
        verdict = message(
            "Fine-tuning against the head alone: {points} points, 95 % interval {low} to {high}: "
            "not certain yet, for so few held-out pictures.",
            **figures,
        )
    return joined(verdict, _kept(points_gained, keeps_head, has_head_run))


def _kept(points_gained: float, keeps_head: bool, has_head_run: bool) -> Message:
    """What became of the head alone, where it is as good."""
    if keeps_head:
        return message(
            "The head alone, from before, was the best epoch: it is the model that is kept and "
            "asked."
        )
    if points_gained == 0 and has_head_run:
        return message("The head alone did as well; to use it, show its run under Compare runs.")
    return NOTHING


def still_sees(agreement: float) -> Message:
    """How much a fine-tuned backbone still sees as it did."""
    return message(
        "The marks show how far each stage has moved from its pretrained weights. For {share} of "
        "your pictures the network still names the same ImageNet object as before.",
        share=percent(agreement),
    )


def setting(value: object) -> Message:
    """A setting's value for people."""
    if isinstance(value, Message):
        return value
    if isinstance(value, bool):
        return message("yes") if value else message("no")
    if isinstance(value, float):
        return alone(significant(value))
    if isinstance(value, list | tuple):
        rates = [
            message("{stage} {rate}", stage=name, rate=significant(rate)) for name, rate in value
        ]
        return joined(*rates, by=", ") or message("none")
    return verbatim(str(value))


def backbone(name: str) -> str:
    """A backbone as people write it; one that this version does not know as it is called."""
    return BACKBONE_TITLES.get(name, name)


def share(of_all: float | None) -> Message:
    """An accuracy in the table; nothing where none was measured."""
    return NOTHING if of_all is None else alone(percent(of_all))


def interval(bounds: tuple[float, float] | None) -> Message:
    """The interval of an accuracy in the table."""
    if bounds is None:
        return NOTHING
    low, high = bounds
    return message("{low} to {high}", low=number(low * 100), high=number(high * 100))


def rates(config: Mapping[str, Any]) -> Message:
    """The learning rates of a run's last phase: "0.002", "0.0003, backbone 0.001"."""
    head, below = config.get("learning_rate", ""), config.get("backbone_learning_rate", "")
    if config.get("freeze") == HEAD_ALONE or head == below:
        return setting(head)
    return message("{head}, backbone {below}", head=setting(head), below=setting(below))


def learned_from(dataset_name: str, train_count: int, valid_count: int) -> Message:
    """Which pictures, and how many of them were held out."""
    return message(
        "{name}: {train} learned from, {valid} held out",
        name=dataset_name,
        train=train_count,
        valid=valid_count,
    )


def head_phase(config: Mapping[str, Any]) -> Message:
    """How the head alone learned first: "30, at rate 0.002, batch size 32"."""
    return message(
        "{epochs}, at rate {rate}, batch size {batch}",
        epochs=setting(config.get("epochs", 0)),
        rate=setting(config.get("learning_rate", "")),
        batch=setting(config.get("batch_size", "")),
    )


def time_taken(seconds: float | None, before: float) -> Message:
    """Wall time of a run; when it goes on from another, after that one's: "6 s + 29 s"."""
    if seconds is None:
        return NOTHING
    if not before:
        return alone(duration(seconds))
    return message("{before} + {time}", before=duration(before), time=duration(seconds))


def frozen(freeze: str) -> Message:
    """What stays as it is: "the whole backbone", "all but the last 2 stages"."""
    open_stages = _open_stages(freeze)
    if open_stages:
        return counted_message(
            "all but the last stage", "all but the last {count} stages", count=open_stages
        )
    if freeze == HEAD_ALONE:
        return message("the whole backbone")
    return message("nothing") if freeze == NOTHING_FROZEN else verbatim(freeze)


def learned(freeze: str, *, is_pretrained: bool, has_head_phase: bool) -> Message:
    """What learned: "head only", "head, then last 2 stages"."""
    what = _learning(freeze)
    if has_head_phase:
        what = message("head, then {what}", what=what)
    return what if is_pretrained else message("{what}, from scratch", what=what)


def learned_but_kept(what: Message) -> Message:
    """The same of a run whose head alone, from before, came to more."""
    return message("{what} (the head was better and is kept)", what=what)


def _learning(freeze: str) -> Message:
    open_stages = _open_stages(freeze)
    if open_stages:
        return counted_message("last stage", "last {count} stages", count=open_stages)
    if freeze == HEAD_ALONE:
        return message("head only")
    if freeze == NOTHING_FROZEN:
        return message("everything")
    return message("all but {stages}", stages=freeze)


def _open_stages(freeze: str) -> int:
    """How many stages at the top a setting like "last:2" leaves open; 0: it is another one."""
    last = LAST_STAGES.fullmatch(freeze)
    return int(last[1]) if last else 0
