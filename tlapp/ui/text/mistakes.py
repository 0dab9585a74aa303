"""Words of the classic mistakes: a question before, an explanation with both results after."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tlapp.experiments.bench import MistakeValue, Outcome, Side
from tlapp.ui.text import duration, percent
from tlapp.ui.text.status import waiting
from tlapp.workspace import Experiment

HEADING = "Classic mistakes"
TRAIN_FIRST = (
    "Train once, then make the classic mistakes on a copy of your run and see what happens."
)
INVITATION = (
    "Each is made for real on a copy of the run on the page. First say what you think will happen."
)
RIGHT, WRONG, HONEST, LEARNED = (
    "your run",
    "with the mistake",
    "on unseen pictures",
    "on what it learned",
)
STOPPED = "Stopped before the end. Press its name again to see how it ends."
VIEW_RIGHT, VIEW_WRONG = "What your run sees", "What the mistake sees"
OUTCOME_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "better": "More will be right",
        "same": "About as many",
        "worse": "Fewer",
        "guessing": "No better than guessing",
    }
)
OUTCOME_AFTER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "better": "more are right",
        "same": "about as many are right",
        "worse": "fewer are right",
        "guessing": "it is no better than guessing",
    }
)
MISTAKE_VIEW_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "list": "Classic mistakes",
        "ask": "What will happen to the held-out pictures?",
        "stop": "Stop",
        "progress": "Progress of the mistake",
        "plot": "Held-out accuracy after each epoch",
    }
)


@dataclass(frozen=True)
class MistakeWords:
    """One mistake: its name on the page, what is done, and why it ends as it does."""

    title: str
    what: str
    why_harmed: str  # after clearly fewer right answers
    why_not: str  # after as many, or more


MISTAKE_WORDS: Final[Mapping[str, MistakeWords]] = MappingProxyType(
    {
        "not_frozen": MistakeWords(
            "Forgot to freeze",
            "Everything learns from the first step on, at a large rate (0.01).",
            "The new head begins with no idea, so its errors are large, and at a large rate they "
            "overwrite what ImageNet had taught. Freeze first; open stages later, gently.",
            "This time the backbone came through. A new head's first errors are large, and at a "
            "large rate they usually overwrite what ImageNet had taught: freezing first is safe.",
        ),
        "wrong_at_prediction": MistakeWords(
            "Wrong normalization when asked",
            "The network is asked without Normalize: it gets numbers from 0 to 1, not those around 0 "
            "that it learned from.",
            "It learned from one kind of numbers and was asked about another. Always use the "
            "preprocessing that belongs to the weights, when learning and when asking.",
            "Your classes are told apart even in the wrong numbers; harder ones would not be. "
            "Always use the preprocessing that belongs to the weights.",
        ),
        "wrong_everywhere": MistakeWords(
            "Wrong normalization everywhere",
            "Normalize is forgotten when learning and when asking: numbers from 0 to 1, both times.",
            "A new head could not make up for it: the pretrained layers expect other numbers, and "
            "see less in these.",
            "Learning and asking were wrong alike, so the new head made up for it. The pretrained "
            "layers still expect other numbers, and harder classes would suffer.",
        ),
        "bgr": MistakeWords(
            "Red and blue swapped",
            "Pictures are read as BGR, as OpenCV does, and not as RGB.",
            "Colour helps to tell your classes apart, and these were not the colours. Convert with "
            "cv2.cvtColor(image, cv2.COLOR_BGR2RGB), or read with Pillow.",
            "Your classes are told apart by shape and texture more than by colour, so the mistake "
            "hides. It would not with ripe and unripe fruit: check the order all the same.",
        ),
        "zero_to_255": MistakeWords(
            "Values from 0 to 255",
            "The bytes of the picture are given to the network as they are.",
            "It expects numbers around 0 and gets numbers a hundred times as large: every layer "
            "is driven to its limit. Scale to 0 to 1, then normalize.",
            "Some answers survive even numbers a hundred times as large as expected, but how sure "
            "the network is of them means nothing. Scale to 0 to 1, then normalize.",
        ),
        "no_eval": MistakeWords(
            "Forgot eval()",
            "The network is asked in training mode.",
            "BatchNorm normalized by the few pictures that were asked about together, and parts "
            "were left out at random: the same picture gets another answer each time. "
            "Call model.eval() before you ask.",
            "It did little here: either this network has no BatchNorm, or the pictures that were "
            "asked about together are alike. With one picture, or another mix, it may. "
            "Call model.eval() before you ask.",
        ),
        "batchnorm": MistakeWords(
            "BatchNorm left in training mode",
            "No weight learns, but the training pictures pass in training mode, two of a class at "
            "a time.",
            "Frozen weights are not enough: BatchNorm's statistics follow whatever passes, and they "
            "moved away from those the weights were made for. Keep frozen stages in eval mode.",
            "It did little here: either this network has no BatchNorm, or your pictures are much "
            "like ImageNet's. Frozen weights alone are no guarantee: keep frozen stages in eval "
            "mode.",
        ),
        "rate_times_100": MistakeWords(
            "Learning rate times 100",
            "Head and last stage learn, at a hundred times the usual rate. Two epochs are enough to "
            "see it.",
            "Each step jumps over the valley it aims at, and lands where the loss is higher.",
            "It recovered this time, from a much higher loss than it began with. Do not count on "
            "it: change the rate by factors of three, not of a hundred.",
        ),
        "train_on_validation": MistakeWords(
            "Learning from the held-out pictures",
            "The held-out pictures are learned from by mistake, then used to measure.",
            "Even pictures that were known did not help it here. The figure means nothing all the "
            "same: only pictures that really are new tell the truth.",
            "The figure looks splendid and means nothing: those pictures were known. Only pictures "
            "that really are new tell the truth.",
        ),
        "labels_shuffled": MistakeWords(
            "Labels shuffled",
            "The pictures learned from carry one another's labels.",
            "There is nothing to learn but the pictures themselves, by heart. Held-out pictures "
            "reveal it at once; the ones learned from do not.",
            "With so few pictures enough labels stayed right by chance. Look at your labels before "
            "you look at your network.",
        ),
    }
)


def mistake_status(seen: Experiment, value: MistakeValue) -> str:
    """Where it is; "": it is over, and its answer says the rest."""
    match seen.state:
        case "waiting":
            return waiting(seen.position)
        case "failed":
            return f"{seen.message} {seen.hint}".strip()
        case "stopped":
            return STOPPED
        case "finished":
            return ""
        case _:
            left = value.seconds_left or 0.0
            tail = f" About {duration(left)} left." if left >= 1 else ""
            return f"It is happening: {percent(value.share_done)}.{tail}"


def answer(value: MistakeValue) -> tuple[str, ...]:
    """Whether what was foretold came true, both results, and why; () while there is no outcome."""
    outcome = value.outcome
    if outcome is None or value.wrong is None:
        return ()
    words = MISTAKE_WORDS[value.name]
    why = words.why_harmed if outcome in ("worse", "guessing") else words.why_not
    told = (_guess_sentence(value.guess, outcome), _result(value, value.wrong), why)
    return tuple(sentence for sentence in told if sentence)


def _guess_sentence(guess: str, outcome: Outcome) -> str:
    if guess not in OUTCOME_WORDS:
        return ""
    if guess == outcome:
        return f"**You were right:** {OUTCOME_AFTER[outcome]}."
    if (guess, outcome) == ("worse", "guessing"):
        return f"**It is worse still:** {OUTCOME_AFTER[outcome]}."
    if (guess, outcome) == ("guessing", "worse"):
        return f"**It harms, but less than that:** {OUTCOME_AFTER[outcome]}, though more than by guessing."
    return (
        f'**Not quite:** you said "{OUTCOME_WORDS[guess].lower()}", but {OUTCOME_AFTER[outcome]}.'
    )


def _result(value: MistakeValue, wrong: Side) -> str:
    right = value.right
    if value.is_broken:
        return (
            f"Without the mistake {percent(right.accuracy)} of the held-out pictures are right. "
            "With it the loss grew beyond all bounds: no answer is even a number any more."
        )
    told = (
        f"With the mistake {percent(wrong.accuracy)} of the held-out pictures are right, "
        f"without it {percent(right.accuracy)}."
    )
    if value.honest is not None:
        told += f" Of those it really never saw, {percent(value.honest.accuracy)} are right."
    if value.train_accuracy is not None:
        told += f" Of the pictures learned from, {percent(value.train_accuracy)} look right."
    if right.certainty is not None and wrong.certainty is not None:
        told += (
            f" The right class gets {percent(wrong.certainty)} of the probability on average, "
            f"instead of {percent(right.certainty)}."
        )
    if value.agreement is not None:
        told += (
            f" The original ImageNet head names another object in {percent(1 - value.agreement)} "
            "of the pictures: the network sees something else."
        )
    return told
