"""The settings of a training: what each field is called, and what it does."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tlapp.messages import Message, message, significant
from tlapp.training.config import NOTHING_FROZEN, TrainConfig


@dataclass(frozen=True)
class FieldWords:
    """What a settings field is called, and what it does."""

    label: Message
    info: Message


FIELDS: Final[Mapping[str, FieldWords]] = MappingProxyType(
    {  # by what they stand for in a `TrainConfig`
        "head_epochs": FieldWords(
            message("First the head alone"),
            message(
                "So many epochs before the open stages learn too, with the defaults of a head: rate "
                "{rate}, batches of {batch}. 0: all from the first step on. Without open stages it "
                "changes nothing.",
                rate=significant(TrainConfig().learning_rate),
                batch=TrainConfig().batch_size,
            ),
        ),
        "learning_rate": FieldWords(
            message("Learning rate of the head"),
            message(
                "How far each step goes. Too high and the loss jumps, too low and nothing happens."
            ),
        ),
        "backbone_learning_rate": FieldWords(
            message("Learning rate of the backbone"),
            message(
                "Of the stages that are open. Small while the head is untrained, or they forget what they "
                "know; after a trained head, which needs little more, it may be the larger one."
            ),
        ),
        "rate_decay": FieldWords(
            message("Rate decay"),
            message(
                "The rate of each stage as a share of that of the stage above it: slower below. 1: all "
                "alike."
            ),
        ),
        "batch_size": FieldWords(message("Batch size"), message("Pictures per step.")),
        "optimizer": FieldWords(
            message("Optimizer"),
            message(
                "AdamW adapts its steps to each weight. SGD is plain gradient descent with momentum."
            ),
        ),
        "weight_decay": FieldWords(
            message("Weight decay"),
            message(
                "Pulls weights towards zero, against learning by heart. With AdamW a head alone takes "
                "much of it ({head}), stages of the backbone little ({stages}).",
                head=significant(TrainConfig().weight_decay),
                stages=significant(TrainConfig(freeze=NOTHING_FROZEN).weight_decay),
            ),
        ),
        "label_smoothing": FieldWords(
            message("Label smoothing"),
            message("Asks for a little less than certainty, against overconfidence."),
        ),
        "dropout": FieldWords(
            message("Dropout"), message("Share of features hidden at random in each step.")
        ),
        "class_weights": FieldWords(
            message("Weigh rare classes more"),
            message("For when one class has many more pictures than another."),
        ),
        "patience": FieldWords(
            message("Stop early after"),
            message("Epochs without a better held-out result. 0: never."),
        ),
        "augmented_views": FieldWords(
            message("Augmented views per picture"),
            message(
                "Randomly cropped and flipped copies to learn from. Each costs one more pass through the "
                "backbone."
            ),
        ),
        "seed": FieldWords(
            message("Seed"),
            message("The same seed, pictures and settings give the same weights."),
        ),
        "pretrained": FieldWords(
            message("Start from the pretrained weights"),
            message("Off: random weights, as the control. See how much the pretraining is worth."),
        ),
        "train_batchnorm": FieldWords(
            message("BatchNorm follows the batches"),
            message(
                "What happens when a network is left in training mode while stages learn. See it, do not "
                "keep it."
            ),
        ),
    }
)


def field_words(name: str, *, most_epochs: int) -> FieldWords:
    """The words of the field that stands for `name` in a `TrainConfig`."""
    if name != "epochs":
        return FIELDS[name]
    info = message("How often every picture is learned from: 1 to {most}.", most=most_epochs)
    return FieldWords(message("Epochs"), info)


def empty_field(default: float) -> Message:
    """What stands at a field in which there is nothing."""
    return message("Left empty, it is {default}.", default=significant(default))
