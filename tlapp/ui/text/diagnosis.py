"""What is the matter with a run, in one sentence, and what to do about it."""

from tlapp.evaluation.diagnosis import Finding
from tlapp.messages import Message, counted_message, message, number, percent
from tlapp.ui.text.status import ordinal


def diagnosis(finding: Finding) -> tuple[Message, Message]:
    """What is the matter, with its figures; and what to do."""
    figures = finding.figures
    match finding.trouble:
        case "one_class":
            return (
                message('Nearly every picture is taken for "{name}".', name=finding.name),
                message(
                    "Check that the other classes have pictures of their own and enough of them, "
                    "weigh rare classes more, or choose a smaller learning rate."
                ),
            )
        case "diverging":
            return (
                message(
                    "The loss is {loss}, above the {guessing} of plain guessing: the steps are too "
                    "large.",
                    loss=number(figures[0], 2),
                    guessing=number(figures[1], 2),
                ),
                message("Choose a learning rate ten times smaller."),
            )
        case "rate_too_small":
            return (
                message(
                    "The loss has hardly fallen, from {first} to {last}: the steps are too small.",
                    first=number(figures[0], 2),
                    last=number(figures[1], 2),
                ),
                message("Choose a learning rate ten times larger, or find one under Settings."),
            )
        case _:
            return _about_the_course(finding)


def _about_the_course(finding: Finding) -> tuple[Message, Message]:
    """What the held-out loss did from epoch to epoch."""
    figures = finding.figures
    match finding.trouble:
        case "head_spoiled":
            return (
                message(
                    "Fine-tuning undid what the head had learned: the held-out loss rose from "
                    "{before} to {after} (epoch {epoch}), and what followed did not make up for it.",
                    before=number(figures[0], 2),
                    after=number(figures[1], 2),
                    epoch=ordinal(figures[2]),
                ),
                message(
                    "Fine-tune the head again at a third of the backbone's rate, open fewer "
                    "stages, or bring more pictures."
                ),
            )
        case "overfitting":
            return (
                message(
                    "Since epoch {epoch} it learns by heart: the held-out loss has risen from "
                    "{lowest} to {last} while the other goes on falling. The best epoch is kept.",
                    epoch=ordinal(figures[0]),
                    lowest=number(figures[1], 2),
                    last=number(figures[2], 2),
                ),
                message("Fewer epochs, more pictures, augmented views or more weight decay help."),
            )
        case "not_converged":
            return (
                message(
                    "It was still getting better at the end: the held-out loss fell from {before} "
                    "to {last} in the last two epochs.",
                    before=number(figures[0], 2),
                    last=number(figures[1], 2),
                ),
                message("Train for more epochs."),
            )
        case _:
            return _about_the_figures(finding)


def _about_the_figures(finding: Finding) -> tuple[Message, Message]:
    """What the held-out figures themselves can say, and how to read them."""
    figures = finding.figures
    match finding.trouble:
        case "early_best":
            return (
                counted_message(
                    "Epoch {kept} is kept because it gets {count} held-out picture more right than "
                    "epoch {other}, though its loss is higher ({kept_loss} against {other_loss}): "
                    "it is less sure of its answers.",
                    "Epoch {kept} is kept because it gets {count} held-out pictures more right than "
                    "epoch {other}, though its loss is higher ({kept_loss} against {other_loss}): "
                    "it is less sure of its answers.",
                    count=round(figures[1]),
                    kept=ordinal(figures[0]),
                    other=ordinal(figures[2]),
                    kept_loss=number(figures[3], 2),
                    other_loss=number(figures[4], 2),
                ),
                message(
                    "So small a difference may be chance; with more pictures held out, the choice "
                    "is steadier."
                ),
            )
        case "few_held_out":
            return (
                counted_message(
                    "With {count} picture held out, the accuracy may be anything between {low} and "
                    "{high}.",
                    "With {count} pictures held out, the accuracy may be anything between {low} and "
                    "{high}.",
                    count=int(figures[0]),
                    low=number(figures[1] * 100),
                    high=percent(figures[2]),
                ),
                message("Hold more pictures out, or collect more, before you compare runs."),
            )
        case _:  # held_out_better
            return (
                message(
                    "The held-out loss ({held_out}) is below the one while learning ({learning}). "
                    "That is no miracle: while learning, parts of the features are hidden at random "
                    "and the network is still changing.",
                    held_out=number(figures[2], 2),
                    learning=number(figures[0], 2),
                ),
                message(
                    "Compare with the pictures learned from, measured after the epoch ({loss}).",
                    loss=number(figures[1], 2),
                ),
            )
