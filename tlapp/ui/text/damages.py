"""What is said of damaged files: what it is about, what is the matter, and what to do."""

from tlapp.damages import Damage

_WHAT = {
    "run": "The record of run {item}",
    "epochs": "The log of epochs of run {item}",
    "model": "The model of run {item}",
    "state": "What going on with run {item} takes",
    "dataset": "Data set {item}",
    "visitor": "What the page showed to visitor {item}",
    "tried": "The test pictures of visitor {item}",
    "speeds": "The measured speeds of this machine",
    "features": "Kept features ({item})",
    "weights": "The weights of {item}",
    "folder": "The folder {item}",
}
_TO_DO = {
    "run": "Train again; the pictures are not affected.",
    "epochs": "Its model is not affected. Train again to see the whole course.",
    "model": "Train again; the figures of the run are kept.",
    "state": "Fine-tune its best epoch, or train again.",
    "dataset": "Import the pictures again, or copy the folder back from a backup.",
    "visitor": "The page starts empty. Data sets and runs are still there.",
    "tried": "Bring the test pictures again.",
    "speeds": "They are measured again.",
    "features": "They are computed again.",
    "weights": "They are downloaded again when they are needed.",
    "folder": "Move away what stands there, then start again.",
}
EARLIER_IS_USED = "The version before it is used."
HEADING = "Damaged files"


def damage(found: Damage) -> tuple[str, str]:
    """What is damaged and how, and what to do about it."""
    what = _WHAT[found.kind].format(item=found.item)
    fault = found.fault.rstrip(".")
    return f"{what} is damaged: {fault}.", (
        EARLIER_IS_USED if found.is_replaced else _TO_DO[found.kind]
    )


def heading(count: int) -> str:
    """How many there are, as the line that opens the list."""
    return f"{HEADING}: {count:,}"


def others(count: int) -> str:
    """What visitors are told of what is not theirs."""
    files = "1 file" if count == 1 else f"{count:,} files"
    return f"{files} on this server cannot be read. Its log names them; everything else works."
