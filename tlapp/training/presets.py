"""The usual choices of what learns and how fast, each with one press."""

from dataclasses import dataclass

from tlapp.training.config import HEAD_ALONE, NOTHING_FROZEN, Freeze, TrainConfig


@dataclass(frozen=True)
class Preset:
    """What learns, at which rates."""

    name: str
    freeze: Freeze
    rate_decay: float = 1.0
    is_one_rate: bool = False  # the backbone as fast as the head
    pretrained: bool = True


PRESETS = (
    Preset("head", HEAD_ALONE),
    Preset("last", "last:1"),
    Preset("last_two", "last:2"),
    Preset("slower_below", NOTHING_FROZEN, rate_decay=0.5),
    Preset("one_rate", NOTHING_FROZEN, is_one_rate=True),
    Preset("scratch", NOTHING_FROZEN, is_one_rate=True, pretrained=False),
)


def apply_preset(preset: Preset, *, backbone: str, seed: int = 0) -> TrainConfig:
    """The settings that a preset stands for; everything else at its default."""
    config = TrainConfig(
        backbone=backbone,
        freeze=preset.freeze,
        pretrained=preset.pretrained,
        rate_decay=preset.rate_decay,
        seed=seed,
    )
    if not preset.is_one_rate:
        return config
    return TrainConfig(
        backbone=backbone,
        freeze=preset.freeze,
        pretrained=preset.pretrained,
        backbone_learning_rate=config.learning_rate,
        seed=seed,
    )


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
    return (config.rate_decay, config.stage_rates) == (like.rate_decay, ()) and (
        (config.backbone_learning_rate == config.learning_rate) is preset.is_one_rate
    )
