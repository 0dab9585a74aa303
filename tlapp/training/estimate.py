"""How long a training will take, before it starts, from the measured speed of this machine."""

from dataclasses import dataclass

from tlapp.backbones.loading import Backbone
from tlapp.training.config import TrainConfig
from tlapp.training.finetune import MEASURED_TRAIN_PICTURES
from tlapp.training.freezing import find_boundary, plan_stages

# Costs in forward passes of one picture (EfficientNet-Lite0, two cores).
_DECODED_FORWARD = 1.25  # with the decoding of its picture
_LEARNING_STEP = 3.6  # forward, backward through everything, and the step itself
_STEP_SECONDS = 0.01  # the optimizer's own work on a few million parameters

_HEAD_STEP_SECONDS = 8e-4  # a step on 32 stored pictures, 1280 features, 10 classes
_HEAD_OPERATIONS_A_SECOND = 2e9  # multiplications of a head on one core, small batches


@dataclass(frozen=True, kw_only=True)
class Workload:
    """How much there is to do."""

    train_count: int
    valid_count: int
    class_count: int
    cached_count: int = 0  # passes of a picture or a view of it that the cache spares
    stage_shares: tuple[float, ...]  # of the work of a forward pass, stem first
    is_boundary_kept: bool = True  # what crosses it is computed once, not in every epoch
    learning_speed: float | None = None  # measured while learning; see `learning_work`


def estimate_seconds(
    backbone: Backbone, config: TrainConfig, work: Workload, *, images_per_second: float
) -> float:
    """Expected wall time in seconds, from the first picture to the last epoch.

    `images_per_second` is the backbone's plain speed (`measure_speed`); a sketch of the backbone is
    enough. Right within a factor of 1.5 or so on a machine that does nothing else.
    """
    forward_seconds = 1 / images_per_second
    passes = work.train_count * (1 + config.augmented_views) + work.valid_count - work.cached_count
    if config.is_head_alone:
        features = passes * forward_seconds * _DECODED_FORWARD
        return features + _head_seconds(backbone, config, work)
    boundary = find_boundary(plan_stages(backbone.stages, config))
    below = sum(work.stage_shares[:boundary])  # passed once
    preparing = passes * forward_seconds * (_DECODED_FORWARD - 1 + below)
    epoch = estimate_epoch_seconds(backbone, config, work, images_per_second=images_per_second)
    return preparing + config.epochs * epoch


def estimate_epoch_seconds(
    backbone: Backbone, config: TrainConfig, work: Workload, *, images_per_second: float
) -> float:
    """Expected wall time of one epoch in which stages of the backbone learn, in seconds."""
    forwards = learning_work(backbone, config, work)
    if work.learning_speed is not None:
        return forwards / work.learning_speed
    steps = -(-work.train_count // config.batch_size)
    return forwards / images_per_second + steps * _STEP_SECONDS


def learning_work(backbone: Backbone, config: TrainConfig, work: Workload) -> float:
    """What one epoch costs, in forward passes of one picture through the whole backbone."""
    measured = min(work.train_count, MEASURED_TRAIN_PICTURES) + work.valid_count
    learnt = work.train_count * step_work(backbone, config, work)
    return learnt + measured * _forward_work(backbone, config, work)


def step_work(backbone: Backbone, config: TrainConfig, work: Workload) -> float:
    """What a step costs for each of its pictures, in the same unit."""
    boundary = find_boundary(plan_stages(backbone.stages, config))
    learning = sum(work.stage_shares[boundary:])
    backward = (_LEARNING_STEP - 1) * learning
    return _forward_work(backbone, config, work) + backward


def _forward_work(backbone: Backbone, config: TrainConfig, work: Workload) -> float:
    """What a pass costs, from what is kept to the scores."""
    boundary = find_boundary(plan_stages(backbone.stages, config))
    return sum(work.stage_shares[boundary if work.is_boundary_kept else 0 :])


def _head_seconds(backbone: Backbone, config: TrainConfig, work: Workload) -> float:
    """Steps cost their calls, pictures their products: two to learn, one or two to measure."""
    steps = -(-work.train_count // config.batch_size)
    products = 4 * work.train_count + work.valid_count
    multiplications = products * backbone.feature_width * work.class_count
    epoch = steps * _HEAD_STEP_SECONDS + multiplications / _HEAD_OPERATIONS_A_SECOND
    return config.epochs * epoch
