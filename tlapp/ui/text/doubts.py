"""Why settings seldom make sense: a sentence for each doubt."""

from tlapp.training.doubts import Doubt


def sentence(doubt: Doubt) -> str:
    """What is doubtful, why, and what to do instead."""
    rate = f"{doubt.rate:g}"
    return {
        "locked above": f"{doubt.stage.capitalize()} learns below {doubt.above}, which is locked: a "
        "locked stage expects what it always got from below. Lock from the bottom up.",
        "one rate": f"One rate of {rate} for everything: at that rate the errors of the untrained "
        "head wreck what the backbone knows. Train the head alone first, or choose smaller rates "
        "below.",
        "wrecking rate": f"A rate of {rate} rewrites pretrained stages at once. 1e-3 or less keeps "
        "most of what they know.",
        "wild head": f"A rate of {rate} makes the head jump from one extreme to the other. Choose a "
        "hundredth of it, or let the search below find one.",
        "batchnorm": f"BatchNorm follows batches of {doubt.count} pictures, in locked stages too: "
        "their statistics move away from those that the weights were made for.",
        "from scratch": f"From scratch with {doubt.count:,} pictures: there is nothing to transfer, "
        "and so few pictures cannot teach edges and textures. Expect little.",
    }[doubt.name]
