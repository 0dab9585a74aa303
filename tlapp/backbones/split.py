"""A network cut between two of its stages: the frozen bottom, and the top that learns.

The halves share the parameters of the whole: training the top trains the module it came from.
"""

from dataclasses import dataclass

from torch import fx, nn
from torchvision import ops
from torchvision.models.feature_extraction import NodePathTracer

from tlapp.backbones.efficientnet_lite import SamePadding
from tlapp.backbones.stages import Stage, lies_in

_LEAVES = [SamePadding, ops.StochasticDepth, ops.Permute]  # their forwards branch on a shape


@dataclass(frozen=True, eq=False)
class Halves:
    """`top(bottom(x))` is the module, bit for bit."""

    bottom: nn.Module  # x_NCHW -> what crosses the boundary: one tensor, N first
    top: nn.Module  # that tensor -> features_ND


def split_module(module: nn.Module, stages: tuple[Stage, ...], boundary: int) -> Halves:
    """The module cut below stage number `boundary` (0: everything is top).

    `module` is a backbone's own, a copy of it or its fused form. An operation without parameters
    belongs to the stage it is written in, or else to the last one whose output it reads.
    """
    if boundary == 0:
        return Halves(bottom=nn.Identity(), top=module)
    tracer = NodePathTracer(leaf_modules=_LEAVES)
    graph = tracer.trace(module)
    stage_of: dict[fx.Node, int] = {}
    for node in graph.nodes:
        path = str(node.target) if node.op == "get_attr" else tracer.node_to_qualname.get(node, "")
        read = [stage_of[source] for source in node.all_input_nodes]
        stage_of[node] = max([_stage_at(path, stages), *read])
    in_bottom = [node for node in graph.nodes if stage_of[node] < boundary]
    in_top = [node for node in graph.nodes if stage_of[node] >= boundary]
    crossing = {n for node in in_top for n in node.all_input_nodes if stage_of[n] < boundary}
    if len(crossing) != 1:
        raise ValueError(f"{len(crossing)} tensors cross into {stages[boundary].name}, not one.")
    return _build(module, in_bottom, in_top, crossing.pop())


def _build(
    module: nn.Module, in_bottom: list[fx.Node], in_top: list[fx.Node], crossing: fx.Node
) -> Halves:
    bottom = fx.Graph()
    copied: dict[fx.Node, fx.Node] = {}
    for node in in_bottom:
        copied[node] = bottom.node_copy(node, copied.__getitem__)
    bottom.output(copied[crossing])
    top = fx.Graph()
    copied = {crossing: top.placeholder("boundary")}
    for node in in_top:
        copied[node] = top.node_copy(node, copied.__getitem__)
    return Halves(fx.GraphModule(module, bottom), fx.GraphModule(module, top))


def _stage_at(path: str, stages: tuple[Stage, ...]) -> int:
    """The stage that this path lies in; 0 where it lies in none."""
    for index, stage in enumerate(stages):
        if lies_in(path, stage.module_names):
            return index
    return 0
