"""The usual choices of what learns and how fast, each with one press.

How the rates of fine-tuning after a head were chosen: EfficientNet-Lite0 on three sets of 553 to
1,120 pictures, three seeds each. Small rates (the textbook's 1e-5) move next to nothing in the few
epochs that two cores allow; 1e-3 passes through a dip and gained in each of the nine runs, more so
with augmented views. With 72 to 100 pictures to learn from (four choices of classes, three seeds
each) its six epochs are some thirty steps, too few to come out of the dip: 0.5 to 4.1 points below
the head on average. With the epochs and rates that `fine_tuning` gives so few pictures it is 0.7 to
1.2 points above it. `python -m tests.benchmarks fine_tuning` measures the present defaults again.
"""

import math
from dataclasses import dataclass, replace

from tlapp.bounds import PHASES, PHASES_CHARACTERS, shown
from tlapp.errors import TrainingError
from tlapp.messages import message
from tlapp.training.config import HEAD_ALONE, MAX_EPOCHS, NOTHING_FROZEN, Freeze, TrainConfig

HEAD_EPOCHS = TrainConfig().epochs  # before stages are opened: an untrained head's errors harm
_FINE_EPOCHS = 6
_LEAST_FINE_STEPS = 100  # to come out of the dip, as far as the epochs allow
_MOST_FINE_EPOCHS = 15  # a class waits for them
_FULL_RATE_STEPS = 200  # with fewer, the backbone's rate is that much smaller
_FINE_HEAD_RATE = 3e-4  # the head has learned already
_FINE_BACKBONE_RATE = 1e-3
_FINE_VIEWS = 3
_TEXTBOOK_RATE = 1e-5


@dataclass(frozen=True)
class Preset:
    """What learns, at which rates."""

    name: str
    freeze: Freeze
    rate_decay: float = 1.0
    one_rate: float | None = None  # of head and backbone; None: each has its own
    begins_with_head: bool = True  # False: all from the first step on
    pretrained: bool = True


PRESETS = (
    Preset("head", HEAD_ALONE),
    Preset("last", "last:1"),
    Preset("last_two", "last:2"),
    Preset("slower_below", NOTHING_FROZEN, rate_decay=0.5),
    Preset("textbook", NOTHING_FROZEN, one_rate=_TEXTBOOK_RATE),
    Preset("one_rate", NOTHING_FROZEN, one_rate=1e-3, begins_with_head=False),
    Preset("scratch", NOTHING_FROZEN, one_rate=1e-3, begins_with_head=False, pretrained=False),
)

FINE_TUNING = PRESETS[2]  # what follows a head by default


def apply_preset(
    preset: Preset, *, backbone: str, seed: int = 0, train_count: int | None = None
) -> TrainConfig:
    """The settings that a preset stands for; everything else at its default. `train_count`: see
    `fine_tuning`."""
    if preset.freeze == HEAD_ALONE:
        return TrainConfig(backbone=backbone, seed=seed)
    if preset.one_rate is None:
        config = fine_tuning(preset.freeze, backbone=backbone, seed=seed, train_count=train_count)
        return replace(config, rate_decay=preset.rate_decay)
    return TrainConfig(
        backbone=backbone,
        freeze=preset.freeze,
        pretrained=preset.pretrained,
        head_epochs=HEAD_EPOCHS if preset.begins_with_head else 0,
        learning_rate=preset.one_rate,
        backbone_learning_rate=preset.one_rate,
        seed=seed,
    )


def defaults(
    freeze: Freeze,
    *,
    backbone: str,
    pretrained: bool = True,
    seed: int = 0,
    train_count: int | None = None,
) -> TrainConfig:
    """The settings for what is to learn that were found best. `train_count`: see `fine_tuning`."""
    if freeze == HEAD_ALONE:
        return TrainConfig(backbone=backbone, pretrained=pretrained, seed=seed)
    return fine_tuning(
        freeze, backbone=backbone, pretrained=pretrained, seed=seed, train_count=train_count
    )


def fine_tuning(
    freeze: Freeze,
    *,
    backbone: str,
    pretrained: bool = True,
    seed: int = 0,
    train_count: int | None = None,
) -> TrainConfig:
    """The head first, then what `freeze` leaves open, at the rates that were found best.

    `train_count` pictures to learn from (None: 500 or more) make the steps of an epoch. Where these
    are few there are more epochs, up to 15, and the backbone's rate is smaller: a network that a
    large rate has shaken needs a hundred steps and more to come to itself again.
    """
    config = TrainConfig(
        backbone=backbone,
        freeze=freeze,
        pretrained=pretrained,
        head_epochs=HEAD_EPOCHS,
        epochs=_FINE_EPOCHS,
        learning_rate=_FINE_HEAD_RATE,
        backbone_learning_rate=_FINE_BACKBONE_RATE,
        augmented_views=_FINE_VIEWS,
        seed=seed,
    )
    if train_count is None:
        return config
    steps_per_epoch = math.ceil(max(1, train_count) / config.batch_size)
    enough = min(math.ceil(_LEAST_FINE_STEPS / steps_per_epoch), _MOST_FINE_EPOCHS)
    epochs = max(config.epochs, enough)
    share = min(1.0, epochs * steps_per_epoch / _FULL_RATE_STEPS)
    rate = float(f"{_FINE_BACKBONE_RATE * share:.1g}")  # as one would type it
    return replace(config, epochs=epochs, backbone_learning_rate=rate)


def fine_tuning_of(head: TrainConfig, *, train_count: int | None) -> TrainConfig:
    """What follows this head by default, on its network and so many pictures."""
    return fine_tuning(
        FINE_TUNING.freeze,
        backbone=head.backbone,
        pretrained=head.pretrained,
        seed=head.seed,
        train_count=train_count,
    )


def phases_of(config: TrainConfig) -> tuple[TrainConfig, ...]:
    """The phases that these settings stand for: the head alone first, if it is wanted, then them.

    The head's phase has the settings of its kind by default, and those of `config` that concern
    the loss. It learns from plain pictures: their features are in the cache from run to run.
    """
    last = replace(config, head_epochs=0)
    if config.is_head_alone or not config.head_epochs:
        return (last,)
    first = TrainConfig(
        backbone=config.backbone,
        pretrained=config.pretrained,
        epochs=config.head_epochs,
        label_smoothing=config.label_smoothing,
        class_weights=config.class_weights,
        seed=config.seed,
    )
    return first, last


def asked_phases(
    config: TrainConfig, wish: str = "", *, most_epochs: int = MAX_EPOCHS
) -> tuple[TrainConfig, ...]:
    """The phases of a wish such as "head:20,fine:5"; "": `config` alone.

    Each part is what learns and for how many epochs: "head", "none", "last:2", or "fine" for what
    `config` lets learn (if that is the head alone, what fine-tuning is by default). Backbone,
    weights and seed are those of `config`. A phase may have `most_epochs`. Raises TrainingError.
    """
    if not wish:
        return phases_of(config)
    if len(wish) > PHASES_CHARACTERS or wish.count(",") >= PHASES:
        raise TrainingError(
            message(
                "{phases} phases in {characters} characters are too many.",
                phases=wish.count(",") + 1,
                characters=len(wish),
            ),
            hint=message(
                "Write {phases} or fewer, in {characters} characters.",
                phases=PHASES,
                characters=PHASES_CHARACTERS,
            ),
        )
    return tuple(_asked_phase(config, part.strip(), most_epochs) for part in wish.split(","))


def _asked_phase(config: TrainConfig, part: str, most_epochs: int) -> TrainConfig:
    what, _, count = part.rpartition(":")
    if not what or not count.isdecimal():
        raise TrainingError(
            message("{phase} is no phase.", phase=shown(part)),
            hint=message('Write what learns and its epochs: "head:20,fine:5".'),
        )
    epochs = int(count)
    if not 1 <= epochs <= most_epochs:
        raise TrainingError(
            message(
                "The number of epochs cannot be {value} in the phase {phase}.",
                value=shown(epochs),
                phase=shown(part),
            ),
            hint=message("Choose a whole number from 1 to {high}.", high=most_epochs),
        )
    if what != "fine":
        return TrainConfig(
            backbone=config.backbone,
            pretrained=config.pretrained,
            freeze=what,
            epochs=epochs,
            seed=config.seed,
        )
    if config.is_head_alone:
        config = fine_tuning(
            FINE_TUNING.freeze,
            backbone=config.backbone,
            pretrained=config.pretrained,
            seed=config.seed,
        )
    return replace(config, epochs=epochs, head_epochs=0)


def matching_preset(config: TrainConfig, *, train_count: int | None = None) -> Preset | None:
    """The preset whose locks and rates these settings have; None: they are somebody's own."""
    return next((preset for preset in PRESETS if _is_like(config, preset, train_count)), None)


def find_preset(name: str) -> Preset | None:
    """The preset of this name; None: there is none."""
    return next((preset for preset in PRESETS if preset.name == name), None)


def _is_like(config: TrainConfig, preset: Preset, train_count: int | None) -> bool:
    if (config.freeze, config.pretrained) != (preset.freeze, preset.pretrained):
        return False
    return config.is_head_alone or _speeds(config) == _speeds(
        apply_preset(preset, backbone=config.backbone, train_count=train_count)
    )


def _speeds(config: TrainConfig) -> tuple[object, ...]:
    """How fast everything learns, and whether the head does so first."""
    return (
        config.learning_rate,
        config.backbone_learning_rate,
        config.rate_decay,
        config.stage_rates,
        config.head_epochs > 0,
    )
