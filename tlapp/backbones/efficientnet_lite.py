"""EfficientNet-Lite0, 1 and 2: the published networks, built from torchvision's blocks.

EfficientNet without squeeze-and-excitation, with ReLU6, and with a stem, first and last stage
that do not scale (github.com/tensorflow/tpu, models/official/efficientnet/lite). The weights were
trained with TensorFlow's "SAME" padding, which for stride 2 depends on the input's size and is
not symmetric: torchvision's own padding would shift every picture by half a pixel.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation, StochasticDepth

from tlapp.backbones.catalog import find_card
from tlapp.backbones.verified import package_state_dict

# Legend: N images, C channels, H height, W width, K classes (1000).

_STEM_CHANNELS = 32
_TOP_CHANNELS = 1280
_DROP_PATH = 0.2  # of the last block in training; the first has none (published config)


@dataclass(frozen=True)
class _StageConfig:
    """One stage of EfficientNet-B0 (Tan and Le, 2019, table 1) before scaling."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


_STAGES = (
    _StageConfig(repeats=1, kernel=3, stride=1, expansion=1, channels=16),
    _StageConfig(repeats=2, kernel=3, stride=2, expansion=6, channels=24),
    _StageConfig(repeats=2, kernel=5, stride=2, expansion=6, channels=40),
    _StageConfig(repeats=3, kernel=3, stride=2, expansion=6, channels=80),
    _StageConfig(repeats=3, kernel=5, stride=1, expansion=6, channels=112),
    _StageConfig(repeats=4, kernel=5, stride=2, expansion=6, channels=192),
    _StageConfig(repeats=1, kernel=3, stride=1, expansion=6, channels=320),
)


@dataclass(frozen=True)
class LiteConfig:
    """What distinguishes one EfficientNet-Lite from the others."""

    width: float  # factor on the channels of the stages
    depth: float  # factor on the repeats of the stages, but for the first and the last
    dropout: float  # before the classifier, in training


LITE_CONFIGS: Mapping[str, LiteConfig] = {
    "efficientnet_lite0": LiteConfig(width=1.0, depth=1.0, dropout=0.2),
    "efficientnet_lite1": LiteConfig(width=1.0, depth=1.1, dropout=0.2),
    "efficientnet_lite2": LiteConfig(width=1.1, depth=1.2, dropout=0.3),
}

# TensorFlow's decay of 0.99 is a momentum of 0.01 here.
_norm = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)
_conv = partial(Conv2dNormActivation, norm_layer=_norm)


class SamePadding(nn.Module):
    """Zeros around a map so that a strided convolution yields ceil(size / stride)."""

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.stride = stride

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """The odd pixel of padding goes to the right and to the bottom, as in TensorFlow."""
        left, right = self._sides(x_NCHW.shape[3])
        top, bottom = self._sides(x_NCHW.shape[2])
        return F.pad(x_NCHW, (left, right, top, bottom))

    def _sides(self, size: int) -> tuple[int, int]:
        steps = -(-size // self.stride) - 1
        total = max(steps * self.stride + self.kernel - size, 0)
        return total // 2, total - total // 2


def _same_conv(
    inputs: int, outputs: int, *, kernel: int, stride: int, groups: int = 1
) -> nn.Sequential:
    """Convolution, BatchNorm, ReLU6 with SAME padding, which for stride 1 is the usual one."""
    conv = partial(_conv, inputs, outputs, kernel, groups=groups, activation_layer=nn.ReLU6)
    if stride == 1:
        return nn.Sequential(conv(stride=1))
    return nn.Sequential(SamePadding(kernel, stride), conv(stride=stride, padding=0))


class LiteBlock(nn.Module):
    """Inverted residual (Sandler et al., 2018): expand, depthwise, project, and add the input."""

    def __init__(self, inputs: int, stage: _StageConfig, *, stride: int, drop_path: float) -> None:
        super().__init__()
        hidden = inputs * stage.expansion
        layers: list[nn.Module] = []
        if stage.expansion != 1:
            layers.append(_conv(inputs, hidden, 1, activation_layer=nn.ReLU6))
        layers.append(_same_conv(hidden, hidden, kernel=stage.kernel, stride=stride, groups=hidden))
        layers.append(_conv(hidden, stage.channels, 1, activation_layer=None))
        self.block = nn.Sequential(*layers)
        self.has_shortcut = stride == 1 and inputs == stage.channels
        self.drop_path = StochasticDepth(drop_path, mode="row")

    def forward(self, x_NCHW: Tensor) -> Tensor:
        y_NCHW = self.block(x_NCHW)
        return self.drop_path(y_NCHW) + x_NCHW if self.has_shortcut else y_NCHW


class EfficientNetLite(nn.Module):
    """x_NCHW -> scores_NK. `features`: stem, seven stages, top; then pooling and `classifier`."""

    def __init__(self, config: LiteConfig) -> None:
        super().__init__()
        stages = _scaled_stages(config)
        block_count = sum(stage.repeats for stage in stages)
        layers: list[nn.Module] = [_same_conv(3, _STEM_CHANNELS, kernel=3, stride=2)]
        inputs, done = _STEM_CHANNELS, 0
        for stage in stages:
            blocks: list[nn.Module] = []
            for repeat in range(stage.repeats):
                stride = stage.stride if repeat == 0 else 1
                drop_path = _DROP_PATH * done / block_count
                blocks.append(LiteBlock(inputs, stage, stride=stride, drop_path=drop_path))
                inputs, done = stage.channels, done + 1
            layers.append(nn.Sequential(*blocks))
        layers.append(_conv(inputs, _TOP_CHANNELS, 1, activation_layer=nn.ReLU6))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(_TOP_CHANNELS, 1000))
        self._initialise()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.avgpool(self.features(x_NCHW)), 1))

    def _initialise(self) -> None:
        """As torchvision initialises its EfficientNet (He et al., 2015, by outputs)."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
            elif isinstance(module, nn.Linear):
                bound = 1 / math.sqrt(module.out_features)
                nn.init.uniform_(module.weight, -bound, bound)
                nn.init.zeros_(module.bias)


def _scaled_stages(config: LiteConfig) -> list[_StageConfig]:
    last = len(_STAGES) - 1
    return [
        replace(
            stage,
            repeats=math.ceil(stage.repeats * (1 if index in (0, last) else config.depth)),
            channels=_scaled_channels(stage.channels, config.width),
        )
        for index, stage in enumerate(_STAGES)
    ]


def _scaled_channels(channels: int, width: float) -> int:
    """To the nearest multiple of 8, but never more than 10 % below."""
    scaled = channels * width
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded


def build_lite(name: str) -> EfficientNetLite:
    """The untrained network of this name (a key of `LITE_CONFIGS`)."""
    return EfficientNetLite(LITE_CONFIGS[name])


def convert_lite_weights(published: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """The tensors of a package's file under this network's names.

    Both list their layers from the picture to the classes, so the n-th convolution, BatchNorm
    or linear layer there is the n-th here; kinds and shapes are then checked by strict loading.
    """
    ours = _layers(network.state_dict())
    theirs = _layers(published)
    if len(ours) != len(theirs):
        raise ValueError(f"The file has {len(theirs)} layers, the network {len(ours)}.")
    converted: dict[str, Tensor] = {}
    for our_name, their_name in zip(ours, theirs, strict=True):
        for part in theirs[their_name]:
            converted[f"{our_name}.{part}"] = published[f"{their_name}.{part}"]
    return converted


def _layers(state: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """Layer names in their order, each with the names of its tensors."""
    layers: dict[str, list[str]] = {}
    for key in state:
        layer, _, part = key.rpartition(".")
        layers.setdefault(layer, []).append(part)
    return layers


def _pretrained(name: str) -> EfficientNetLite:
    network = build_lite(name)
    published = package_state_dict(find_card(name))
    network.load_state_dict(convert_lite_weights(published, network), strict=True)
    return network.eval()


def efficientnet_lite0() -> nn.Module:
    """EfficientNet-Lite0 with its ImageNet weights, in eval mode: x_NCHW (224) -> scores_NK.

    Raises `BackboneError` when the package's file is missing or not the published one.
    """
    return _pretrained("efficientnet_lite0")


def efficientnet_lite1() -> nn.Module:
    """EfficientNet-Lite1 (240 pixels); else as `efficientnet_lite0`."""
    return _pretrained("efficientnet_lite1")


def efficientnet_lite2() -> nn.Module:
    """EfficientNet-Lite2 (260 pixels); else as `efficientnet_lite0`."""
    return _pretrained("efficientnet_lite2")
