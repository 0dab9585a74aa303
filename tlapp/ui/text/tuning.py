"""Words about Fine-tune: what it would do, and what the run that it makes is called."""

from typing import Literal

from tlapp.training.config import TrainConfig
from tlapp.ui.text import amount, duration
from tlapp.ui.text.comparing import backbone, learned

Origin = Literal["default", "page", "other network"]  # of the settings for fine-tuning

GO_ON = "Go on takes this training up where it was stopped."
FINE_TUNED = "This run is fine-tuned. Train begins anew, from the untouched network."
HEAD_KEPT = (
    "To fine-tune again, show the run of the head under Compare runs and open stages above: fewer of "
    "them, or at a lower rate."
)
_SUFFIX = ", fine-tuned"


def under_way(what: str) -> str:
    """What of the visitor's must be over before something else can begin."""
    return f"Your {what} is under way. When it is over, or stopped, you can train again."


def offer(config: TrainConfig, origin: Origin, learning: int, seconds: float | None) -> str:
    """What Fine-tune does with these settings: so many parameters learn, for about so long."""
    takes = "" if seconds is None else f", about {duration(seconds)}"
    costs = f"({amount(learning)} parameters learn{takes})"
    what = learned(config.freeze, is_pretrained=True, has_head_phase=False)
    if origin == "page":
        return f"Fine-tune goes on from this head with what is open above {costs}."
    if origin == "default":
        return (
            f"Fine-tune goes on from this head and opens the {what} {costs}, with the default "
            "settings for that. To choose yourself, open stages above first."
        )
    return (
        f"Fine-tune goes on from this head on {backbone(config.backbone)} and opens its {what} "
        f"{costs}, with the default settings for that: what is chosen above is for another network."
    )


def fine_tuned_name(name: str) -> str:
    """The name of a run that fine-tunes the run of this name."""
    return name if _SUFFIX in name else f"{name}{_SUFFIX}"
