"""A card and its weights become a backbone: the network without its last layer.

The last layer and the dropout right in front of it belong to the head; everything else is the
backbone. The random numbers of an untrained network come from its seed alone.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from tlapp.backbones.catalog import Card, imagenet_classes
from tlapp.backbones.efficientnet_lite import LITE_CONFIGS, build_lite, convert_lite_weights
from tlapp.backbones.fusing import fuse_normalisation
from tlapp.backbones.stages import Stage, find_stages
from tlapp.backbones.weights import WeightsStore
from tlapp.data.preprocess import Preprocess

# Legend: N images, C channels, H height, W width, D feature width, K ImageNet's 1000 classes.


@dataclass(frozen=True)
class FinalLayer:
    """The layer that a new head replaces."""

    path: str  # in the original network, e.g. "fc" or "classifier.1"
    inputs: int
    outputs: int


@dataclass(frozen=True, eq=False)
class Backbone:
    """A network without its last layer, ready to turn pictures into features."""

    card: Card
    pretrained: bool
    module: nn.Module  # x_NCHW -> features_ND; eval mode, frozen, channels_last
    stages: tuple[Stage, ...]  # stem to top; each parameter of `module` is in exactly one
    feature_width: int
    final_layer: FinalLayer
    imagenet_head: nn.Module  # features_ND -> scores_NK; for SqueezeNet see `imagenet_scores`
    imagenet_classes: tuple[str, ...]
    preprocess: Preprocess
    weights_hash: str  # SHA-256 (hex): of the published file, or of untrained weights
    parameter_count: int  # of `module`: without the last layer

    @cached_property
    def fast_module(self) -> nn.Module:
        """`module` for inference: the same features to rounding (1e-6), up to 1.25 times as fast.

        Made once, from `module` as it is then.
        """
        return fuse_normalisation(self.module)


class PooledMaps(nn.Module):
    """SqueezeNet without its last convolution: the mean of each of its maps."""

    def __init__(self, features: nn.Module) -> None:
        super().__init__()
        self.features = features

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.features(x_NCHW).mean(dim=(2, 3))


class MapHead(nn.Module):
    """SqueezeNet's last convolution, for whole maps or for pooled ones."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        """scores_NK from maps_NDHW as published, or from features_ND as if each were 1 x 1."""
        maps_NDHW = x if x.ndim == 4 else x[:, :, None, None]
        return self.conv(maps_NDHW).relu().mean(dim=(2, 3))


def load_backbone(
    card: Card, weights: WeightsStore, *, pretrained: bool = True, seed: int = 0
) -> Backbone:
    """The card's backbone with its ImageNet weights, or untrained ones drawn from `seed`.

    Nothing is downloaded: raises `BackboneError` when the weights are not on this machine.
    """
    if pretrained:
        network = _pretrained_network(card, weights)
    else:
        network = untrained_network(card.name, seed)
    weights_hash = weights.weights_hash(card) if pretrained else hash_weights(network)
    return _behead(network, card, pretrained=pretrained, weights_hash=weights_hash)


def sketch_backbone(card: Card) -> Backbone:
    """The card's backbone with shapes but no weights, for counting and drawing.

    Takes no memory once it is returned; its module cannot be run, and its `weights_hash` is "".
    """
    with _RandomNumbers(None):
        network = _build(card.name)
    return _behead(network.to("meta"), card, pretrained=False, weights_hash="")


def imagenet_scores(backbone: Backbone, x_NCHW: Tensor) -> Tensor:
    """What the whole original network says: scores_NK, equal to its logits for every card.

    SqueezeNet classifies each place of its map before it averages, so that its scores cannot be
    had from averaged features; for all others this is `imagenet_head(module(x))`.
    """
    if isinstance(backbone.module, PooledMaps):
        return backbone.imagenet_head(backbone.module.features(x_NCHW))
    return backbone.imagenet_head(backbone.module(x_NCHW))


def untrained_network(name: str, seed: int) -> nn.Module:
    """The original 1000-class network with weights drawn from `seed` and nothing else."""
    with _RandomNumbers(torch.Generator().manual_seed(seed)):
        return _build(name).eval()


def hash_weights(module: nn.Module) -> str:
    """The SHA-256 (hex) over names, shapes and values of all tensors of a module."""
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.detach().contiguous().cpu().numpy().data)
    return digest.hexdigest()


def find_final_layer(network: nn.Module) -> tuple[str, nn.Linear | nn.Conv2d]:
    """Path and module of the layer that yields the 1000 classes.

    The last linear layer; in a network without any, the last convolution (SqueezeNet).
    """
    named = list(network.named_modules())
    for kind in (nn.Linear, nn.Conv2d):
        for path, module in reversed(named):
            if isinstance(module, kind):
                return path, module
    raise ValueError(f"{type(network).__name__} has neither a linear layer nor a convolution.")


class _RandomNumbers(TorchDispatchMode):
    """Within this context, on this thread, initialisation draws from one generator.

    torchvision's networks draw from the global one, which belongs to the whole process. Without
    a generator nothing is drawn: the weights are loaded right afterwards.
    """

    _DRAWS = (torch.ops.aten.normal_.default, torch.ops.aten.uniform_.default)

    def __init__(self, generator: torch.Generator | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's own
        self._generator = generator

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func in self._DRAWS:
            if self._generator is None:
                return args[0].zero_()  # left as it is, rejection sampling would never end
            kwargs["generator"] = self._generator
        return func(*args, **kwargs)


def _build(name: str) -> nn.Module:
    if name in LITE_CONFIGS:
        return build_lite(name)
    return torchvision.models.get_model(name, weights=None)


def _pretrained_network(card: Card, weights: WeightsStore) -> nn.Module:
    state = weights.state_dict(card)
    with _RandomNumbers(None):
        network = _build(card.name)
    if card.name in LITE_CONFIGS:
        state = convert_lite_weights(state, network)
    elif card.name.startswith("densenet"):
        state = _rename_densenet(state)
    network.load_state_dict(state, strict=True, assign=True)
    return network.eval()


def _rename_densenet(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Published as "norm.1.weight", built as "norm1.weight" (torchvision renames them, too)."""
    dotted = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")
    return {dotted.sub(r"\1\2", name): tensor for name, tensor in state.items()}


def _behead(network: nn.Module, card: Card, *, pretrained: bool, weights_hash: str) -> Backbone:
    path, layer = find_final_layer(network)
    final = FinalLayer(path, *_widths(layer))
    if isinstance(layer, nn.Conv2d):
        head: nn.Module = MapHead(layer)
        module: nn.Module = PooledMaps(network.get_submodule("features"))
    else:
        head = layer
        module = _without(network, path)
    module = module.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    return Backbone(
        card=card,
        pretrained=pretrained,
        module=module,
        stages=find_stages(card.name, module),
        feature_width=final.inputs,
        final_layer=final,
        imagenet_head=head.eval().requires_grad_(False),
        imagenet_classes=imagenet_classes(),
        preprocess=card.preprocess,
        weights_hash=weights_hash,
        parameter_count=sum(parameter.numel() for parameter in module.parameters()),
    )


def _widths(layer: nn.Linear | nn.Conv2d) -> tuple[int, int]:
    if isinstance(layer, nn.Conv2d):
        return layer.in_channels, layer.out_channels
    return layer.in_features, layer.out_features


def _without(network: nn.Module, path: str) -> nn.Module:
    """The network with its last layer, and a dropout right in front of it, passing all through."""
    parent_path, _, name = path.rpartition(".")
    parent = network.get_submodule(parent_path)
    setattr(parent, name, nn.Identity())
    before = str(int(name) - 1) if name.isdigit() else ""
    if isinstance(parent._modules.get(before), nn.Dropout):
        setattr(parent, before, nn.Identity())
    return network
