"""Pictures pass what is frozen, once, before the learning begins."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import torch

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.extractor import Extractor
from tlapp.backbones.features import (
    FeatureFinished,
    FeatureProgress,
    Features,
    FeatureStarted,
    FeatureStopped,
    extract_features,
)
from tlapp.training.config import TrainConfig
from tlapp.training.events import PreparingFeatures
from tlapp.training.task import Task

ShouldStop = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What the frozen part yields for both sides of the split."""

    train: Features
    valid: Features
    seconds: float
    images_per_second: float  # 0 when everything was in the cache


def prepare(
    task: Task,
    extractor: Extractor,
    config: TrainConfig,
    cache: FeatureCache | None,
    should_stop: ShouldStop,
) -> Generator[PreparingFeatures, None, Prepared | None]:
    """The features of both sides; None: stopped. Augmented views are made for learning alone."""
    began = time.perf_counter()
    train, valid, views = task.train.pictures, task.valid.pictures, config.augmented_views
    total = len(train) + len(valid)
    done = computed = 0
    made: list[Features] = []
    for part, count in ((train, views), (valid, 0)) if views else ((train + valid, 0),):
        for event in extract_features(
            extractor, part, cache=cache, views=count, seed=config.seed, should_stop=should_stop
        ):
            if isinstance(event, FeatureStarted):
                computed += event.total - event.cached
            elif isinstance(event, FeatureProgress):
                yield PreparingFeatures(done + event.done, total, event.images_per_second)
            elif isinstance(event, FeatureFinished):
                made.append(event.features)
            elif isinstance(event, FeatureStopped):
                return None
        done += len(part)
    plain = [features.features_ND for features in made]
    plain_ND = torch.cat(plain) if views else plain[0]  # not copied: it may be half a gigabyte
    seconds = time.perf_counter() - began
    return Prepared(
        train=Features(plain_ND[: len(train)], made[0].views_VND),
        valid=Features(plain_ND[len(train) :], None),
        seconds=seconds,
        images_per_second=computed / seconds,
    )
