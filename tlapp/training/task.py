"""What is to be learnt, checked, and what one phase of the learning tells."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tlapp.backbones.loading import Backbone
from tlapp.classifier import Classifier
from tlapp.data.images import LabeledImages, Picture
from tlapp.data.splits import Split
from tlapp.errors import TrainingError
from tlapp.messages import message
from tlapp.training.config import TrainConfig
from tlapp.training.events import BatchFinished, PreparingFeatures
from tlapp.training.forgetting import Forgetting
from tlapp.training.loss import Measured, Ranked
from tlapp.training.state import State

_LEAST_CLASSES = 2


class EpochTold(Ranked, Protocol):
    """An epoch of an earlier training, as its record tells it."""

    @property
    def phase(self) -> int:
        """1 for the first."""

    @property
    def epoch(self) -> int:
        """Counted over all phases."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Start:
    """Where an earlier training is taken up: at the beginning of a phase, or in it."""

    phase: int  # the phase to go on with, 1 for the first
    told: tuple[EpochTold, ...]  # every epoch before, in order
    best: Classifier  # of the best of them
    state: State | None  # after the last of them; None: the phase has not begun


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainJob:
    """One training as it is asked for: pictures, a backbone, and one phase or two."""

    images: LabeledImages
    split: Split
    picture_of: Callable[[str], Picture]
    backbone: Backbone
    phases: tuple[TrainConfig, ...]  # one after the other, each with a fresh optimizer
    start: Start | None = None  # None: begins with the first phase


@dataclass(frozen=True)
class LabeledPictures:
    """Pictures and the index of each one's class."""

    pictures: tuple[Picture, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Task:
    """One training's input. Nothing in it changes while it is trained."""

    class_names: tuple[str, ...]
    train: LabeledPictures
    valid: LabeledPictures  # may be empty: then accuracy cannot be measured
    backbone: Backbone  # that a phase begins with
    original: Backbone  # that the first one began with


@dataclass(frozen=True, eq=False)
class PhaseEpoch:
    """One pass over the pictures, measured."""

    train_loss: float  # while learning; nats per picture
    train: Measured  # afterwards, in eval mode
    valid: Measured | None  # None: no pictures held out
    forgetting: Forgetting | None  # None: the backbone did not learn, or knew nothing before
    seconds: float
    classifier: Classifier  # nobody changes it afterwards
    save_state: Callable[
        [], State | None
    ]  # of what learns, as it is until the next event is asked for


@dataclass(frozen=True)
class PhasePrepared:
    """Everything frozen has been passed; the learning begins."""

    seconds: float  # wall time it took
    images_per_second: float  # pictures made ready a second; 0: all were in the cache


PhaseEvent = PreparingFeatures | PhasePrepared | BatchFinished | PhaseEpoch


@dataclass(frozen=True, eq=False)
class PhaseStart:
    """What a phase begins with."""

    classifier: Classifier | None  # the best one before; None: an untrained head
    state: State | None  # of this phase, where it was left; None: it begins


UNTRAINED = PhaseStart(classifier=None, state=None)


def make_task(job: TrainJob) -> Task:
    """The task, or a TrainingError that says what is missing."""
    _check_phases(job)
    _check_classes(job.images, job.split)
    return Task(
        class_names=job.images.class_names,
        train=_labeled(job, job.split.train),
        valid=_labeled(job, job.split.valid),
        backbone=job.backbone,
        original=job.backbone,
    )


def _check_phases(job: TrainJob) -> None:
    if not job.phases:
        raise TrainingError(
            message("There is no phase to train."), hint=message("Choose at least one.")
        )
    for config in job.phases:
        if config.backbone != job.backbone.card.name:
            raise TrainingError(
                message(
                    "The settings name {asked}, but {loaded} was loaded.",
                    asked=config.backbone,
                    loaded=job.backbone.card.name,
                ),
                hint=message("Load the backbone that the settings name."),
            )


def _check_classes(images: LabeledImages, split: Split) -> None:
    if not images.images:
        raise TrainingError(
            message("There are no pictures to learn from."), hint=message("Add pictures first.")
        )
    if len(images.class_names) < _LEAST_CLASSES:
        raise TrainingError(
            message('There is only one class, "{name}".', name=images.class_names[0]),
            hint=message("Add a second class."),
        )
    learnt = {images.images[index].class_index for index in split.train}
    for index, name in enumerate(images.class_names):
        if index not in learnt:
            raise TrainingError(
                message('The class "{name}" has no pictures to learn from.', name=name),
                hint=message("Add pictures to it, hold fewer out, or remove the class."),
            )


def _labeled(job: TrainJob, indices: tuple[int, ...]) -> LabeledPictures:
    chosen = [job.images.images[index] for index in indices]
    return LabeledPictures(
        pictures=tuple(job.picture_of(image.image_id) for image in chosen),
        labels=tuple(image.class_index for image in chosen),
    )
