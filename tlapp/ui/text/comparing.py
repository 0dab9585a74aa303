"""Words about several runs: their table, what they do differently, what one gained over another."""

from collections.abc import Mapping
from typing import Any

from tlapp.backbones.catalog import CARDS
from tlapp.ui.text import duration, percent

NO_RUNS = "Every training that is over stands here, to be compared with others."
RUN_COLUMNS = (
    "Backbone",
    "What learned",
    "Held-out accuracy",
    "95 % interval",
    "Rates",
    "Learning parameters",
    "Time",
)
SETTING_NAMES = {
    "backbone": "Backbone",
    "pretrained": "Pretrained weights",
    "freeze": "Frozen",
    "head_epochs": "First the head alone, epochs",
    "epochs": "Epochs",
    "learning_rate": "Learning rate of the head",
    "backbone_learning_rate": "Learning rate of the backbone",
    "rate_decay": "Rate decay",
    "stage_rates": "Rates of single stages",
    "train_batchnorm": "BatchNorm follows the batches",
    "batch_size": "Batch size",
    "optimizer": "Optimizer",
    "weight_decay": "Weight decay",
    "label_smoothing": "Label smoothing",
    "dropout": "Dropout",
    "class_weights": "Rare classes weigh more",
    "patience": "Stop early after",
    "augmented_views": "Augmented views",
    "seed": "Seed",
}
PICTURES = "Pictures"
CONTINUES = "Goes on from an earlier run"
BACKBONE_TITLES = {card.name: card.title for card in CARDS}
ENDED = {"stopped": "stopped before its end", "failed": "failed"}
FROZEN = "frozen"
HEAD_KEPT = "the head was better and is kept"
FREEZE_WORDS = {"head": "the whole backbone", "none": "nothing"}
LEARNED_WORDS = {"head": "head only", "none": "everything"}


def points(share: float) -> str:
    """A difference of shares in percentage points: "+2.1", "-0.8"."""
    return f"{100 * share:+.1f}"


def gain_sentence(gain: tuple[float, float, float], *, keeps_head: bool, has_head_run: bool) -> str:
    """What fine-tuning has added to the head alone (gain, low, high), how sure that is, and which
    of both is kept. `has_head_run`: the head is a run of its own."""
    points_gained, low, high = gain
    kept = ""
    if keeps_head:
        kept = (
            " The head alone, from before, was the best epoch: it is the model that is kept and "
            "asked."
        )
    elif points_gained == 0 and has_head_run:
        kept = " The head alone did as well; to use it, show its run under Compare runs."
    if low > 0:
        verdict = "a real gain"
    elif high < 0:
        verdict = "a real loss"
    else:
        verdict = "not certain yet, for so few held-out pictures"
    return (
        f"Fine-tuning against the head alone: {points(points_gained)} points, "
        f"95 % interval {points(low)} to {points(high)}: {verdict}.{kept}"
    )


def still_sees(agreement: float) -> str:
    """How much a fine-tuned backbone still sees as it did."""
    return (
        "The marks show how far each stage has moved from its pretrained weights. For "
        f"{percent(agreement)} of your pictures the network still names the same ImageNet object "
        "as before."
    )


def small_number(value: float, digits: int = 6) -> str:
    """A rate as people write it: "0.002", "5e-5"."""
    return f"{value:.{digits}g}".replace("e-0", "e-")


def setting(value: object) -> str:
    """A setting's value for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return small_number(value)
    if isinstance(value, list | tuple):
        return ", ".join(f"{name} {small_number(rate)}" for name, rate in value) or "none"
    return str(value)


def backbone(name: str) -> str:
    """A backbone as people write it; one that this version does not know as it is called."""
    return BACKBONE_TITLES.get(name, name)


def rates(config: Mapping[str, Any]) -> str:
    """The learning rates of a run's last phase: "0.002", "0.0003, backbone 0.001"."""
    head, below = config.get("learning_rate", ""), config.get("backbone_learning_rate", "")
    if config.get("freeze") == "head" or head == below:
        return setting(head)
    return f"{setting(head)}, backbone {setting(below)}"


def learned_from(dataset_name: str, train_count: int, valid_count: int) -> str:
    """Which pictures, and how many of them were held out."""
    return f"{dataset_name}: {train_count:,} learned from, {valid_count:,} held out"


def head_phase(config: Mapping[str, Any]) -> str:
    """How the head alone learned first: "30, at rate 0.002, batch size 32"."""
    rate, batch = config.get("learning_rate", ""), config.get("batch_size", "")
    return f"{config.get('epochs', 0)}, at rate {setting(rate)}, batch size {batch}"


def time_taken(seconds: float | None, before: float) -> str:
    """Wall time of a run; when it goes on from another, after that one's: "6 s + 29 s"."""
    if seconds is None:
        return ""
    return f"{duration(before)} + {duration(seconds)}" if before else duration(seconds)


def frozen(freeze: str) -> str:
    """What stays as it is: "the whole backbone", "all but the last 2 stages"."""
    last = freeze.removeprefix("last:")
    if last != freeze:
        return "all but the last stage" if last == "1" else f"all but the last {last} stages"
    return FREEZE_WORDS.get(freeze, freeze)


def learned(freeze: str, *, is_pretrained: bool, has_head_phase: bool) -> str:
    """What learned: "head only", "head, then the last 2 stages"."""
    last = freeze.removeprefix("last:")
    if last != freeze:
        what = "last stage" if last == "1" else f"last {last} stages"
    else:
        what = LEARNED_WORDS.get(freeze, f"all but {freeze}")
    what = f"head, then {what}" if has_head_phase else what
    return what if is_pretrained else f"{what}, from scratch"
