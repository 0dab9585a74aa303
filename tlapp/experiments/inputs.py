"""Ways to read a picture, right and wrong, and a network that is asked in the wrong mode.

N pictures, C channels, H height, W width.
"""

import copy
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor

from tlapp.classifier import Classifier
from tlapp.data.decode import open_working_copy
from tlapp.data.images import Picture
from tlapp.data.preprocess import Preprocess

See = Callable[[Tensor], Tensor]  # uint8 HWC -> float32 CHW, as the network gets it

_AT_ONCE = 4  # pictures in a forward pass
_DRIFT_AT_ONCE = 2
_VIEW_QUALITY = 90  # of JPEG: colours stay as they are, and an address stays short


def correctly(preprocess: Preprocess) -> See:
    """As the weights want it."""
    return preprocess.normalise


def bgr(preprocess: Preprocess) -> See:
    """Blue where red should be."""
    return lambda pixels_HWC: preprocess.normalise(pixels_HWC.flip(2).contiguous())


def zero_to_255(preprocess: Preprocess) -> See:
    """The bytes as they are: neither scaled nor normalised."""
    return lambda pixels_HWC: pixels_HWC.permute(2, 0, 1).float()


def as_seen_by(preprocess: Preprocess, see: See, picture: Picture) -> bytes:
    """What the network gets, as a JPEG: shown as if it had been read rightly."""
    x_CHW = see(preprocess.crop(open_working_copy(picture.read())))
    mean_C11 = torch.tensor(preprocess.mean)[:, None, None]
    std_C11 = torch.tensor(preprocess.std)[:, None, None]
    pixels_CHW = (x_CHW * std_C11 + mean_C11).mul(255).round().clamp(0, 255)
    image = Image.fromarray(pixels_CHW.to(torch.uint8).permute(1, 2, 0).numpy())
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=_VIEW_QUALITY, subsampling=0)
    return file.getvalue()


def in_training_mode(classifier: Classifier) -> Classifier:
    """A copy whose network is as it is while it learns."""
    backbone = classifier.backbone
    module = copy.deepcopy(backbone.module).train()
    return replace(classifier, backbone=replace(backbone, module=module))


@torch.no_grad()
def drift_statistics(classifier: Classifier, pictures: Sequence[Picture]) -> Iterator[int]:
    """Let pictures pass the network as it is; how many have passed, after each batch."""
    see = correctly(classifier.backbone.preprocess)
    for begin in range(0, len(pictures) - 1, _DRIFT_AT_ONCE):
        batch = pictures[begin : begin + _DRIFT_AT_ONCE]
        if len(batch) == _DRIFT_AT_ONCE:  # BatchNorm refuses to follow a single picture
            with _own_draws(begin):
                classifier.backbone.module(_stack(classifier, see, batch))
        yield begin + len(batch)


@dataclass(frozen=True)
class Hits:
    """Answers so far."""

    correct: int
    asked: int
    total: int
    certainty: float  # mean probability of the right class
    imagenet: tuple[int, ...]  # what the original head calls each picture


def hits_with(
    classifier: Classifier, see: See, pictures: Sequence[Picture], labels: Sequence[int]
) -> Iterator[Hits]:
    """The answers after each batch, when pictures are read by `see`."""
    correct, certainty = 0, 0.0
    imagenet: list[int] = []
    for begin in range(0, len(pictures), _AT_ONCE):
        batch = pictures[begin : begin + _AT_ONCE]
        with torch.no_grad(), _own_draws(begin):
            x_NCHW = _stack(classifier, see, batch)
            features_ND = classifier.backbone.module(x_NCHW)
            shares_NK = classifier.head(features_ND).softmax(dim=1)
            imagenet += classifier.backbone.imagenet_head(features_ND).argmax(dim=1).tolist()
        wanted_N = torch.tensor(labels[begin : begin + _AT_ONCE])
        correct += int((shares_NK.argmax(dim=1) == wanted_N).sum())
        certainty += shares_NK.gather(1, wanted_N[:, None]).sum().item()
        asked = begin + len(batch)
        yield Hits(correct, asked, len(pictures), certainty / asked, tuple(imagenet))


@contextmanager
def _own_draws(seed: int) -> Iterator[None]:
    """What dropout draws inside depends on the seed, and later draws do not depend on it.

    Torch's dropout knows the process's random numbers alone. Nothing else of tlapp draws from them,
    so they are set and restored; another thread that did would be in the way.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _stack(classifier: Classifier, see: See, pictures: Sequence[Picture]) -> Tensor:
    crop = classifier.backbone.preprocess.crop
    x_NCHW = torch.stack([see(crop(open_working_copy(each.read()))) for each in pictures])
    return x_NCHW.contiguous(memory_format=torch.channels_last)
