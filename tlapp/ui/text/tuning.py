"""Words about Fine-tune: what it would do, and what the run that it makes is called."""

from typing import Final, Literal

from tlapp.messages import Message, Words, duration, message
from tlapp.training.config import TrainConfig
from tlapp.ui.text import amount
from tlapp.ui.text.comparing import backbone, learned

Origin = Literal["default", "page", "other network"]  # of the settings for fine-tuning

GO_ON: Final = message("Go on takes this training up where it was stopped.")
FINE_TUNED: Final = message(
    "This run is fine-tuned. Train begins anew, from the untouched network."
)
HEAD_KEPT: Final = message(
    "To fine-tune again, show the run of the head under Compare runs and open stages above: fewer of "
    "them, or at a lower rate."
)


def under_way(what: Message) -> Message:
    """What of the visitor's must be over before something else can begin."""
    return message(
        "Your {what} is under way. When it is over, or stopped, you can train again.", what=what
    )


def offer(config: TrainConfig, origin: Origin, learning: int, seconds: float | None) -> Message:
    """What Fine-tune does with these settings: so many parameters learn, for about so long."""
    parameters = amount(learning)
    costs = (
        message("({parameters} parameters learn)", parameters=parameters)
        if seconds is None
        else message(
            "({parameters} parameters learn, about {time})",
            parameters=parameters,
            time=duration(seconds),
        )
    )
    if origin == "page":
        return message(
            "Fine-tune goes on from this head with what is open above {costs}.", costs=costs
        )
    what = learned(config.freeze, is_pretrained=True, has_head_phase=False)
    if origin == "default":
        return message(
            "Fine-tune goes on from this head and opens the {what} {costs}, with the default "
            "settings for that. To choose yourself, open stages above first.",
            what=what,
            costs=costs,
        )
    return message(
        "Fine-tune goes on from this head on {backbone} and opens its {what} {costs}, with the "
        "default settings for that: what is chosen above is for another network.",
        backbone=backbone(config.backbone),
        what=what,
        costs=costs,
    )


def fine_tuned_name(name: str, words: Words) -> str:
    """The name of a run that fine-tunes the run of this name, in the words of its owner."""
    added = words.say(_fine_tuned(""))
    return name if added in name else words.say(_fine_tuned(name))


def _fine_tuned(name: str) -> Message:
    return message("{name}, fine-tuned", name=name)
