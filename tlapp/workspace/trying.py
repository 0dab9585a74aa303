"""Trying a classifier on pictures: decode once, pass the backbone once, answer many times.

N pictures, D feature width.
"""

import io
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from PIL import Image
from torch import Tensor, nn

from tlapp.backbones.loading import Backbone, MapHead
from tlapp.classifier import Classifier
from tlapp.data.decode import make_working_copy, open_working_copy
from tlapp.data.images import Picture
from tlapp.errors import DataError, PictureError
from tlapp.evaluation.predict import (
    ClassProbability,
    Prediction,
    features_of,
    head_predictions,
    imagenet_predictions,
    predict_imagenet,
)
from tlapp.settings import Limits

RawPicture = tuple[str, bytes]  # its name as the person gave it, its bytes as uploaded
TRIES_AT_ONCE = 2  # more would only take turns on two cores
THUMBNAIL_SIDE_PIXELS = 192
THUMBNAIL_QUALITY = 80


@dataclass(frozen=True, kw_only=True)
class TryResult:
    """One test picture with its answer, or with the reason why there is none."""

    name: str
    thumbnail: bytes  # a small JPEG; empty when the picture cannot be read
    ranked: tuple[ClassProbability, ...]  # most probable first; empty on error
    error: str = ""  # "" or a plain sentence with the next step


@dataclass(frozen=True, kw_only=True)
class TriedPicture:
    """One test picture, decoded, or why it cannot be."""

    name: str
    thumbnail: bytes
    picture: Picture | None
    error: str


class Tried:
    """Test pictures, decoded once. Keeps their features per backbone; thread-safe."""

    def __init__(self, entries: tuple[TriedPicture, ...]) -> None:
        self.entries = entries
        self._features: WeakKeyDictionary[nn.Module, Tensor] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def imagenet_answers(self, backbone: Backbone) -> tuple[TryResult, ...]:
        """What the original 1000-class head says."""
        if isinstance(backbone.imagenet_head, MapHead):  # its head needs more than features
            return self._results(predict_imagenet(backbone, self._pictures()))
        return self._answers(backbone, lambda x_ND: imagenet_predictions(backbone, x_ND))

    def answers(self, classifier: Classifier) -> tuple[TryResult, ...]:
        """What this classifier says; quick when its backbone has seen the pictures before."""
        return self._answers(classifier.backbone, lambda x_ND: head_predictions(classifier, x_ND))

    def _answers(
        self, backbone: Backbone, predict: Callable[[Tensor], tuple[Prediction, ...]]
    ) -> tuple[TryResult, ...]:
        return self._results(predict(self._look_at(backbone)) if self._pictures() else ())

    def _results(self, predictions: tuple[Prediction, ...]) -> tuple[TryResult, ...]:
        remaining = iter(predictions)
        return tuple(
            TryResult(
                name=entry.name,
                thumbnail=entry.thumbnail,
                ranked=() if entry.picture is None else next(remaining).ranked,
                error=entry.error,
            )
            for entry in self.entries
        )

    def _pictures(self) -> tuple[Picture, ...]:
        return tuple(entry.picture for entry in self.entries if entry.picture is not None)

    def _look_at(self, backbone: Backbone) -> Tensor:
        """Features_ND of the pictures; the lock keeps two watchers from computing them twice."""
        with self._lock:
            features_ND = self._features.get(backbone.module)
            if features_ND is None:
                features_ND = features_of(backbone, self._pictures())
                self._features[backbone.module] = features_ND
            return features_ND


class TryDesk:
    """Where visitors take turns: decoding and answering use the whole machine."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._turns = threading.Semaphore(TRIES_AT_ONCE)

    def prepare(self, raw: Sequence[RawPicture]) -> Tried:
        """`prepare_pictures`, when it is one's turn."""
        with self._turns:
            return prepare_pictures(raw, self._limits)

    def answers(self, tried: Tried, classifier: Classifier) -> tuple[TryResult, ...]:
        """What the classifier says, when it is one's turn."""
        with self._turns:
            return tried.answers(classifier)

    def imagenet_answers(self, tried: Tried, backbone: Backbone) -> tuple[TryResult, ...]:
        """What the original head says, when it is one's turn."""
        with self._turns:
            return tried.imagenet_answers(backbone)


def prepare_pictures(raw: Sequence[RawPicture], limits: Limits) -> Tried:
    """Decode each picture; one that cannot be read carries its reason, the others go on.

    Raises DataError when there are more than `limits.try_images`.
    """
    if len(raw) > limits.try_images:
        raise DataError(
            f"{len(raw)} test pictures at once are too many.",
            hint=f"Choose {limits.try_images} or fewer.",
        )
    return Tried(tuple(_prepare(name, content, limits) for name, content in raw))


def _prepare(name: str, content: bytes, limits: Limits) -> TriedPicture:
    try:
        copy = make_working_copy(content, name=name, limits=limits)
        thumbnail = _thumbnail(open_working_copy(copy.encoded))
    except PictureError as error:
        reason = f"{error} {error.hint}".strip()
        return TriedPicture(name=name, thumbnail=b"", picture=None, error=reason)
    encoded = copy.encoded
    picture = Picture(copy.image_id, lambda _: encoded)
    return TriedPicture(name=name, thumbnail=thumbnail, picture=picture, error="")


def _thumbnail(image: Image.Image) -> bytes:
    image.thumbnail((THUMBNAIL_SIDE_PIXELS, THUMBNAIL_SIDE_PIXELS))
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=THUMBNAIL_QUALITY)
    return file.getvalue()
