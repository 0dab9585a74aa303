"""How much memory each preset takes beside what the page says before it starts."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.benchmarks.data_sets import photographs
from tests.benchmarks.memory import MEGABYTE, Growth, growth_of
from tests.benchmarks.rows import Row
from tlapp.backbones.loading import Backbone
from tlapp.backbones.weights import WeightsStore
from tlapp.training.presets import PRESETS, apply_preset, find_preset
from tlapp.workspace.models import Backbones

BACKBONES = ("efficientnet_lite0", "resnet18")
EPOCHS = 2  # of what learns after the head; memory is at its highest within them


def measure(folder: Path) -> tuple[Row, ...]:
    """Growth of a fresh process in each preset, and how far off the estimate was; clothing10."""
    source = photographs("clothing10", folder)
    spawn = multiprocessing.get_context("spawn")  # a forked child would inherit this one's memory
    rows = []
    for backbone in BACKBONES:
        for preset in PRESETS:
            home = folder / f"{backbone}-{preset.name}"
            with ProcessPoolExecutor(1, mp_context=spawn) as pool:
                growth = pool.submit(growth_in_preset, home, source, backbone, preset.name).result()
            expected = growth.expected_peak
            rows.append(
                Row(
                    f"{backbone}, {preset.name}: memory ({expected / MEGABYTE:.0f} MB were said)",
                    growth.peak / MEGABYTE,
                    "MB",
                    ratio=abs(growth.peak / expected - 1),
                    goal="<= 0.2",
                )
            )
    return tuple(rows)


def growth_in_preset(home: Path, source: Path, backbone: str, name: str) -> Growth:
    """What a training took, and what was told before."""
    import tlapp.ui.shell  # noqa: F401  # what the server holds anyway

    preset = find_preset(name)
    assert preset is not None
    config = apply_preset(preset, backbone=backbone)
    if not config.is_head_alone:
        config = replace(config, epochs=EPOCHS)
    if backbone.startswith("efficientnet_lite"):
        return growth_of(home, source, config)
    load = Backbones.get

    def drawn(backbones: Backbones, name: str, **options: Any) -> Backbone:
        """Random weights that stand for pretrained ones: as large, BatchNorm fixed."""
        wanted = options.get("pretrained", True)
        return replace(load(backbones, name, pretrained=False), pretrained=wanted)

    with (
        patch.object(Backbones, "get", drawn),
        patch.object(WeightsStore, "is_ready", lambda *_: True),
        patch.object(WeightsStore, "weights_hash", lambda *_: "drawn"),
    ):
        return growth_of(home, source, config)
