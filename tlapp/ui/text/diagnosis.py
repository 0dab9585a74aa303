"""What is the matter with a run, in one sentence, and what to do about it."""

from tlapp.evaluation.diagnosis import Finding
from tlapp.ui.text import percent, pictures


def diagnosis(finding: Finding) -> tuple[str, str]:
    """What is the matter, with its figures; and what to do."""
    figures = finding.figures
    match finding.trouble:
        case "one_class":
            return (
                f'Nearly every picture is taken for "{finding.name}".',
                "Check that the other classes have pictures of their own and enough of them, weigh "
                "rare classes more, or choose a smaller learning rate.",
            )
        case "diverging":
            return (
                f"The loss is {figures[0]:.2f}, above the {figures[1]:.2f} of plain guessing: "
                "the steps are too large.",
                "Choose a learning rate ten times smaller.",
            )
        case "head_spoiled":
            return (
                "Fine-tuning undid what the head had learned: the held-out loss rose from "
                f"{figures[0]:.2f} to {figures[1]:.2f} (epoch {figures[2]:.0f}), and what followed "
                "did not make up for it.",
                "Fine-tune the head again at a third of the backbone's rate, open fewer stages, or "
                "bring more pictures.",
            )
        case "rate_too_small":
            return (
                f"The loss has hardly fallen, from {figures[0]:.2f} to {figures[1]:.2f}: "
                "the steps are too small.",
                "Choose a learning rate ten times larger, or find one under Settings.",
            )
        case "overfitting":
            return (
                f"Since epoch {figures[0]:.0f} it learns by heart: the held-out loss has risen from "
                f"{figures[1]:.2f} to {figures[2]:.2f} while the other goes on falling. "
                "The best epoch is kept.",
                "Fewer epochs, more pictures, augmented views or more weight decay help.",
            )
        case "not_converged":
            return (
                f"It was still getting better at the end: the held-out loss fell from "
                f"{figures[0]:.2f} to {figures[1]:.2f} in the last two epochs.",
                "Train for more epochs.",
            )
        case _:
            return _about_the_figures(finding)


def _about_the_figures(finding: Finding) -> tuple[str, str]:
    """What the held-out figures themselves can say, and how to read them."""
    figures = finding.figures
    match finding.trouble:
        case "early_best":
            more = (
                "1 held-out picture" if figures[1] == 1 else f"{figures[1]:.0f} held-out pictures"
            )
            return (
                f"Epoch {figures[0]:.0f} is kept because it gets {more} more right than epoch "
                f"{figures[2]:.0f}, though its loss is higher ({figures[3]:.2f} against "
                f"{figures[4]:.2f}): it is less sure of its answers.",
                "So small a difference may be chance; with more pictures held out, the choice is "
                "steadier.",
            )
        case "few_held_out":
            return (
                f"With {pictures(int(figures[0]))} held out, the accuracy may be anything between "
                f"{figures[1] * 100:.0f} and {percent(figures[2])}.",
                "Hold more pictures out, or collect more, before you compare runs.",
            )
        case _:  # held_out_better
            return (
                f"The held-out loss ({figures[2]:.2f}) is below the one while learning "
                f"({figures[0]:.2f}). That is no miracle: while learning, parts of the features are "
                "hidden at random and the network is still changing.",
                f"Compare with the pictures learned from, measured after the epoch "
                f"({figures[1]:.2f}).",
            )
