"""A copy of a run to make mistakes on, and what is known of a mistake while it happens."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tlapp.backbones.cache import FeatureCache
from tlapp.classifier import Classifier
from tlapp.data.images import Picture
from tlapp.errors import TrainingError
from tlapp.messages import message
from tlapp.stopping import ShouldStop
from tlapp.training.task import TrainJob

Outcome = Literal["better", "same", "worse", "guessing"]
OUTCOMES: tuple[Outcome, ...] = ("better", "same", "worse", "guessing")

SAME_POINTS = 0.03  # a difference in accuracy that nobody would act on
_NEAR_GUESSING = 0.1  # above one over the number of classes


@dataclass(frozen=True)
class Side:
    """How one way did on the held-out pictures."""

    correct: int
    total: int
    certainty: float | None = None  # mean probability of the right class; None: not measured
    accuracies: tuple[float, ...] = ()  # after each epoch, 0 to 1; () where nothing is trained

    @property
    def accuracy(self) -> float:
        """0 to 1."""
        return self.correct / self.total


@dataclass(frozen=True, eq=False, kw_only=True)
class Bench:
    """A copy of a run to make mistakes on."""

    job: TrainJob  # its pictures, its untouched backbone, and the settings of its head
    classifier: Classifier  # what it has learned


@dataclass(frozen=True, eq=False, kw_only=True)
class MistakeValue:
    """All that is known of a mistake by now."""

    name: str
    guessing: float  # the accuracy of guessing
    guess: str = ""  # the outcome that somebody foretold
    share_done: float = 0.0  # 0 to 1
    seconds_left: float | None = None  # None: not known yet
    right: Side
    wrong: Side | None = None  # None: not known yet
    honest: Side | None = None  # on pictures that neither side has seen, where that is the point
    is_broken: bool = False  # the loss grew beyond all bounds: its answers are no numbers
    train_accuracy: float | None = None  # on what was learned from, where that is the point
    agreement: float | None = None  # with the ImageNet answers of the right way, 0 to 1; None:
    # not measured, or the network is not ImageNet's any more
    views: tuple[bytes, ...] = ()  # JPEGs: a picture rightly and wrongly read; (): read alike

    @property
    def outcome(self) -> Outcome | None:
        """What came of it, as it shows; None: it goes on."""
        if self.wrong is None or self.share_done < 1:
            return None
        same = max(SAME_POINTS, 1.5 / self.wrong.total)  # one picture is chance
        return _outcome(self.right.accuracy, self.wrong.accuracy, self.guessing, same)


def _outcome(right: float, wrong: float, guessing: float, same: float) -> Outcome:
    if wrong < min(guessing + _NEAR_GUESSING, right - same):
        return "guessing"
    if wrong > right + same:
        return "better"
    return "same" if wrong >= right - same else "worse"


Maker = Callable[[MistakeValue, Bench, FeatureCache | None, ShouldStop], Iterator[MistakeValue]]


def held_out(job: TrainJob) -> tuple[tuple[Picture, ...], Sequence[int]]:
    """The held-out pictures and their labels. Raises TrainingError when there are none."""
    images = [job.images.images[index] for index in job.split.valid]
    if not images:
        raise TrainingError(
            message("No pictures are held out, so a mistake cannot be seen."),
            hint=message("Hold some out, train again, then come back."),
        )
    return (
        tuple(job.picture_of(image.image_id) for image in images),
        [image.class_index for image in images],
    )
