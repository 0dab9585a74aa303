"""The classic mistakes of transfer learning, each made for real on a copy of somebody's run.

One thing is changed, everything else is as in the run, or in its head where that alone is trained.
Nothing of the run is written to, and wrong features never meet the cache.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from tlapp.backbones.cache import FeatureCache
from tlapp.bounds import shown
from tlapp.errors import TrainingError
from tlapp.experiments.bench import Bench, MistakeValue, Side
from tlapp.experiments.inputs import bgr, correctly, zero_to_255
from tlapp.experiments.misreading import batchnorm_in_training_mode, reading, without_eval
from tlapp.experiments.mistraining import (
    everywhere_wrong,
    labels_shuffled,
    not_frozen,
    rate_too_large,
    trained_on_validation,
    training,
    without_normalizing,
)
from tlapp.messages import message
from tlapp.stopping import ShouldStop

_LEAST_SHARE = 0.05  # a time left that is reckoned from less is a guess

MISTAKES: Final = MappingProxyType(
    {
        "not_frozen": training(not_frozen),
        "wrong_at_prediction": reading(
            lambda preprocess: correctly(without_normalizing(preprocess))
        ),
        "wrong_everywhere": training(everywhere_wrong, sees_wrong=True),
        "bgr": reading(bgr),
        "zero_to_255": reading(zero_to_255),
        "no_eval": without_eval,
        "batchnorm": batchnorm_in_training_mode,
        "rate_times_100": training(rate_too_large),
        "train_on_validation": trained_on_validation,
        "labels_shuffled": training(labels_shuffled, tells_train=True),
    }
)


HEAD_MISTAKES: Final = frozenset({"wrong_everywhere", "train_on_validation", "labels_shuffled"})
"""Those that train a head as the run's was: it is what they are held against."""


def begin_mistake(name: str, right: Side, *, class_count: int, guess: str = "") -> MistakeValue:
    """What is known before a mistake begins. Raises TrainingError for a name that is none."""
    if name not in MISTAKES:
        raise TrainingError(
            message("There is no mistake {name}.", name=shown(name)),
            hint=message("Choose one of the list."),
        )
    return MistakeValue(name=name, right=right, guessing=1 / class_count, guess=guess)


def run_mistake(
    start: MistakeValue, bench: Bench, *, cache: FeatureCache | None, should_stop: ShouldStop
) -> Iterator[MistakeValue]:
    """The mistake as it happens; each value is whole. Ends early when stopped.

    Raises PictureError, and TrainingError where no pictures are held out.
    """
    began = time.perf_counter()
    for value in MISTAKES[start.name](start, bench, cache, should_stop):
        seconds = time.perf_counter() - began
        share = value.share_done
        left = seconds * (1 - share) / share if share > _LEAST_SHARE else None
        yield replace(value, seconds_left=left)
