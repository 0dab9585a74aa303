"""What the learning part of a network reads in every epoch, made once and kept.

Either pictures (nothing is frozen from the stem upwards) or activations at the boundary between
frozen and learning stages. N pictures, V views (0 is the plain one), C channels, H and W pixels.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor

from tlapp.backbones.features import Features, view_generator
from tlapp.data.decode import open_working_copy
from tlapp.data.images import Picture
from tlapp.data.preprocess import Preprocess, random_crop

KEPT_BYTES = 400_000_000  # 2,600 pictures of 224 pixels


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
        plain_ND, views_VND = features.features_ND, features.views_VND
        self._rows_ND = [plain_ND, *(() if views_VND is None else views_VND)]  # of each view
        self._shape = shape

    def __len__(self) -> int:
        return len(self._rows_ND[0])

    def batch(self, indices: Sequence[int], views: Sequence[int]) -> Tensor:
        """x_N...: the activations, float32; maps are channels last."""
        rows = [self._rows_ND[view][index] for index, view in zip(indices, views, strict=True)]
        x_N = torch.stack(rows).float().view(len(rows), *self._shape)
        is_map = len(self._shape) == 3
        return x_N.contiguous(memory_format=torch.channels_last) if is_map else x_N
