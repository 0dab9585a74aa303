"""How much memory a training takes, before it starts: what it holds, counted on shapes."""

from tlapp.backbones.costs import TopCosts
from tlapp.backbones.extractor import KEPT_TYPE
from tlapp.backbones.loading import Backbone
from tlapp.backbones.workers import core_count
from tlapp.training.config import TrainConfig
from tlapp.training.counts import count_parameters
from tlapp.training.estimate import Workload
from tlapp.training.inputs import KEPT_BYTES
from tlapp.training.network import CORE_BATCH, TOP_BATCH, learns_batch_statistics

_FLOAT_BYTES = 4

# Fitted to EfficientNet-Lite0 and ResNet18 in all presets, two cores, 646 pictures; `python -m
# tests.benchmarks preset_memory` measures again.
_BASE_BYTES = 205_000_000  # what computing takes whatever the network: buffers of threads, code
_COPIES = 1.3  # of the whole network: as loaded, and with BatchNorm fused
_LEARNING_COPIES = 14.5  # of what learns: weights, gradients, moments, what is kept and being saved
_OVER_SAVED = 1.5  # for what comes and goes between the activations that autograd keeps,
_OVER_SAVED_BATCH = 1.1  # less of it where statistics are learnt: there one batch is all there is


def estimate_bytes(backbone: Backbone, config: TrainConfig, work: Workload, top: TopCosts) -> int:
    """Expected growth of the process, at its highest, on top of what it is without a backbone.

    `top` is that of the stages above the boundary of `config`. Within a fifth of what presets took
    on two cores.
    """
    network = _FLOAT_BYTES * backbone.parameter_count
    learning = _FLOAT_BYTES * count_parameters(backbone, work.class_count, config).trainable
    computing = 0.0
    if not config.is_head_alone:
        is_whole_batch = learns_batch_statistics(backbone, config)
        over = _OVER_SAVED_BATCH if is_whole_batch else _OVER_SAVED
        count = _pictures_at_once(config, work, top, is_whole_batch=is_whole_batch)
        computing = over * top.saved_bytes * count
    return round(
        _BASE_BYTES
        + _COPIES * network
        + _LEARNING_COPIES * learning
        + computing
        + _kept_bytes(backbone, config, work, top)
    )


def _pictures_at_once(
    config: TrainConfig, work: Workload, top: TopCosts, *, is_whole_batch: bool
) -> int:
    """Pictures whose activations are held at the same time."""
    batch = min(config.batch_size, work.train_count)
    if is_whole_batch:
        return batch
    is_top = top.has_bottom and work.is_boundary_kept
    return min(batch, TOP_BATCH) if is_top else min(batch, core_count() * CORE_BATCH)


def _kept_bytes(backbone: Backbone, config: TrainConfig, work: Workload, top: TopCosts) -> int:
    """What is read in every epoch: features, activations at the boundary, or pixels."""
    views = 1 + config.augmented_views
    pictures = work.train_count * views + work.valid_count
    if config.is_head_alone:
        return pictures * backbone.feature_width * _FLOAT_BYTES
    if top.has_bottom and work.is_boundary_kept:
        return pictures * top.entering * KEPT_TYPE.itemsize
    picture = 3 * backbone.preprocess.crop_pixels**2
    return sum(
        min(count * picture, KEPT_BYTES) for count in (work.train_count * views, work.valid_count)
    )
