"""What pictures pass once, because it is frozen: a backbone, or its stages up to a boundary."""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from tlapp.backbones.loading import Backbone
from tlapp.backbones.split import split_module
from tlapp.data.preprocess import Preprocess

# Legend: N images, C channels, H height, W width, D feature width.

KEPT_TYPE = torch.float16  # of what crosses a boundary
_PLAIN = 0  # the view that is not augmented; augmented ones count from 1


@dataclass(frozen=True, eq=False)
class Extractor:
    """A frozen network and what it yields for one picture."""

    module: nn.Module  # x_NCHW -> features_ND, or the activations that cross a boundary
    preprocess: Preprocess
    shape: tuple[int, ...]  # of what it yields for one picture
    dtype: torch.dtype  # in which that is kept
    source: str  # everything but picture and view that decides about the values

    @property
    def width(self) -> int:
        """Values for one picture."""
        return prod(self.shape)


def whole_backbone(backbone: Backbone) -> Extractor:
    """The backbone as far as its features: D values for a picture, float32."""
    return Extractor(
        module=backbone.fast_module,
        preprocess=backbone.preprocess,
        shape=(backbone.feature_width,),
        dtype=torch.float32,
        source=source_of(backbone),
    )


def frozen_bottom(backbone: Backbone, boundary: int) -> Extractor:
    """The stages below number `boundary` (1 or more), in half precision.

    That rounds to 3 digits, far below what training changes, and halves the memory.
    """
    module = split_module(backbone.fast_module, backbone.stages, boundary).bottom
    side = backbone.preprocess.crop_pixels
    with torch.inference_mode():
        shape = tuple(module(torch.zeros(1, 3, side, side)).shape[1:])
    return Extractor(
        module=module,
        preprocess=backbone.preprocess,
        shape=shape,
        dtype=KEPT_TYPE,
        source=source_of(backbone, boundary),
    )


def view_key(source: str, view: int = _PLAIN, seed: int = 0) -> str:
    """The cache's key: everything but the picture that decides about features."""
    return f"{source} {f'view {view} of seed {seed}' if view else 'plain'}"


def as_rows(yielded: Tensor, dtype: torch.dtype) -> Tensor:
    """Rows_ND to keep; values beyond the range of `dtype` become its largest ones."""
    rows_ND = yielded.flatten(1)
    if dtype == torch.float16:
        most = torch.finfo(dtype).max
        rows_ND = rows_ND.clamp(-most, most)
    return rows_ND.to(dtype)


def source_of(backbone: Backbone, boundary: int | None = None) -> str:
    """`Extractor.source` of the stages below number `boundary` (None: of the whole backbone); a
    sketch with its hash is enough."""
    whole = f"{backbone.card.name} {backbone.weights_hash} {backbone.preprocess}"
    return whole if boundary is None else f"{whole} below {backbone.stages[boundary].name}"
