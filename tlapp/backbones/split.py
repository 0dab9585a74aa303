"""A network cut between two of its stages: the frozen bottom, and the top that learns.

The halves share the parameters of the whole: training the top trains the module it came from.
Nothing is traced: `torch.fx` would take over the modules of every thread while it does so.
"""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tlapp.backbones.stages import Stage, lies_in

# Legend: N images, T tokens, D width of a token, C channels, H height, W width.

_Link = tuple[str, nn.Module]  # a module's path and itself


@dataclass(frozen=True, eq=False)
class Halves:
    """`top(bottom(x))` is the module, bit for bit."""

    bottom: nn.Module  # x_NCHW -> what crosses the boundary: one tensor, N first
    top: nn.Module  # that tensor -> features_ND


def split_module(module: nn.Module, stages: tuple[Stage, ...], boundary: int) -> Halves:
    """The module cut below stage number `boundary` (0: everything is top).

    `module` is a backbone's own, a copy of it or its fused form. A link without parameters belongs
    to the stage before it.
    """
    if boundary == 0:
        return Halves(bottom=nn.Identity(), top=module)
    links, rest = _chain(module)
    upper = [stage.module_names for stage in stages[boundary:]]
    cut = next(
        (
            index
            for index, (path, _) in enumerate(links)
            if any(lies_in(path, names) for names in upper)
        ),
        len(links),
    )
    parts = [part for _, part in links]
    return Halves(nn.Sequential(*parts[:cut]), nn.Sequential(*parts[cut:], rest))


def _chain(module: nn.Module) -> tuple[list[_Link], nn.Module]:
    """The network as modules that follow one another, and what comes after them.

    The rest is the network's own forward, in which the links pass everything through.
    """
    if hasattr(module, "conv_proj"):  # ViT
        encoder = module.get_submodule("encoder")
        layers = encoder.get_submodule("layers")
        links = [(f"encoder.layers.{name}", layer) for name, layer in layers.named_children()]
        return [("conv_proj", _Tokens(module)), *links], _FirstToken(module)
    if hasattr(module, "trunk_output"):  # RegNet
        return _links(module, ("stem",), "trunk_output")
    if hasattr(module, "layer1"):  # ResNet
        names = [f"layer{number}" for number in range(1, 5)]
        return _links(module, ("conv1", "bn1", "relu", "maxpool", *names))
    return _links(module, (), "features")


def _links(
    module: nn.Module, names: tuple[str, ...], sequence: str = ""
) -> tuple[list[_Link], nn.Module]:
    """The children of these names, then those of `sequence`, as links."""
    links = [(name, module.get_submodule(name)) for name in names]
    if sequence:
        inner = module.get_submodule(sequence).named_children()
        links += [(f"{sequence}.{name}", child) for name, child in inner]
    rest = copy.copy(module)
    rest._modules = dict(module._modules)
    for name in (*names, *((sequence,) if sequence else ())):
        rest._modules[name] = nn.Identity()
    return links, rest


class _Tokens(nn.Module):
    """ViT up to its first block: x_NCHW -> tokens_NTD, as `VisionTransformer` makes them."""

    def __init__(self, vit: nn.Module) -> None:
        super().__init__()
        encoder = vit.get_submodule("encoder")
        self.conv_proj = vit.get_submodule("conv_proj")
        self.class_token = vit.get_parameter("class_token")
        self.pos_embedding = encoder.get_parameter("pos_embedding")
        self.dropout = encoder.get_submodule("dropout")

    def forward(self, x_NCHW: Tensor) -> Tensor:
        patches_NTD = self.conv_proj(x_NCHW).flatten(2).permute(0, 2, 1)
        class_token = self.class_token.expand(len(patches_NTD), -1, -1)
        tokens_NTD = torch.cat([class_token, patches_NTD], dim=1)
        return self.dropout(tokens_NTD + self.pos_embedding)


class _FirstToken(nn.Module):
    """ViT after its last block: tokens_NTD -> features_ND."""

    def __init__(self, vit: nn.Module) -> None:
        super().__init__()
        self.norm = vit.get_submodule("encoder").get_submodule("ln")
        self.heads = vit.get_submodule("heads")

    def forward(self, tokens_NTD: Tensor) -> Tensor:
        return self.heads(self.norm(tokens_NTD)[:, 0])
