"""Why settings seldom make sense: a sentence for each doubt."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from tlapp.backbones.stages import stage_title
from tlapp.messages import Message, counted_message, message, significant
from tlapp.training.doubts import Doubt

_HEADINGS: Final[Mapping[str, Message]] = MappingProxyType(  # by the templates of `stage_title`
    {
        "stem": message("Stem"),
        "top": message("Top"),
        "stage {number}": message("Stage {number}"),
        "blocks {first} to {last}": message("Blocks {first} to {last}"),
    }
)


def sentence(doubt: Doubt) -> Message:
    """What is doubtful, why, and what to do instead."""
    rate = significant(doubt.rate)
    match doubt.name:
        case "locked above":
            return message(
                "{stage} learns below {above}, which is locked: a locked stage expects what it "
                "always got from below. Lock from the bottom up.",
                stage=_heading(doubt.stage),
                above=stage_title(doubt.above),
            )
        case "one rate":
            return message(
                "One rate of {rate} for everything: at that rate the errors of the untrained head "
                "wreck what the backbone knows. Train the head alone first, or choose smaller rates "
                "below.",
                rate=rate,
            )
        case "wrecking rate":
            return message(
                "A rate of {rate} rewrites pretrained stages at once. 0.001 or less keeps most of "
                "what they know.",
                rate=rate,
            )
        case "wild head":
            return message(
                "A rate of {rate} makes the head jump from one extreme to the other. About {usual} "
                "is usual; the search below finds one for your pictures.",
                rate=rate,
                usual=significant(doubt.usual),
            )
        case "batchnorm":
            return counted_message(
                "BatchNorm follows batches of {size} picture, in locked stages too: their "
                "statistics move away from those that the weights were made for.",
                "BatchNorm follows batches of {size} pictures, in locked stages too: their "
                "statistics move away from those that the weights were made for.",
                count=doubt.count,
                size=str(doubt.count),
            )
        case "from scratch":
            return counted_message(
                "From scratch with {count} picture: there is nothing to transfer, and so few "
                "pictures cannot teach edges and textures. Expect little.",
                "From scratch with {count} pictures: there is nothing to transfer, and so few "
                "pictures cannot teach edges and textures. Expect little.",
                count=doubt.count,
            )


def _heading(stage: str) -> Message:
    """A stage where a sentence begins: "Stage 3", not "stage 3"."""
    said = stage_title(stage)
    return replace(_HEADINGS.get(said.template, said), values=said.values)
