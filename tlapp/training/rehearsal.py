"""The first steps of a job's last phase, at rates of one's choosing; nothing is kept of them."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.extractor import whole_backbone
from tlapp.classifier import Classifier
from tlapp.stopping import ShouldStop
from tlapp.training.config import TrainConfig
from tlapp.training.events import PreparingFeatures, TrainingFinished
from tlapp.training.finetune import rehearse_finetune
from tlapp.training.head import rehearse_head
from tlapp.training.prepare import prepare
from tlapp.training.session import head_data, train
from tlapp.training.task import PhaseEvent, PhasePrepared, PhaseStart, Task, TrainJob, make_task


@dataclass(frozen=True)
class StepLoss:
    """What a step began with."""

    loss: float  # mean over the batch, nats per picture; may be infinite or no number


RehearsalEvent = PreparingFeatures | StepLoss


def rehearse(
    job: TrainJob,
    scales: Sequence[float],
    *,
    cache: FeatureCache | None,
    should_stop: ShouldStop,
) -> Iterator[RehearsalEvent]:
    """One step for each of `scales`, at that times every rate of the last phase; ends when stopped.

    The phases before the last are trained as they stand, and their best classifier is what it
    begins with. The job's own `start` is passed over. Raises what `train` raises, though not for a
    loss that is lost.
    """
    begun = yield from _earlier_phases(job, cache, should_stop)
    if should_stop():
        return
    config, task = job.phases[-1], make_task(job)
    if begun is not None:
        task = replace(task, backbone=begun.backbone)
    start = PhaseStart(begun, None)
    run = _rehearse_head_alone if config.is_head_alone else rehearse_finetune
    for event in run(task, config, start, scales=scales, cache=cache, should_stop=should_stop):
        if isinstance(event, float):
            yield StepLoss(event)
        elif isinstance(event, PreparingFeatures):
            yield event


def _earlier_phases(
    job: TrainJob, cache: FeatureCache | None, should_stop: ShouldStop
) -> Generator[PreparingFeatures, None, Classifier | None]:
    """The best classifier of the phases before the last; None: there are none, or stopped."""
    if len(job.phases) < 2:
        return None
    before = replace(job, phases=job.phases[:-1], start=None)
    for event in train(before, cache=cache, should_stop=should_stop):
        if isinstance(event, PreparingFeatures):
            yield event
        elif isinstance(event, TrainingFinished):
            return event.result.classifier
    return None


def _rehearse_head_alone(
    task: Task,
    config: TrainConfig,
    start: PhaseStart,
    *,
    scales: Sequence[float],
    cache: FeatureCache | None,
    should_stop: ShouldStop,
) -> Iterator[PhaseEvent | float]:
    prepared = yield from prepare(task, whole_backbone(task.backbone), config, cache, should_stop)
    if prepared is None:
        return
    yield PhasePrepared(prepared.seconds, prepared.images_per_second)
    yield from rehearse_head(
        head_data(task, prepared), config, start, scales=scales, should_stop=should_stop
    )
