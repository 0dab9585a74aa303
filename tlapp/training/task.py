"""What is to be learnt, checked: pictures and labels of both sides of the split."""

from collections.abc import Callable
from dataclasses import dataclass

from tlapp.backbones.loading import Backbone
from tlapp.data.images import LabeledImages, Picture
from tlapp.data.splits import Split
from tlapp.errors import TrainingError
from tlapp.training.config import TrainConfig
from tlapp.training.events import EpochFinished

_LEAST_CLASSES = 2


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
    backbone: Backbone
    config: TrainConfig


@dataclass(frozen=True, eq=False, kw_only=True)
class Ending:
    """How one training ended, and its best epoch; None: not one was finished."""

    best: EpochFinished | None
    is_stopped: bool
    feature_seconds: float = 0.0  # wall time before the learning began
    images_per_second: float = 0.0  # pictures made ready a second within it


def make_task(
    images: LabeledImages,
    split: Split,
    picture_of: Callable[[str], Picture],
    backbone: Backbone,
    config: TrainConfig,
) -> Task:
    """The task, or a TrainingError that says what is missing."""
    _check_classes(images, split)
    if config.backbone != backbone.card.name:
        raise TrainingError(
            f"The settings name {config.backbone}, but {backbone.card.name} was loaded.",
            hint="Load the backbone that the settings name.",
        )
    return Task(
        class_names=images.class_names,
        train=_labeled(images, split.train, picture_of),
        valid=_labeled(images, split.valid, picture_of),
        backbone=backbone,
        config=config,
    )


def _check_classes(images: LabeledImages, split: Split) -> None:
    if not images.images:
        raise TrainingError("There are no pictures to learn from.", hint="Add pictures first.")
    if len(images.class_names) < _LEAST_CLASSES:
        raise TrainingError(
            f'There is only one class, "{images.class_names[0]}".', hint="Add a second class."
        )
    learnt = {images.images[index].class_index for index in split.train}
    for index, name in enumerate(images.class_names):
        if index not in learnt:
            raise TrainingError(
                f'The class "{name}" has no pictures to learn from.',
                hint="Add pictures to it, hold fewer out, or remove the class.",
            )


def _labeled(
    images: LabeledImages, indices: tuple[int, ...], picture_of: Callable[[str], Picture]
) -> LabeledPictures:
    chosen = [images.images[index] for index in indices]
    return LabeledPictures(
        pictures=tuple(picture_of(image.image_id) for image in chosen),
        labels=tuple(image.class_index for image in chosen),
    )
