"""A picture becomes the tensor that a backbone expects.

Order: resize the short side, crop the centre, scale to 0..1, normalise with the weights' own mean
and deviation. Training, evaluation and prediction all pass through here.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor

# Legend: C channels (3), H height, W width, E = W x C: the values of one row.

_FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}
_WIDEST = 5  # sides of the crop; the centre alone is computed of longer pictures


@dataclass(frozen=True)
class Preprocess:
    """How the weights of one backbone want to see a picture."""

    resize_pixels: int  # the short side after resizing, at least `crop_pixels`
    crop_pixels: int  # the side of the square cut from the centre
    mean: tuple[float, float, float]  # of RGB values scaled to 0..1
    std: tuple[float, float, float]
    interpolation: str  # "bilinear" or "bicubic", both antialiased

    def apply(self, image: Image.Image) -> Tensor:
        """The picture as float32 CHW with H = W = `crop_pixels`.

        Bit for bit what torchvision's `ImageClassification` transform makes of it. (Of pictures
        over four times as long as wide only the centre is computed; rounding may differ by one
        grey level there.)
        """
        return self.normalise(self.crop(image))

    def crop(self, image: Image.Image) -> Tensor:
        """The centre of the picture as uint8 HWC: what `apply` makes before it normalises."""
        side = self.crop_pixels
        width, height = self._resized_size(image.width, image.height)
        left, top = round((width - side) / 2), round((height - side) / 2)
        if max(width, height) > _WIDEST * side:  # would be resized to a gigantic ribbon
            across, down = image.width / width, image.height / height
            box = (left * across, top * down, (left + side) * across, (top + side) * down)
            return _pixels(image.resize((side, side), self._filter, box=box))
        resized = image.resize((width, height), self._filter)
        return _pixels(resized.crop((left, top, left + side, top + side)))

    @property
    def _filter(self) -> Image.Resampling:
        return _FILTERS[self.interpolation]

    def normalise(self, pixels_HWC: Tensor) -> Tensor:
        """Float32 CHW from uint8 HWC, which stays as it is."""
        height, width, channels = pixels_HWC.shape
        mean_E, std_E = _row(self.mean, width), _row(self.std, width)
        # Whole rows at once: twice as fast as channel by channel, with the same rounding.
        x_HE = pixels_HWC.view(height, width * channels).to(torch.float32)
        x_HE.div_(255).sub_(mean_E).div_(std_E)
        return x_HE.view(height, width, channels).permute(2, 0, 1)

    def _resized_size(self, width: int, height: int) -> tuple[int, int]:
        """Short side to `resize_pixels`, long side rounded down, as torchvision does."""
        if width <= height:
            return self.resize_pixels, int(self.resize_pixels * height / width)
        return int(self.resize_pixels * width / height), self.resize_pixels


def augment(image: Image.Image, preprocess: Preprocess, generator: torch.Generator) -> Tensor:
    """One random view of a picture as float32 CHW, like `Preprocess.apply`."""
    return preprocess.normalise(random_crop(image, preprocess, generator))


def random_crop(image: Image.Image, preprocess: Preprocess, generator: torch.Generator) -> Tensor:
    """A random resized crop, mirrored half of the time, as uint8 HWC like `Preprocess.crop`.

    The crop covers 35 to 100 % of the area at a ratio of 3:4
    to 4:3. (ImageNet training uses 8 to 100 %; with few pictures such small crops often miss
    the object.) Only `generator` decides.
    """
    left, top, width, height = _random_box(image.width, image.height, generator)
    side = preprocess.crop_pixels
    view = image.resize(
        (side, side),
        _FILTERS[preprocess.interpolation],
        box=(left, top, left + width, top + height),
    )
    if _uniform(generator, 0, 1) < 0.5:
        view = view.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return _pixels(view)


def _random_box(
    width: int, height: int, generator: torch.Generator
) -> tuple[float, float, float, float]:
    """Left, top, width and height of a random crop inside the picture."""
    area = width * height * _uniform(generator, 0.35, 1.0)
    ratio = math.exp(_uniform(generator, math.log(3 / 4), math.log(4 / 3)))
    crop_width = min(float(width), math.sqrt(area * ratio))
    crop_height = min(float(height), math.sqrt(area / ratio))
    left = _uniform(generator, 0, width - crop_width)
    top = _uniform(generator, 0, height - crop_height)
    return left, top, crop_width, crop_height


def _uniform(generator: torch.Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator, dtype=torch.float64))


def _pixels(image: Image.Image) -> Tensor:
    """An RGB picture as uint8 HWC."""
    return torch.from_numpy(np.array(image))


@lru_cache(maxsize=32)
def _row(values_C: tuple[float, ...], width: int) -> Tensor:
    """One value per channel, repeated for each pixel of a row: values_E."""
    return torch.tensor(values_C).repeat(width)
