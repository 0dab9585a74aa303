"""The stages of each backbone, from stem to top: what can be frozen together.

A stage begins where the resolution halves (transformers: every few blocks). Written by hand, and
checked by a test: each parameter of the headless network lies in exactly one stage.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch import nn

from tlapp.messages import Message, message, verbatim

Spec = tuple[tuple[str, tuple[str, ...]], ...]

_NUMBERED = re.compile(r"stage (\d+)")
_BLOCKS = re.compile(r"blocks (\d+) to (\d+)")
_TITLES: Mapping[str, Message] = MappingProxyType(
    {"stem": message("stem"), "top": message("top"), "head": message("head")}
)


@dataclass(frozen=True)
class Stage:
    """Neighbouring layers that are frozen or trained together."""

    name: str  # in settings and records, e.g. "stage 3"; `stage_title` is for showing
    module_names: tuple[str, ...]  # modules or single parameters, as `named_parameters` begins
    parameter_count: int


def _features(*groups: tuple[int, ...], top: tuple[str, ...] = ()) -> Spec:
    """Stem, then one stage for each further group of `features.<n>`; `top` joins the last."""
    spec: list[tuple[str, tuple[str, ...]]] = []
    for index, group in enumerate(groups):
        names = tuple(f"features.{number}" for number in group)
        is_last = index == len(groups) - 1
        spec.append((f"stage {index}" if index else "stem", names + top if is_last else names))
    return tuple(spec)


_EFFICIENTNET: Spec = (
    *_features((0,), (1,), (2,), (3,), (4,), (5,), (6,), (7,)),
    ("top", ("features.8",)),
)
_RESNET: Spec = (
    ("stem", ("conv1", "bn1")),
    *((f"stage {number}", (f"layer{number}",)) for number in range(1, 5)),
)
_DENSENET: Spec = (
    ("stem", ("features.conv0", "features.norm0")),
    *(
        (f"stage {number}", (f"features.denseblock{number}", f"features.transition{number}"))
        for number in range(1, 4)
    ),
    ("stage 4", ("features.denseblock4", "features.norm5")),
)
_VIT: Spec = (
    ("stem", ("conv_proj", "class_token", "encoder.pos_embedding")),
    *(
        (
            f"blocks {first + 1} to {first + 3}",
            tuple(f"encoder.layers.encoder_layer_{n}" for n in range(first, first + 3))
            + (("encoder.ln",) if first == 9 else ()),
        )
        for first in range(0, 12, 3)
    ),
)

STAGE_SPECS: Mapping[str, Spec] = {
    "efficientnet_lite0": _EFFICIENTNET,
    "efficientnet_lite1": _EFFICIENTNET,
    "efficientnet_lite2": _EFFICIENTNET,
    "resnet18": _RESNET,
    "resnet50": _RESNET,
    "vgg16": (
        ("stage 1", ("features.0", "features.2")),
        ("stage 2", ("features.5", "features.7")),
        ("stage 3", ("features.10", "features.12", "features.14")),
        ("stage 4", ("features.17", "features.19", "features.21")),
        ("stage 5", ("features.24", "features.26", "features.28")),
        ("top", ("classifier.0", "classifier.3")),
    ),
    "efficientnet_b0": _EFFICIENTNET,
    "efficientnet_v2_s": (
        *_features((0,), (1,), (2,), (3,), (4,), (5,), (6,)),
        ("top", ("features.7",)),
    ),
    "mobilenet_v3_small": (
        *_features((0,), (1,), (2, 3), (4, 5, 6, 7, 8), (9, 10, 11)),
        ("top", ("features.12", "classifier.0")),
    ),
    "mobilenet_v3_large": (
        *_features((0,), (1,), (2, 3), (4, 5, 6), (7, 8, 9, 10, 11, 12), (13, 14, 15)),
        ("top", ("features.16", "classifier.0")),
    ),
    "convnext_tiny": _features((0,), (1,), (2, 3), (4, 5), (6, 7), top=("classifier.0",)),
    "densenet121": _DENSENET,
    "regnet_y_400mf": (
        ("stem", ("stem",)),
        *((f"stage {number}", (f"trunk_output.block{number}",)) for number in range(1, 5)),
    ),
    "squeezenet1_1": _features((0,), (3, 4), (6, 7), (9, 10, 11, 12)),
    "swin_t": _features((0,), (1,), (2, 3), (4, 5), (6, 7), top=("norm",)),
    "vit_b_16": _VIT,
}


def stage_title(name: str) -> Message:
    """The stage of this name (`Stage.name`, or "head"), for people."""
    if found := _NUMBERED.fullmatch(name):
        return message("stage {number}", number=int(found[1]))
    if found := _BLOCKS.fullmatch(name):
        return message("blocks {first} to {last}", first=int(found[1]), last=int(found[2]))
    return _TITLES.get(name) or verbatim(name)


def find_stages(name: str, module: nn.Module) -> tuple[Stage, ...]:
    """The stages of the headless network of card `name`, stem first."""
    return tuple(
        Stage(title, names, sum(p.numel() for p in stage_parameters(module, names)))
        for title, names in STAGE_SPECS[name]
    )


def stage_parameters(module: nn.Module, module_names: tuple[str, ...]) -> Iterator[nn.Parameter]:
    """The parameters of one stage (`Stage.module_names`) in a backbone's module or a copy of it."""
    for path, parameter in module.named_parameters():
        if lies_in(path, module_names):
            yield parameter


def lies_in(path: str, module_names: tuple[str, ...]) -> bool:
    """Whether a module, parameter or operation of this path belongs to one of these."""
    return any(path == name or path.startswith(f"{name}.") for name in module_names)
