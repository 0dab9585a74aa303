"""The usual choices of what learns and how fast, each with one press."""

from dataclasses import dataclass, replace

from tlapp.errors import TrainingError
from tlapp.training.config import HEAD_ALONE, NOTHING_FROZEN, Freeze, TrainConfig


@dataclass(frozen=True)
class Preset:
    """What learns, at which rates."""

    name: str
    freeze: Freeze
    rate_decay: float = 1.0
    is_one_rate: bool = False  # the backbone as fast as the head, from the first step on
    pretrained: bool = True


HEAD_EPOCHS = TrainConfig().epochs  # before stages are opened: an untrained head's errors harm

PRESETS = (
    Preset("head", HEAD_ALONE),
    Preset("last", "last:1"),
    Preset("last_two", "last:2"),
    Preset("slower_below", NOTHING_FROZEN, rate_decay=0.5),
    Preset("one_rate", NOTHING_FROZEN, is_one_rate=True),
    Preset("scratch", NOTHING_FROZEN, is_one_rate=True, pretrained=False),
)

FINE_TUNING = PRESETS[3]  # what follows a head by default


def apply_preset(preset: Preset, *, backbone: str, seed: int = 0) -> TrainConfig:
    """The settings that a preset stands for; everything else at its default."""
    config = TrainConfig(
        backbone=backbone,
        freeze=preset.freeze,
        pretrained=preset.pretrained,
        rate_decay=preset.rate_decay,
        seed=seed,
    )
    if preset.is_one_rate:
        return replace(config, backbone_learning_rate=config.learning_rate)
    return config if config.is_head_alone else replace(config, head_epochs=HEAD_EPOCHS)


def phases_of(config: TrainConfig) -> tuple[TrainConfig, ...]:
    """The phases that these settings stand for: the head alone first, if it is wanted, then them.

    The head's phase has the settings of its kind by default, and those of `config` that concern
    pictures and loss.
    """
    last = replace(config, head_epochs=0)
    if config.is_head_alone or not config.head_epochs:
        return (last,)
    first = TrainConfig(
        backbone=config.backbone,
        pretrained=config.pretrained,
        epochs=config.head_epochs,
        augmented_views=config.augmented_views,
        label_smoothing=config.label_smoothing,
        class_weights=config.class_weights,
        seed=config.seed,
    )
    return first, last


def asked_phases(config: TrainConfig, wish: str = "") -> tuple[TrainConfig, ...]:
    """The phases of a wish such as "head:20,fine:5"; "": `config` alone.

    Each part is what learns and for how many epochs: "head", "none", "last:2", or "fine" for what
    `config` lets learn (if that is the head alone, what fine-tuning is by default). Backbone,
    weights and seed are those of `config`. Raises TrainingError.
    """
    if not wish:
        return phases_of(config)
    return tuple(_asked_phase(config, part.strip()) for part in wish.split(","))


def _asked_phase(config: TrainConfig, part: str) -> TrainConfig:
    what, _, count = part.rpartition(":")
    if not what or not count.isdecimal():
        raise TrainingError(
            f'"{part}" is no phase.', hint='Write what learns and its epochs: "head:20,fine:5".'
        )
    epochs = int(count)
    if what != "fine":
        return TrainConfig(
            backbone=config.backbone,
            pretrained=config.pretrained,
            freeze=what,
            epochs=epochs,
            seed=config.seed,
        )
    if config.is_head_alone:
        config = replace(
            apply_preset(FINE_TUNING, backbone=config.backbone, seed=config.seed),
            pretrained=config.pretrained,
        )
    return replace(config, epochs=epochs, head_epochs=0)


def matching_preset(config: TrainConfig) -> Preset | None:
    """The preset whose locks and rates these settings have; None: they are somebody's own."""
    return next((preset for preset in PRESETS if _is_like(config, preset)), None)


def find_preset(name: str) -> Preset | None:
    """The preset of this name; None: there is none."""
    return next((preset for preset in PRESETS if preset.name == name), None)


def _is_like(config: TrainConfig, preset: Preset) -> bool:
    if (config.freeze, config.pretrained) != (preset.freeze, preset.pretrained):
        return False
    if config.is_head_alone:
        return True
    like = apply_preset(preset, backbone=config.backbone)
    is_one_rate = config.backbone_learning_rate == config.learning_rate
    return (
        (config.rate_decay, config.stage_rates) == (like.rate_decay, ())
        and bool(config.head_epochs) == bool(like.head_epochs)
        and is_one_rate is preset.is_one_rate
    )
