"""Pictures pass what is frozen, once, before the learning begins."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.extractor import Extractor, whole_backbone
from tlapp.backbones.features import (
    FeatureFinished,
    FeatureProgress,
    Features,
    FeatureStarted,
    FeatureStopped,
    extract_features,
)
from tlapp.backbones.loading import Backbone, MapHead
from tlapp.data.images import Picture
from tlapp.stopping import ShouldStop
from tlapp.training.config import TrainConfig
from tlapp.training.events import PreparingFeatures
from tlapp.training.forgetting import ForgettingMeter
from tlapp.training.task import Task


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
    if len(made) == 1:  # made in one pass; slices are not copied
        both_ND = made[0].features_ND
        made = [Features(both_ND[: len(train)]), Features(both_ND[len(train) :])]
    seconds = time.perf_counter() - began
    return Prepared(
        train=made[0],
        valid=made[1],
        seconds=seconds,
        images_per_second=computed / seconds,
    )


def prepare_meter(
    original: Backbone,
    pictures: Sequence[Picture],
    cache: FeatureCache | None,
    should_stop: ShouldStop,
) -> Generator[PreparingFeatures, None, ForgettingMeter | None]:
    """A meter on these pictures; None when stopped, for random weights, which know nothing, and for
    SqueezeNet, whose head wants more than features.

    The features are in the cache when a head was trained on them before.
    """
    if not original.pretrained or isinstance(original.imagenet_head, MapHead):
        return None
    for event in extract_features(
        whole_backbone(original), pictures, cache=cache, should_stop=should_stop
    ):
        if isinstance(event, FeatureProgress):
            yield PreparingFeatures(
                event.done, event.total, event.images_per_second, asks_original=True
            )
        elif isinstance(event, FeatureFinished):
            return ForgettingMeter(original, event.features.features_ND)
    return None
