"""Why settings seldom make sense: a sentence for each doubt."""

from tlapp.training.doubts import Doubt
from tlapp.ui.text.comparing import small_number


def sentence(doubt: Doubt) -> str:
    """What is doubtful, why, and what to do instead."""
    rate = small_number(doubt.rate)
    match doubt.name:
        case "locked above":
            return (
                f"{doubt.stage.capitalize()} learns below {doubt.above}, which is locked: a locked "
                "stage expects what it always got from below. Lock from the bottom up."
            )
        case "one rate":
            return (
                f"One rate of {rate} for everything: at that rate the errors of the untrained head "
                "wreck what the backbone knows. Train the head alone first, or choose smaller "
                "rates below."
            )
        case "wrecking rate":
            return (
                f"A rate of {rate} rewrites pretrained stages at once. 0.001 or less keeps most of "
                "what they know."
            )
        case "wild head":
            return (
                f"A rate of {rate} makes the head jump from one extreme to the other. About "
                f"{small_number(doubt.usual)} is usual; the search below finds one for your "
                "pictures."
            )
        case "batchnorm":
            return (
                f"BatchNorm follows batches of {doubt.count} pictures, in locked stages too: their "
                "statistics move away from those that the weights were made for."
            )
        case "from scratch":
            return (
                f"From scratch with {doubt.count:,} pictures: there is nothing to transfer, and so "
                "few pictures cannot teach edges and textures. Expect little."
            )
