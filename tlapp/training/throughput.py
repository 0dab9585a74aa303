"""How fast a training will learn, from a few of its steps that are taken before it."""

import time
from dataclasses import replace

from tlapp.stopping import ShouldStop
from tlapp.training.estimate import Workload, step_work
from tlapp.training.finetune import rehearse_finetune
from tlapp.training.task import UNTRAINED, LabeledPictures, TrainJob, make_task

_MOST_STEP_SECONDS = 5.0  # expected; longer steps are not worth the wait
_MEASURED_SECONDS = 1.0  # of steps, or one step if that takes longer
_MOST_STEPS = 50


def measure_throughput(
    job: TrainJob, work: Workload, *, images_per_second: float, should_stop: ShouldStop
) -> float | None:
    """Forward passes' worth of work a second (`estimate.learning_work`) in the last phase.

    `images_per_second` is the backbone's plain speed. Whole batches of the first pictures are
    learned from at a rate of 0: nothing changes. The first step is not counted. None: stopped, a
    step would take over five seconds, or what crosses the boundary does not fit into memory, so
    that a few pictures say nothing about all of them. Stages of the backbone learn in that phase.
    Raises TrainingError when the data cannot be learnt, PictureError.
    """
    config = replace(job.phases[-1], augmented_views=0)
    task = make_task(job)
    each = step_work(job.backbone, config, work)
    count = min(config.batch_size, len(task.train.labels))
    is_too_large = not work.is_boundary_kept and not config.train_batchnorm
    if is_too_large or count * each / images_per_second > _MOST_STEP_SECONDS:
        return None
    few = LabeledPictures(task.train.pictures[:count], task.train.labels[:count])
    task = replace(task, train=few, valid=LabeledPictures((), ()))
    ends: list[float] = []  # of the backward passes
    steps = rehearse_finetune(
        task, config, UNTRAINED, scales=[0.0] * _MOST_STEPS, cache=None, should_stop=should_stop
    )
    for event in steps:
        if isinstance(event, float):
            ends.append(time.perf_counter())
            if len(ends) > 1 and ends[-1] - ends[0] >= _MEASURED_SECONDS:
                break
    if len(ends) < 2 or should_stop():  # whatever came meanwhile has slowed the last step down
        return None
    return (len(ends) - 1) * count * each / (ends[-1] - ends[0])
