"""What a training tells while it runs: one Started, then progress, then one Finished or Stopped.

Order: `TrainingStarted`; for each phase `PhaseStarted`, `PreparingFeatures`..., then each
`EpochFinished` (unless the head learns alone with `BatchFinished`... before it); at last
`TrainingFinished` or `TrainingStopped`. A training that cannot go on raises a TrainingError
instead; the epochs already told keep their classifiers.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tlapp.classifier import Classifier
from tlapp.training.config import TrainConfig
from tlapp.training.counts import ParameterCounts
from tlapp.training.forgetting import Forgetting
from tlapp.training.state import State


@dataclass(frozen=True)
class TrainingStarted:
    """What is about to be trained, on how many pictures."""

    phases: tuple[TrainConfig, ...]
    class_names: tuple[str, ...]
    train_count: int  # pictures to learn from
    valid_count: int  # pictures held out; 0: accuracy cannot be measured


@dataclass(frozen=True)
class PhaseStarted:
    """Another choice of what learns, with a fresh optimizer."""

    phase: int  # 1 for the first
    first_epoch: int  # counted over all phases
    counts: ParameterCounts


@dataclass(frozen=True)
class PreparingFeatures:
    """Pictures pass what is frozen (or, where nothing is, are decoded), once."""

    done: int
    total: int
    images_per_second: float
    asks_original: bool = False  # what forgetting is held against: the untouched network's answers


@dataclass(frozen=True)
class BatchFinished:
    """One step of a training in which stages of the backbone learn."""

    epoch: int  # counted over all phases, 1 for the first
    batch: int  # 1 for the first of its epoch
    batches: int  # in this epoch
    train_loss: float  # mean over the epoch so far, in nats per picture


@dataclass(frozen=True, eq=False)
class EpochFinished:
    """One pass over the pictures, measured, with the classifier as it is after it."""

    phase: int  # 1 for the first
    epoch: int  # counted over all phases, 1 for the first
    train_loss: float  # while learning: with dropout, smoothing and class weights; nats per picture
    train_eval_loss: float  # plain cross-entropy afterwards, in eval mode; nats per picture
    train_eval_accuracy: float  # 0 to 1, higher is better
    valid_loss: float | None  # plain cross-entropy on the held-out pictures; None: none held out
    valid_accuracy: float | None  # 0 to 1, higher is better
    valid_class_correct: tuple[int, ...]  # held-out pictures of each class that it gets right
    valid_hits: tuple[bool, ...]  # for each held-out picture whether it does
    forgetting: Forgetting | None  # None: the backbone did not learn, or knew nothing before
    seconds: float  # wall time of this epoch alone, measuring included
    elapsed_seconds: float  # wall time since the training began, preparation included
    is_best: bool  # better on the held-out pictures than every epoch before
    classifier: Classifier
    save_state: Callable[
        [], State | None
    ]  # to go on from here later; before the next event is asked for


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """The best epoch's classifier and the figures of the whole training.

    The best epoch is chosen on the held-out pictures, so `valid_accuracy` is a little optimistic
    (under 2 points on the sets measured); pictures that took no part would say exactly.
    """

    classifier: Classifier
    best_epoch: int  # counted over all phases
    valid_accuracy: float | None  # of the best epoch, 0 to 1; None: no pictures held out
    valid_correct: int
    valid_count: int
    valid_interval: tuple[float, float] | None  # 95 % Wilson interval of valid_accuracy
    feature_seconds: float  # wall time of decoding and the frozen backbone
    head_seconds: float  # wall time of learning
    seconds: float  # wall time of everything
    images_per_second: float  # pictures made ready a second; 0 when all were in the cache
    trainable_parameters: int  # in the last phase
    frozen_parameters: int


@dataclass(frozen=True, eq=False)
class TrainingFinished:
    """All epochs are done, or patience ran out."""

    result: TrainingResult


@dataclass(frozen=True, eq=False)
class TrainingStopped:
    """Somebody pressed stop. `result` holds the best epoch so far; None: not one was finished."""

    result: TrainingResult | None


TrainingEvent = (
    TrainingStarted
    | PhaseStarted
    | PreparingFeatures
    | BatchFinished
    | EpochFinished
    | TrainingFinished
    | TrainingStopped
)
