"""A backbone of a few hundred weights with BatchNorm, and pictures for it: trains in a blink."""

from collections import OrderedDict
from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor, nn

from tests.pictures import jpeg
from tlapp.backbones.catalog import find_card
from tlapp.backbones.loading import Backbone, FinalLayer
from tlapp.backbones.stages import Stage, stage_parameters
from tlapp.data.decode import make_working_copy
from tlapp.data.images import LabeledImage, LabeledImages, Picture
from tlapp.data.preprocess import Preprocess
from tlapp.data.splits import Split
from tlapp.settings import LOCAL_LIMITS

WIDTH = 12
CARD = find_card("efficientnet_lite0")  # its name alone is used


class TinyNetwork(nn.Module):
    """Two convolutions with what must not run while learning: statistics and dropout."""

    def __init__(self) -> None:
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, 8, 5, stride=2), nn.BatchNorm2d(8), nn.ReLU())
        top = nn.Sequential(nn.Conv2d(8, WIDTH, 3, stride=2), nn.BatchNorm2d(WIDTH), nn.ReLU())
        self.features = nn.Sequential(OrderedDict(stem=stem, top=top))
        self.dropout = nn.Dropout(0.5)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.dropout(self.features(x_NCHW)).mean(dim=(2, 3))


def tiny_backbone(*, pretrained: bool = True, seed: int = 0) -> Backbone:
    """A frozen random network; `pretrained` is what it says of itself."""
    generator = torch.Generator().manual_seed(seed)
    module = TinyNetwork().eval().requires_grad_(False)
    for layer in (module.features.stem[0], module.features.top[0]):
        for parameter in layer.parameters():
            parameter.normal_(0, 0.2, generator=generator)
    return Backbone(
        card=CARD,
        pretrained=pretrained,
        module=module.to(memory_format=torch.channels_last),
        stages=tuple(
            Stage(name, (path,), sum(p.numel() for p in stage_parameters(module, (path,))))
            for name, path in (("stem", "features.stem"), ("top", "features.top"))
        ),
        feature_width=WIDTH,
        final_layer=FinalLayer("fc", WIDTH, 1000),
        imagenet_head=nn.Linear(WIDTH, 1000).requires_grad_(False),
        imagenet_classes=tuple(f"thing {number}" for number in range(1000)),
        preprocess=Preprocess(36, 32, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), "bilinear"),
        weights_hash=f"tiny {seed}",
        parameter_count=sum(parameter.numel() for parameter in module.parameters()),
    )


@lru_cache(maxsize=256)
def _encoded(class_index: int, number: int) -> tuple[str, bytes]:
    name = f"{class_index}/{number}.jpg"
    copy = make_working_copy(
        jpeg(class_index, number, width=48, height=40), name=name, limits=LOCAL_LIMITS
    )
    return copy.image_id, copy.encoded


class Album:
    """Drawn pictures of some classes, the last ones of each held out."""

    def __init__(self, class_count: int = 3, train: int = 6, valid: int = 2) -> None:
        self._bytes: dict[str, bytes] = {}
        images: list[LabeledImage] = []
        sides: tuple[list[int], list[int]] = ([], [])
        for class_index in range(class_count):
            for number in range(train + valid):
                image_id, encoded = _encoded(class_index, number)
                self._bytes[image_id] = encoded
                sides[number >= train].append(len(images))
                images.append(LabeledImage(image_id, class_index, f"{class_index}/{number}.jpg"))
        names = tuple(f"class {index}" for index in range(class_count))
        self.images = LabeledImages(names, tuple(images))
        self.split = Split(train=tuple(sides[0]), valid=tuple(sides[1]), test=())

    def picture(self, image_id: str) -> Picture:
        return Picture(image_id, self._bytes.__getitem__)

    def pictures(self) -> tuple[Picture, ...]:
        return tuple(self.picture(image.image_id) for image in self.images.images)

    def renamed(self, names: tuple[str, ...]) -> LabeledImages:
        return replace(self.images, class_names=names)
