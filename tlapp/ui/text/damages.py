"""What is said of damaged files: what it is about, what is the matter, and what to do."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from tlapp.damages import Damage, DamageKind
from tlapp.messages import Message, counted_message, message

_WHAT: Final[Mapping[DamageKind, Message]] = MappingProxyType(
    {
        "run": message("The record of run {item} is damaged: {fault}."),
        "epochs": message("The log of epochs of run {item} is damaged: {fault}."),
        "model": message("The model of run {item} is damaged: {fault}."),
        "state": message("What going on with run {item} takes is damaged: {fault}."),
        "dataset": message("Data set {item} is damaged: {fault}."),
        "visitor": message("What the page showed to visitor {item} is damaged: {fault}."),
        "tried": message("The test pictures of visitor {item} is damaged: {fault}."),
        "speeds": message("The measured speeds of this machine is damaged: {fault}."),
        "features": message("Kept features ({item}) is damaged: {fault}."),
        "weights": message("The weights of {item} is damaged: {fault}."),
        "folder": message("The folder {item} is damaged: {fault}."),
    }
)
_TO_DO: Final[Mapping[DamageKind, Message]] = MappingProxyType(
    {
        "run": message("Train again; the pictures are not affected."),
        "epochs": message("Its model is not affected. Train again to see the whole course."),
        "model": message("Train again; the figures of the run are kept."),
        "state": message("Fine-tune its best epoch, or train again."),
        "dataset": message("Import the pictures again, or copy the folder back from a backup."),
        "visitor": message("The page starts empty. Data sets and runs are still there."),
        "tried": message("Bring the test pictures again."),
        "speeds": message("They are measured again."),
        "features": message("They are computed again."),
        "weights": message("They are downloaded again when they are needed."),
        "folder": message("Move away what stands there, then start again."),
    }
)
EARLIER_IS_USED: Final = message("The version before it is used.")


def damage(found: Damage) -> tuple[Message, Message]:
    """What is damaged and how, and what to do about it."""
    what = replace(_WHAT[found.kind], values=(("item", found.item), ("fault", found.fault)))
    return what, EARLIER_IS_USED if found.is_replaced else _TO_DO[found.kind]


def heading(count: int) -> Message:
    """How many there are, as the line that opens the list."""
    return counted_message("Damaged files: {count}", "Damaged files: {count}", count=count)


def others(count: int) -> Message:
    """What visitors are told of what is not theirs."""
    return counted_message(
        "{count} file on this server cannot be read. Its log names them; everything else works.",
        "{count} files on this server cannot be read. Its log names them; everything else works.",
        count=count,
    )
