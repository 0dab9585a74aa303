"""How many parameters learn and how many stay as they are, before anything is trained."""

from dataclasses import dataclass

from tlapp.backbones.loading import Backbone
from tlapp.messages import Message, message
from tlapp.training.config import TrainConfig
from tlapp.training.freezing import plan_stages


@dataclass(frozen=True)
class ParameterCounts:
    """What learns, what does not, and which layer is replaced."""

    trainable: int
    frozen: int
    replaced_layer: Message  # e.g. "fc: 512 -> 1000 becomes 512 -> 3"


def count_parameters(backbone: Backbone, class_count: int, config: TrainConfig) -> ParameterCounts:
    """The parameters of `backbone` with a new head for `class_count` classes."""
    head = (backbone.feature_width + 1) * class_count  # weights and one bias a class
    frozen = sum(
        plan.stage.parameter_count
        for plan in plan_stages(backbone.stages, config)
        if plan.is_frozen
    )
    layer = backbone.final_layer
    return ParameterCounts(
        trainable=head + backbone.parameter_count - frozen,
        frozen=frozen,
        replaced_layer=message(
            "{layer}: {inputs} -> {outputs} becomes {width} -> {classes}",
            layer=layer.path,
            inputs=str(layer.inputs),  # as code writes them
            outputs=str(layer.outputs),
            width=str(backbone.feature_width),
            classes=str(class_count),
        ),
    )
