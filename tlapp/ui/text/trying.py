"""The Try zone: who answers, and what is said while nobody does."""

from tlapp.runs.live import LiveRun

TRY_SAMPLES_BUTTON = "Try the sample test pictures"
NOTHING_TRIED = (
    "Before any training, the network answers with the 1,000 ImageNet classes it already knows. "
    "Afterwards it answers with yours."
)
NOTHING_TRIED_YET = "Drop test pictures here: the run answers with your classes."
NO_WEIGHTS_TO_ANSWER = (
    "The chosen backbone is not on this machine yet, so it cannot answer. "
    "Press Download on its card, then try the pictures again."
)
IMAGENET_ANSWERS = "This is what the untouched network says. It knows 1,000 ImageNet classes, and none of yours yet."


def answers_of(live: LiveRun) -> str:
    """Whose answers the Try zone shows."""
    if live.is_over:
        return (
            f"Answers come from the best epoch of this run, epoch {live.classifier_epoch}. It always "
            "chooses one of its classes, whatever the picture shows."
        )
    if not live.classifier_epoch:
        return "Answers come from the run that this one goes on from."
    return f"Answers come from epoch {live.classifier_epoch} of this run, while it trains."
