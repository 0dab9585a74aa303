"""A few steps on a few of the pictures, to know before a training how fast its epochs will be."""

import time
from dataclasses import replace

from tlapp.stopping import ShouldStop
from tlapp.training.estimate import Workload, step_work
from tlapp.training.finetune import rehearse_finetune
from tlapp.training.task import UNTRAINED, LabeledPictures, TrainJob, make_task

_STEP_SECONDS = 3.0  # expected of one step, at most: for large networks it is of fewer pictures
_TRIAL_SECONDS = 1.0  # of steps, or one step if that takes longer
_MOST_STEPS = 50


def learning_speed(
    job: TrainJob, work: Workload, *, images_per_second: float, should_stop: ShouldStop
) -> float | None:
    """Forward passes' worth of work a second (`estimate.learning_work`) in the last phase.

    `images_per_second` is the backbone's plain speed. Takes some seconds, most of them for the
    first step, which is not counted; nothing is learnt and nothing kept. None: stopped before. The
    phase is one in which stages of the backbone learn. Raises what `train` raises.
    """
    config, task = replace(job.phases[-1], augmented_views=0), make_task(job)
    work = replace(work, is_boundary_kept=not config.train_batchnorm)  # of so few pictures
    each = step_work(job.backbone, config, work)
    most = int(_STEP_SECONDS * images_per_second / each)
    count = min(config.batch_size, len(task.train.labels), max(2, most))
    few = LabeledPictures(task.train.pictures[:count], task.train.labels[:count])
    task = replace(task, train=few, valid=LabeledPictures((), ()))
    at: list[float] = []  # when the backward pass of each step was over
    steps = rehearse_finetune(
        task, config, UNTRAINED, scales=[0.0] * _MOST_STEPS, cache=None, should_stop=should_stop
    )
    for event in steps:
        if isinstance(event, float):
            at.append(time.perf_counter())
            if len(at) > 1 and at[-1] - at[0] >= _TRIAL_SECONDS:
                break
    if len(at) < 2:
        return None
    return (len(at) - 1) * count * each / (at[-1] - at[0])
