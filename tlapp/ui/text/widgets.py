"""The words that the display widgets say by themselves; every other word comes in their values.

``{name}`` is filled in by the widget's script.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CLASS_LIST_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "list": "Classes",
        "edit": "Edit classes",
        "done": "Done",
        "undo": "Undo",
        "undo_last": "Undo the last change of the classes",
        "rename": "Rename",
        "merge": "Merge",
        "remove": "Remove",
        "rename_class": "Rename {name}",
        "merge_class": "Merge {name} into another class",
        "remove_class": "Remove {name}",
        "name_label": "New name of {name}",
        "save": "Save",
        "cancel": "Cancel",
        "merge_into": "Merge into",
        "name_taken": "There is a class {name} already. Merge into",
        "remove_question": "Leave out all of it?",
        "picture_count": "{count} pictures",
        "one_picture": "1 picture",
        "show": "Show",
    }
)

BACKBONE_CARDS_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "group": "Backbone",
        "all": "All {count} backbones",
        "fewer": "Show fewer",
        "again": "Try again",
        "download_card": "{label}: {title}",
        "progress_card": "Download of {title}",
    }
)

LADDER_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "freeze": "Freeze the backbone",
        "stages": "The network from its first layers to its head. Taller bars hold more parameters.",
        "presets": "What learns",
        "stage_frozen": "{name}: {count} parameters, frozen",
        "stage_learns": "{name}: {count} parameters, learning at rate {rate}",
        "lock": "Freeze {name}",
        "unlock": "Let {name} learn",
        "rates": "Learning rate of each stage",
        "moved": "The weights of {name} have moved by {share} of their length",
        "locked": "frozen",
    }
)

RUN_VIEW_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "lost": "No answer from tlapp: the line is lost, or the program has ended. Finished epochs are "
        "kept; the page goes on by itself as soon as tlapp answers again. "
        "Then press again what was pressed meanwhile.",
        "loss": "Loss",
        "loss_unit": "mean cross-entropy, lower is better",
        "accuracy": "Accuracy",
        "accuracy_unit": "share of the pictures that are right",
        "train": "learned from, while learning",
        "train_eval": "learned from, measured after",
        "valid": "held out",
        "interval": "95 % interval",
        "best": "best epoch {epoch}",
        "phase": "more stages learn",
        "epoch": "epoch",
        "at_epoch": "Epoch {epoch}",
        "loss_empty": "How wrong the network is, epoch by epoch, will be drawn here.",
        "accuracy_empty": "How often it is right on pictures it never learned from, here.",
        "progress": "Progress of the training",
        "loss_summary": "Loss after {count} epochs: learning {train_eval}, held out {valid}.",
        "loss_summary_train": "Loss after {count} epochs: learning {train_eval}.",
        "accuracy_summary": "Accuracy after {count} epochs: learning {train_accuracy}, held out {valid_accuracy}.",
        "accuracy_summary_train": "Accuracy after {count} epochs: learning {train_accuracy}.",
        "keys": "Use the arrow keys to read the values of each epoch.",
    }
)

RUN_LIST_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "list": "Your runs",
        "run": "Run",
        "choose": "Compare {name}",
        "new_name": "New name of {name}",
        "best": "best on its pictures",
        "most": "Six at most: let go of another one first",
        "shown": "on the page",
        "pinned": "kept",
        "open": "Show",
        "open_run": "Show {name} on the page",
        "adopt": "Use settings",
        "adopt_run": "Use the settings of {name}",
        "rename": "Rename",
        "rename_run": "Rename {name}",
        "pin": "Keep",
        "pin_run": "Keep {name} when older runs make room",
        "unpin": "Let go",
        "unpin_run": "Let go of {name}",
        "remove": "Remove",
        "remove_run": "Remove {name}",
        "remove_now": "Really remove it?",
        "remove_now_run": "Really remove {name} and its model?",
        "by_epoch": "Over epochs",
        "by_seconds": "Over seconds",
        "axis": "What the curves are drawn over",
        "seconds_note": "Reading the pictures counts, but only where it was not done before: a run that found them read begins at once.",
        "plot": "Held-out accuracy of the chosen runs",
        "differences": "What they do differently",
    }
)

PREDICTIONS_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "list": "Answers for your pictures",
        "picture": "Picture {name}",
    }
)
