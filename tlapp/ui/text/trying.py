"""The Try zone: who answers, and what is said while nobody does."""

from typing import Final

from tlapp.messages import Message, message
from tlapp.runs.live import LiveRun

TRY_SAMPLES_BUTTON: Final = message("Try the sample test pictures")
NOTHING_TRIED: Final = message(
    "Before any training, the network answers with the 1,000 ImageNet classes it already knows. "
    "Afterwards it answers with yours."
)
NOTHING_TRIED_YET: Final = message("Drop test pictures here: the run answers with your classes.")
NO_WEIGHTS_TO_ANSWER: Final = message(
    "The chosen backbone is not on this machine yet, so it cannot answer. "
    "Press Download on its card, then try the pictures again."
)
IMAGENET_ANSWERS: Final = message(
    "This is what the untouched network says. It knows 1,000 ImageNet classes, and none of yours "
    "yet."
)


def answers_of(live: LiveRun) -> Message:
    """Whose answers the Try zone shows."""
    epoch = str(live.classifier_epoch)  # not grouped
    if live.is_over:
        return message(
            "Answers come from the best epoch of this run, epoch {epoch}. It always chooses one of "
            "its classes, whatever the picture shows.",
            epoch=epoch,
        )
    if not live.classifier_epoch:
        return message("Answers come from the run that this one goes on from.")
    return message("Answers come from epoch {epoch} of this run, while it trains.", epoch=epoch)
