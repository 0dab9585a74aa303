"""The settings of a training: what each field is called, and what it does."""

from dataclasses import dataclass

from tlapp.training.config import NOTHING_FROZEN, TrainConfig


@dataclass(frozen=True)
class FieldWords:
    """What a settings field is called, and what it does."""

    label: str
    info: str


HEAD_EPOCHS = FieldWords(
    "First the head alone",
    "So many epochs before the open stages learn too, with the defaults of a head: rate "
    f"{TrainConfig().learning_rate:g}, batches of {TrainConfig().batch_size}. 0: all from the first "
    "step on. Without open stages it changes nothing.",
)
RATE = FieldWords(
    "Learning rate of the head",
    "How far each step goes. Too high and the loss jumps, too low and nothing happens.",
)
BACKBONE_RATE = FieldWords(
    "Learning rate of the backbone",
    "Of the stages that are open. Small while the head is untrained, or they forget what they know; "
    "after a trained head, which needs little more, it may be the larger one.",
)
RATE_DECAY = FieldWords(
    "Rate decay",
    "The rate of each stage as a share of that of the stage above it: slower below. 1: all alike.",
)
BATCH = FieldWords("Batch size", "Pictures per step.")
OPTIMIZER = FieldWords(
    "Optimizer",
    "AdamW adapts its steps to each weight. SGD is plain gradient descent with momentum.",
)
DECAY = FieldWords(
    "Weight decay",
    "Pulls weights towards zero, against learning by heart. With AdamW a head alone takes much of "
    f"it ({TrainConfig().weight_decay:g}), stages of the backbone little "
    f"({TrainConfig(freeze=NOTHING_FROZEN).weight_decay:g}).",
)
SMOOTHING = FieldWords(
    "Label smoothing", "Asks for a little less than certainty, against overconfidence."
)
DROPOUT = FieldWords("Dropout", "Share of features hidden at random in each step.")
CLASS_WEIGHTS = FieldWords(
    "Weigh rare classes more", "For when one class has many more pictures than another."
)
PATIENCE = FieldWords("Stop early after", "Epochs without a better held-out result. 0: never.")
VIEWS = FieldWords(
    "Augmented views per picture",
    "Randomly cropped and flipped copies to learn from. Each costs one more pass through the backbone.",
)
SEED = FieldWords("Seed", "The same seed, pictures and settings give the same weights.")
PRETRAINED = FieldWords(
    "Start from the pretrained weights",
    "Off: random weights, as the control. See how much the pretraining is worth.",
)

TRAIN_BATCHNORM = FieldWords(
    "BatchNorm follows the batches",
    "What happens when a network is left in training mode while stages learn. See it, do not keep it.",
)


def empty_field(default: float) -> str:
    """What stands at a field in which there is nothing."""
    return f"Left empty, it is {default:g}."


def epochs_field(most: int) -> FieldWords:
    """The field of the number of epochs."""
    return FieldWords("Epochs", f"How often every picture is learned from: 1 to {most:,}.")
