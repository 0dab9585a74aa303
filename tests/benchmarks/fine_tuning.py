"""Fine-tuning at its defaults, after the head at its defaults: what it gains on three sets."""

from dataclasses import replace
from pathlib import Path

from tests.benchmarks.accuracy import SETS
from tests.benchmarks.data_sets import photographs
from tests.benchmarks.rows import Row
from tests.benchmarks.stored import default_backbone, few_of, training_of
from tlapp.backbones.cache import FeatureCache
from tlapp.training.events import EpochFinished
from tlapp.training.presets import FINE_TUNING, Preset, apply_preset, find_preset, phases_of
from tlapp.training.session import train
from tlapp.training.task import TrainJob

SEEDS = (0, 1, 2)
FEW_CLASSES, FEW_PER_CLASS = 4, 24  # a first try in a class
CACHE_BYTES = 10_000_000_000


def measure(folder: Path) -> tuple[Row, ...]:
    """Held-out accuracy in percent, best epoch of each phase (both chosen on the held-out
    pictures), with all pictures of a set and with few; and beside it the textbook's 1e-5 for
    everything, on the first seed."""
    backbone = default_backbone()
    cache = FeatureCache(folder / "features", CACHE_BYTES)
    textbook = find_preset("textbook")
    assert textbook is not None
    rows: list[Row] = []
    gains: list[float] = []
    few_gains: list[float] = []
    for name in SETS:
        job = training_of(photographs(name, folder), backbone)
        for seed in SEEDS:
            head, tuned = _best_of_phases(job, FINE_TUNING, cache, seed=seed)
            gains.append(tuned - head)
            rows.append(Row(f"{name}, seed {seed}: the head alone", head, "%"))
            rows.append(Row(f"{name}, seed {seed}: gain of fine-tuning", tuned - head, "points"))
            few = few_of(job, classes=FEW_CLASSES, per_class=FEW_PER_CLASS, seed=seed)
            head, tuned = _best_of_phases(few, FINE_TUNING, cache, seed=seed)
            few_gains.append(tuned - head)
            count = len(few.split.train)
            rows.append(Row(f"{name}, {count} pictures, seed {seed}: gain", tuned - head, "points"))
        head, tuned = _best_of_phases(job, textbook, cache)
        rows.append(Row(f"{name}: gain at the textbook's 1e-5", tuned - head, "points"))
    return (*rows, _mean("fine-tuning", gains), _mean("fine-tuning with few pictures", few_gains))


def _mean(what: str, gains: list[float]) -> Row:
    mean = sum(gains) / len(gains)
    return Row(f"mean gain of {what}, {len(gains)} runs", mean, "points", goal=">= 0.1")


def _best_of_phases(
    job: TrainJob, preset: Preset, cache: FeatureCache, *, seed: int = 0
) -> tuple[float, float]:
    count = len(job.split.train)
    name = job.backbone.card.name
    phases = phases_of(apply_preset(preset, backbone=name, seed=seed, train_count=count))
    best = {1: 0.0, 2: 0.0}
    for event in train(replace(job, phases=phases), cache=cache, should_stop=lambda: False):
        if isinstance(event, EpochFinished):
            accuracy = 100 * (event.valid_accuracy or 0.0)
            best[event.phase] = max(best[event.phase], accuracy)
    return best[1], best[2]
