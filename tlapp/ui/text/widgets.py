"""The words that the display widgets say by themselves; every other word comes in their values.

``{name}`` is filled in by the widget's script, which also does the counting.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tlapp.messages import Message, counted_message, message

NUMBER_WORDS: Final[Mapping[str, Message]] = MappingProxyType(  # of numbers.js
    {
        "percent": message("{number}\u00a0%"),
        "seconds": message("{number}\u00a0s"),
        "megabytes": message("{number} MB"),
        "gigabytes": message("{number} GB"),
        "thousands": message("{number}\u00a0K"),
        "millions": message("{number}\u00a0M"),
        "billions": message("{number}\u00a0G"),
    }
)

CLASS_LIST_WORDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "list": message("Classes"),
        "edit": message("Edit classes"),
        "done": message("Done"),
        "undo": message("Undo"),
        "undo_last": message("Undo the last change of the classes"),
        "rename": message("Rename"),
        "merge": message("Merge"),
        "remove": message("Remove"),
        "rename_class": message("Rename {name}"),
        "merge_class": message("Merge {name} into another class"),
        "remove_class": message("Remove {name}"),
        "name_label": message("New name of {name}"),
        "save": message("Save"),
        "cancel": message("Cancel"),
        "merge_into": message("Merge into"),
        "name_taken": message("There is a class {name} already. Merge into"),
        "remove_question": message("Leave out all of it?"),
        "pictures": counted_message("{count} picture", "{count} pictures"),
        "show": message("Show"),
    }
)

BACKBONE_CARDS_WORDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "group": message("Backbone"),
        "all": counted_message("All {count} backbones", "All {count} backbones"),
        "fewer": message("Show fewer"),
        "again": message("Try again"),
        "download_card": message("{label}: {title}"),
        "progress_card": message("Download of {title}"),
    }
)

LADDER_WORDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "freeze": message("Freeze the backbone"),
        "stages": message(
            "The network from its first layers to its head. Taller bars hold more parameters."
        ),
        "presets": message("What learns"),
        "stage_frozen": message("{name}: {count} parameters, frozen"),
        "stage_learns": message("{name}: {count} parameters, learning at rate {rate}"),
        "lock": message("Freeze {name}"),
        "unlock": message("Let {name} learn"),
        "rates": message("Learning rate of each stage"),
        "moved": message("The weights of {name} have moved by {share} of their length"),
        "locked": message("frozen"),
    }
)

RUN_VIEW_WORDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "lost": message(
            "No answer from tlapp: the line is lost, or the program has ended. Finished epochs are "
            "kept; the page goes on by itself as soon as tlapp answers again. "
            "Then press again what was pressed meanwhile."
        ),
        "loss": message("Loss"),
        "loss_unit": message("mean cross-entropy, lower is better"),
        "accuracy": message("Accuracy"),
        "accuracy_unit": message("share of the pictures that are right"),
        "train": message("learned from, while learning"),
        "train_eval": message("learned from, measured after"),
        "valid": message("held out"),
        "interval": message("95 % interval"),
        "best": message("best epoch {epoch}"),
        "phase": message("more stages learn"),
        "epoch": message("epoch"),
        "at_epoch": message("Epoch {epoch}"),
        "loss_empty": message("How wrong the network is, epoch by epoch, will be drawn here."),
        "accuracy_empty": message("How often it is right on pictures it never learned from, here."),
        "progress": message("Progress of the training"),
        "loss_summary": counted_message(
            "Loss after {count} epoch: learning {train_eval}, held out {valid}.",
            "Loss after {count} epochs: learning {train_eval}, held out {valid}.",
        ),
        "loss_summary_train": counted_message(
            "Loss after {count} epoch: learning {train_eval}.",
            "Loss after {count} epochs: learning {train_eval}.",
        ),
        "accuracy_summary": counted_message(
            "Accuracy after {count} epoch: learning {train_accuracy}, held out {valid_accuracy}.",
            "Accuracy after {count} epochs: learning {train_accuracy}, held out {valid_accuracy}.",
        ),
        "accuracy_summary_train": counted_message(
            "Accuracy after {count} epoch: learning {train_accuracy}.",
            "Accuracy after {count} epochs: learning {train_accuracy}.",
        ),
        "keys": message("Use the arrow keys to read the values of each epoch."),
    }
)

RUN_LIST_WORDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "list": message("Your runs"),
        "run": message("Run"),
        "choose": message("Compare {name}"),
        "new_name": message("New name of {name}"),
        "best": message("best on its pictures"),
        "most": message("Six at most: let go of another one first"),
        "shown": message("on the page"),
        "pinned": message("kept"),
        "open": message("Show"),
        "open_run": message("Show {name} on the page"),
        "adopt": message("Use settings"),
        "adopt_run": message("Use the settings of {name}"),
        "rename": message("Rename"),
        "rename_run": message("Rename {name}"),
        "pin": message("Keep"),
        "pin_run": message("Keep {name} when older runs make room"),
        "unpin": message("Let go"),
        "unpin_run": message("Let go of {name}"),
        "remove": message("Remove"),
        "remove_run": message("Remove {name}"),
        "remove_now": message("Really remove it?"),
        "remove_now_run": message("Really remove {name} and its model?"),
        "by_epoch": message("Over epochs"),
        "by_seconds": message("Over seconds"),
        "axis": message("What the curves are drawn over"),
        "seconds_note": message(
            "Reading the pictures counts, but only where it was not done before: a run that found them read begins at once."
        ),
        "plot": message("Held-out accuracy of the chosen runs"),
        "differences": message("What they do differently"),
    }
)

PREDICTIONS_WORDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "list": message("Answers for your pictures"),
        "picture": message("Picture {name}"),
    }
)
