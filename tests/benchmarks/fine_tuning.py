"""Fine-tuning at its defaults, after the head at its defaults: what it gains on three sets."""

from dataclasses import replace
from pathlib import Path

from tests.benchmarks.accuracy import SETS
from tests.benchmarks.data_sets import photographs
from tests.benchmarks.rows import Row
from tests.benchmarks.stored import default_backbone, training_of
from tlapp.backbones.cache import FeatureCache
from tlapp.training.events import EpochFinished
from tlapp.training.presets import FINE_TUNING, apply_preset, find_preset, phases_of
from tlapp.training.session import train
from tlapp.training.task import TrainJob

SEEDS = (0, 1, 2)
CACHE_BYTES = 10_000_000_000


def measure(folder: Path) -> tuple[Row, ...]:
    """Held-out accuracy in percent, best epoch of each phase (both chosen on the held-out
    pictures); and beside it the textbook's 1e-5 for everything, on the first seed."""
    backbone = default_backbone()
    cache = FeatureCache(folder / "features", CACHE_BYTES)
    textbook = find_preset("textbook")
    assert textbook is not None
    rows: list[Row] = []
    gains: list[float] = []
    for name in SETS:
        job = training_of(photographs(name, folder), backbone)
        for seed in SEEDS:
            fine = phases_of(apply_preset(FINE_TUNING, backbone=backbone.card.name, seed=seed))
            head, tuned = _best_of_phases(replace(job, phases=fine), cache)
            gains.append(tuned - head)
            rows.append(Row(f"{name}, seed {seed}: the head alone", head, "%"))
            rows.append(Row(f"{name}, seed {seed}: gain of fine-tuning", tuned - head, "points"))
        small = phases_of(apply_preset(textbook, backbone=backbone.card.name))
        head, tuned = _best_of_phases(replace(job, phases=small), cache)
        rows.append(Row(f"{name}: gain at the textbook's 1e-5", tuned - head, "points"))
    rows.append(
        Row(
            f"mean gain of fine-tuning over {len(gains)} runs",
            sum(gains) / len(gains),
            "points",
            goal=">= 0.1",
        )
    )
    return tuple(rows)


def _best_of_phases(job: TrainJob, cache: FeatureCache) -> tuple[float, float]:
    best = {1: 0.0, 2: 0.0}
    for event in train(job, cache=cache, should_stop=lambda: False):
        if isinstance(event, EpochFinished):
            accuracy = 100 * (event.valid_accuracy or 0.0)
            best[event.phase] = max(best[event.phase], accuracy)
    return best[1], best[2]
