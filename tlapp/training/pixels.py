"""Pictures as a network reads them, decoded once and kept while they fit into a budget.

Kept as bytes (a quarter of the floats); what does not fit is read again each time. N pictures,
C colour channels, H and W pixels.
"""

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from tlapp.data.decode import open_working_copy
from tlapp.data.images import Picture
from tlapp.data.preprocess import Preprocess, augment

KEPT_BYTES = 400_000_000  # 2,600 pictures of 224 pixels


class PixelStore:
    """Network inputs by index. Different indices may be read by different threads at once."""

    def __init__(
        self, pictures: Sequence[Picture], preprocess: Preprocess, *, kept_bytes: int = KEPT_BYTES
    ) -> None:
        self._pictures = pictures
        self._preprocess = preprocess
        self._kept: dict[int, Tensor] = {}  # index -> pixels_HWC uint8
        side = preprocess.crop_pixels
        self._most_kept = kept_bytes // (3 * side * side)

    def __len__(self) -> int:
        return len(self._pictures)

    def load(self, index: int) -> None:
        """Decode this picture ahead. Raises PictureError when it cannot be read."""
        if index < self._most_kept:
            self._kept[index] = self._cropped(index)

    def batch(self, indices: Sequence[int]) -> Tensor:
        """x_NCHW float32, channels last: each picture cropped at its centre."""
        x_NCHW = torch.stack([self._plain(index) for index in indices])
        return x_NCHW.contiguous(memory_format=torch.channels_last)

    def augmented_batch(self, indices: Sequence[int], seeds: Sequence[int]) -> Tensor:
        """x_NCHW float32, channels last: a random crop of each picture, chosen by its seed."""
        crops = [
            augment(self._open(index), self._preprocess, torch.Generator().manual_seed(seed))
            for index, seed in zip(indices, seeds, strict=True)
        ]
        return torch.stack(crops).contiguous(memory_format=torch.channels_last)

    def _plain(self, index: int) -> Tensor:
        kept = self._kept.get(index)
        return self._preprocess.normalise(self._cropped(index) if kept is None else kept)

    def _cropped(self, index: int) -> Tensor:
        return self._preprocess.crop(self._open(index))

    def _open(self, index: int) -> Image.Image:
        return open_working_copy(self._pictures[index].read())
