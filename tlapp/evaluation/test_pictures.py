"""Test pictures: decoded once, passed through a backbone once, answered many times, kept as a zip.

N pictures, D feature width.
"""

import io
import json
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
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
from tlapp.messages import NOTHING, Message, counted_message, message
from tlapp.settings import Limits
from tlapp.stored import DamagedFileError, check_plain_file, parse_json

RawPicture = tuple[str, bytes]  # its name as the person gave it, its bytes as uploaded
THUMBNAIL_SIDE_PIXELS = 192
THUMBNAIL_QUALITY = 80
MOST_MEMBER_BYTES = 50_000_000  # a working copy or the index; none is that large
_INDEX = "pictures.json"
_THUMBNAIL_SUFFIX = ".thumbnail"
_DAMAGE = (
    *(OSError, ValueError, KeyError, TypeError, RuntimeError, NotImplementedError, EOFError),
    *(zipfile.BadZipFile, zlib.error, DamagedFileError),
)  # what a crash or a disk did to a zip


@dataclass(frozen=True, kw_only=True)
class TestAnswer:
    """One test picture with its answer, or with the reason why there is none."""

    __test__ = False  # nothing for pytest to collect

    name: str
    thumbnail: bytes  # a small JPEG; empty when the picture cannot be read
    ranked: tuple[ClassProbability, ...]  # most probable first; empty on error
    error: Message = NOTHING  # why it cannot be read, with the next step


@dataclass(frozen=True, kw_only=True)
class TestPicture:
    """One test picture, decoded, or why it cannot be."""

    __test__ = False

    name: str
    thumbnail: bytes
    picture: Picture | None
    error: Message


class TestPictures:
    """Test pictures, decoded once. Keeps their features per backbone; thread-safe."""

    __test__ = False

    def __init__(self, entries: tuple[TestPicture, ...]) -> None:
        self.entries = entries
        self._features: WeakKeyDictionary[nn.Module, Tensor] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def imagenet_answers(self, backbone: Backbone) -> tuple[TestAnswer, ...]:
        """What the original 1000-class head says."""
        if isinstance(backbone.imagenet_head, MapHead):  # its head needs more than features
            return self._results(predict_imagenet(backbone, self._pictures()))
        return self._answers(backbone, lambda x_ND: imagenet_predictions(backbone, x_ND))

    def answers(self, classifier: Classifier) -> tuple[TestAnswer, ...]:
        """What this classifier says; quick when its backbone has seen the pictures before."""
        return self._answers(classifier.backbone, lambda x_ND: head_predictions(classifier, x_ND))

    def _answers(
        self, backbone: Backbone, predict: Callable[[Tensor], tuple[Prediction, ...]]
    ) -> tuple[TestAnswer, ...]:
        return self._results(predict(self._look_at(backbone)) if self._pictures() else ())

    def _results(self, predictions: tuple[Prediction, ...]) -> tuple[TestAnswer, ...]:
        remaining = iter(predictions)
        return tuple(
            TestAnswer(
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


def prepare_test_pictures(raw: Sequence[RawPicture], limits: Limits) -> TestPictures:
    """Decode each picture; one that cannot be read carries its reason, the others go on.

    Raises DataError when there are more than `limits.try_images`.
    """
    if len(raw) > limits.try_images:
        raise DataError(
            counted_message(
                "{count} test picture at once is too many.",
                "{count} test pictures at once are too many.",
                count=len(raw),
            ),
            hint=message("Choose {most} or fewer.", most=limits.try_images),
        )
    return TestPictures(tuple(_prepare(name, content, limits) for name, content in raw))


def _prepare(name: str, content: bytes, limits: Limits) -> TestPicture:
    try:
        copy = make_working_copy(content, name=name, limits=limits)
        thumbnail = _thumbnail(open_working_copy(copy.encoded))
    except PictureError as error:
        return TestPicture(name=name, thumbnail=b"", picture=None, error=error.said)
    encoded = copy.encoded
    picture = Picture(copy.image_id, lambda _: encoded)
    return TestPicture(name=name, thumbnail=thumbnail, picture=picture, error=NOTHING)


def _thumbnail(image: Image.Image) -> bytes:
    image.thumbnail((THUMBNAIL_SIDE_PIXELS, THUMBNAIL_SIDE_PIXELS))
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=THUMBNAIL_QUALITY)
    return file.getvalue()


def pack_test_pictures(pictures: TestPictures) -> bytes:
    """A zip of working copies, thumbnails, and their index: name, image id, error of each."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for number, entry in enumerate(pictures.entries):
            if entry.picture is not None:
                archive.writestr(str(number), entry.picture.read())
                archive.writestr(f"{number}{_THUMBNAIL_SUFFIX}", entry.thumbnail)
        index = [
            (entry.name, entry.picture.image_id if entry.picture else "", entry.error.to_json())
            for entry in pictures.entries
        ]
        archive.writestr(_INDEX, json.dumps(index))
    return file.getvalue()


def unpack_test_pictures(path: Path) -> TestPictures:
    """The test pictures that `pack_test_pictures` packed: their answers are those from before.

    Raises FileNotFoundError when there is no file, DamagedFileError when it is torn or changed.
    """
    with _opened(path) as archive:
        index = enumerate(_read_index(archive))
        return TestPictures(tuple(_entry(archive, number, *entry) for number, entry in index))


def check_packed(path: Path) -> None:
    """Look whether a zip of test pictures has its index. Raises as `unpack_test_pictures` does."""
    with _opened(path) as archive:
        _read_index(archive)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        check_plain_file(path)
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise
    except _DAMAGE as fault:
        raise DamagedFileError(message("they are torn or changed")) from fault


def _read_index(archive: zipfile.ZipFile) -> list[tuple[str, str, Message]]:
    """Name, image id and error of each picture."""
    index = parse_json(_member(archive, _INDEX))
    return [(str(name), str(image_id), Message.from_json(error)) for name, image_id, error in index]


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > MOST_MEMBER_BYTES:
        raise DamagedFileError(message("it is too large"))
    return archive.read(name)


def _entry(
    archive: zipfile.ZipFile, number: int, name: str, image_id: str, error: Message
) -> TestPicture:
    if not image_id:
        return TestPicture(name=name, thumbnail=b"", picture=None, error=error)
    encoded = _member(archive, str(number))
    thumbnail = _member(archive, f"{number}{_THUMBNAIL_SUFFIX}")
    picture = Picture(image_id, lambda _: encoded)
    return TestPicture(name=name, thumbnail=thumbnail, picture=picture, error=NOTHING)
