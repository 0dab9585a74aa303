"""What the learning part of a network reads in every epoch, made once and kept.

Either pictures (nothing is frozen from the stem upwards) or activations at the boundary between
frozen and learning stages. N pictures, C channels, H and W pixels.
"""

import time
from collections.abc import Generator, Sequence
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.extractor import KEPT_TYPE, Extractor, frozen_bottom
from tlapp.backbones.features import Features, view_generator
from tlapp.backbones.loading import Backbone
from tlapp.backbones.stages import lies_in
from tlapp.backbones.workers import core_count, shared_workers
from tlapp.data.decode import open_working_copy
from tlapp.data.images import Picture
from tlapp.data.preprocess import Preprocess, random_crop
from tlapp.stopping import ShouldStop
from tlapp.training.config import TrainConfig
from tlapp.training.events import PreparingFeatures
from tlapp.training.prepare import prepare
from tlapp.training.task import Task

KEPT_BYTES = 400_000_000  # 2,600 pictures of 224 pixels
MOST_ACTIVATION_BYTES = 1_000_000_000  # kept of one training, in memory
_PROGRESS_SECONDS = 0.1


class Inputs(Protocol):
    """Network inputs by picture and view. Different threads may read at once."""

    def __len__(self) -> int:
        """How many pictures."""

    def batch(self, indices: Sequence[int], views: Sequence[int]) -> Tensor:
        """x_N...: float32; maps are channels last."""


class PixelInputs:
    """Pictures as the whole network reads them.

    Kept as bytes (a quarter of the floats) while they fit into a budget; what does not fit is
    decoded again each time, to the same pixels.
    """

    def __init__(
        self,
        pictures: Sequence[Picture],
        preprocess: Preprocess,
        *,
        views: int = 0,
        seed: int = 0,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self._pictures = pictures
        self._preprocess = preprocess
        self._views = views
        self._seed = seed
        self._kept: dict[tuple[int, int], Tensor] = {}  # (index, view) -> pixels_HWC uint8
        side = preprocess.crop_pixels
        self._most_kept = kept_bytes // (3 * side * side * (1 + views))

    def __len__(self) -> int:
        return len(self._pictures)

    def load(self, index: int) -> None:
        """Decode this picture and its views ahead. Raises PictureError when it cannot be read."""
        if index < self._most_kept:
            image = self._open(index)
            for view in range(1 + self._views):
                self._kept[index, view] = self._crop(image, index, view)

    def batch(self, indices: Sequence[int], views: Sequence[int]) -> Tensor:
        """x_NCHW float32, channels last."""
        x_NCHW = torch.stack(
            [self._input(index, view) for index, view in zip(indices, views, strict=True)]
        )
        return x_NCHW.contiguous(memory_format=torch.channels_last)

    def _input(self, index: int, view: int) -> Tensor:
        kept_HWC = self._kept.get((index, view))
        if kept_HWC is None:
            kept_HWC = self._crop(self._open(index), index, view)
        return self._preprocess.normalise(kept_HWC)

    def _crop(self, image: Image.Image, index: int, view: int) -> Tensor:
        if view == 0:
            return self._preprocess.crop(image)
        generator = view_generator(self._seed, self._pictures[index].image_id, view)
        return random_crop(image, self._preprocess, generator)

    def _open(self, index: int) -> Image.Image:
        return open_working_copy(self._pictures[index].read())


class ActivationInputs:
    """What crosses the boundary, as the frozen stages below it yielded it."""

    def __init__(self, features: Features, shape: tuple[int, ...]) -> None:
        """`shape` is that of one picture's activations."""
        self._rows_ND = (features.features_ND, *features.views_ND)  # of each view
        self._shape = shape

    def __len__(self) -> int:
        return len(self._rows_ND[0])

    def batch(self, indices: Sequence[int], views: Sequence[int]) -> Tensor:
        """x_N...: the activations, float32; maps are channels last."""
        rows = [self._rows_ND[view][index] for index, view in zip(indices, views, strict=True)]
        x_N = torch.stack(rows).float().view(len(rows), *self._shape)
        is_map = len(self._shape) == 3
        return x_N.contiguous(memory_format=torch.channels_last) if is_map else x_N


def cached_bottom(task: Task, config: TrainConfig, boundary: int) -> Extractor | None:
    """The stages below the boundary, if what they yield is computed once and kept.

    None where nothing is frozen from the stem upwards, where BatchNorm's statistics follow the
    batches, and where the activations of all pictures would take more than a gigabyte.
    """
    if boundary == 0:
        return None
    bottom = frozen_bottom(_unchanged_below(task, boundary), boundary)
    is_kept = keeps_boundary(
        config, len(task.train.pictures), len(task.valid.pictures), values=bottom.width
    )
    return bottom if is_kept else None


def _unchanged_below(task: Task, boundary: int) -> Backbone:
    """The original backbone where the stages below are still its own, else the one to begin with.

    What crosses the boundary may be in the cache from trainings of the original.
    """
    names = tuple(name for stage in task.backbone.stages[:boundary] for name in stage.module_names)
    original = task.original.module.state_dict()
    is_same = task.backbone is task.original or all(
        torch.equal(tensor, original[path])
        for path, tensor in task.backbone.module.state_dict().items()
        if lies_in(path, names)
    )
    return task.original if is_same else task.backbone


def keeps_boundary(config: TrainConfig, train_count: int, valid_count: int, *, values: int) -> bool:
    """Whether what crosses the boundary (so many values a picture) is computed once and kept."""
    pictures = train_count * (1 + config.augmented_views) + valid_count
    needed = pictures * values * KEPT_TYPE.itemsize
    return not config.train_batchnorm and needed <= MOST_ACTIVATION_BYTES


def make_inputs(
    task: Task,
    config: TrainConfig,
    bottom: Extractor | None,
    cache: FeatureCache | None,
    should_stop: ShouldStop,
) -> Generator[PreparingFeatures, None, tuple[Inputs, Inputs, float] | None]:
    """What the network reads of the pictures to learn from and of the held-out ones, and how many
    were made ready a second (0: all were in the cache); None: stopped."""
    began = time.perf_counter()
    if bottom:
        prepared = yield from prepare(task, bottom, config, cache, should_stop)
        if prepared is None:
            return None
        return (
            ActivationInputs(prepared.train, bottom.shape),
            ActivationInputs(prepared.valid, bottom.shape),
            prepared.images_per_second,
        )
    preprocess = task.backbone.preprocess
    train = PixelInputs(
        task.train.pictures, preprocess, views=config.augmented_views, seed=config.seed
    )
    valid = PixelInputs(task.valid.pictures, preprocess)
    is_ready = yield from _decode([train, valid], core_count(), should_stop)
    if not is_ready:
        return None
    count = len(task.train.pictures) + len(task.valid.pictures)
    return train, valid, count / (time.perf_counter() - began)


def _decode(
    sides: Sequence[PixelInputs], cores: int, should_stop: ShouldStop
) -> Generator[PreparingFeatures, None, bool]:
    """Decode every picture once; whether it was not stopped."""
    began = told = time.perf_counter()
    pictures = [(side, index) for side in sides for index in range(len(side))]
    at_once = 4 * cores
    pool = shared_workers(cores)
    for begin in range(0, len(pictures), at_once):
        if should_stop():
            return False
        list(pool.map(lambda place: place[0].load(place[1]), pictures[begin : begin + at_once]))
        done, at = min(begin + at_once, len(pictures)), time.perf_counter()
        if at - told >= _PROGRESS_SECONDS or done == len(pictures):
            told = at
            yield PreparingFeatures(done, len(pictures), done / (at - began))
    return True
