"""Words of the classic mistakes: a question before, an explanation with both results after."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tlapp.experiments.bench import MistakeValue, Outcome, Side
from tlapp.messages import NOTHING, Message, joined, message, percent
from tlapp.ui.text.status import about_left, waiting
from tlapp.workspace import Experiment

HEADING: Final = message("Classic mistakes")
TRAIN_FIRST: Final = message(
    "Train once, then make the classic mistakes on a copy of your run and see what happens."
)
INVITATION: Final = message(
    "Each is made for real on a copy of the run on the page. First say what you think will happen."
)
RIGHT: Final = message("your run")
WRONG: Final = message("with the mistake")
HONEST: Final = message("on unseen pictures")
LEARNED: Final = message("on what it learned")
STOPPED: Final = message("Stopped before the end. Press its name again to see how it ends.")
VIEW_RIGHT: Final = message("What your run sees")
VIEW_WRONG: Final = message("What the mistake sees")
OUTCOME_WORDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "better": message("More will be right"),
        "same": message("About as many"),
        "worse": message("Fewer"),
        "guessing": message("No better than guessing"),
    }
)
_FORETOLD: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "better": message("more will be right"),
        "same": message("about as many"),
        "worse": message("fewer"),
        "guessing": message("no better than guessing"),
    }
)
OUTCOME_AFTER: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "better": message("more are right"),
        "same": message("about as many are right"),
        "worse": message("fewer are right"),
        "guessing": message("it is no better than guessing"),
    }
)
MISTAKE_VIEW_WORDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "list": message("Classic mistakes"),
        "ask": message("What will happen to the held-out pictures?"),
        "stop": message("Stop"),
        "progress": message("Progress of the mistake"),
        "plot": message("Held-out accuracy after each epoch"),
    }
)


@dataclass(frozen=True)
class MistakeWords:
    """One mistake: its name on the page, what is done, and why it ends as it does."""

    title: Message
    what: Message
    why_harmed: Message  # after clearly fewer right answers
    why_not: Message  # after as many, or more


MISTAKE_WORDS: Final[Mapping[str, MistakeWords]] = MappingProxyType(
    {
        "not_frozen": MistakeWords(
            message("Forgot to freeze"),
            message("Everything learns from the first step on, at a large rate (0.01)."),
            message(
                "The new head begins with no idea, so its errors are large, and at a large rate they "
                "overwrite what ImageNet had taught. Freeze first; open stages later, gently."
            ),
            message(
                "This time the backbone came through. A new head's first errors are large, and at a "
                "large rate they usually overwrite what ImageNet had taught: freezing first is safe."
            ),
        ),
        "wrong_at_prediction": MistakeWords(
            message("Wrong normalization when asked"),
            message(
                "The network is asked without Normalize: it gets numbers from 0 to 1, not those around 0 "
                "that it learned from."
            ),
            message(
                "It learned from one kind of numbers and was asked about another. Always use the "
                "preprocessing that belongs to the weights, when learning and when asking."
            ),
            message(
                "Your classes are told apart even in the wrong numbers; harder ones would not be. "
                "Always use the preprocessing that belongs to the weights."
            ),
        ),
        "wrong_everywhere": MistakeWords(
            message("Wrong normalization everywhere"),
            message(
                "Normalize is forgotten when learning and when asking: numbers from 0 to 1, both times."
            ),
            message(
                "A new head could not make up for it: the pretrained layers expect other numbers, and "
                "see less in these."
            ),
            message(
                "Learning and asking were wrong alike, so the new head made up for it. The pretrained "
                "layers still expect other numbers, and harder classes would suffer."
            ),
        ),
        "bgr": MistakeWords(
            message("Red and blue swapped"),
            message("Pictures are read as BGR, as OpenCV does, and not as RGB."),
            message(
                "Colour helps to tell your classes apart, and these were not the colours. Convert with "
                "cv2.cvtColor(image, cv2.COLOR_BGR2RGB), or read with Pillow."
            ),
            message(
                "Your classes are told apart by shape and texture more than by colour, so the mistake "
                "hides. It would not with ripe and unripe fruit: check the order all the same."
            ),
        ),
        "zero_to_255": MistakeWords(
            message("Values from 0 to 255"),
            message("The bytes of the picture are given to the network as they are."),
            message(
                "It expects numbers around 0 and gets numbers a hundred times as large: every layer "
                "is driven to its limit. Scale to 0 to 1, then normalize."
            ),
            message(
                "Some answers survive even numbers a hundred times as large as expected, but how sure "
                "the network is of them means nothing. Scale to 0 to 1, then normalize."
            ),
        ),
        "no_eval": MistakeWords(
            message("Forgot eval()"),
            message("The network is asked in training mode."),
            message(
                "BatchNorm normalized by the few pictures that were asked about together, and parts "
                "were left out at random: the same picture gets another answer each time. "
                "Call model.eval() before you ask."
            ),
            message(
                "It did little here: either this network has no BatchNorm, or the pictures that were "
                "asked about together are alike. With one picture, or another mix, it may. "
                "Call model.eval() before you ask."
            ),
        ),
        "batchnorm": MistakeWords(
            message("BatchNorm left in training mode"),
            message(
                "No weight learns, but the training pictures pass in training mode, two of a class at "
                "a time."
            ),
            message(
                "Frozen weights are not enough: BatchNorm's statistics follow whatever passes, and they "
                "moved away from those the weights were made for. Keep frozen stages in eval mode."
            ),
            message(
                "It did little here: either this network has no BatchNorm, or your pictures are much "
                "like ImageNet's. Frozen weights alone are no guarantee: keep frozen stages in eval "
                "mode."
            ),
        ),
        "rate_times_100": MistakeWords(
            message("Learning rate times 100"),
            message(
                "Head and last stage learn, at a hundred times the usual rate. Two epochs are enough to "
                "see it."
            ),
            message(
                "Each step jumps over the valley it aims at, and lands where the loss is higher."
            ),
            message(
                "It recovered this time, from a much higher loss than it began with. Do not count on "
                "it: change the rate by factors of three, not of a hundred."
            ),
        ),
        "train_on_validation": MistakeWords(
            message("Learning from the held-out pictures"),
            message("The held-out pictures are learned from by mistake, then used to measure."),
            message(
                "Even pictures that were known did not help it here. The figure means nothing all the "
                "same: only pictures that really are new tell the truth."
            ),
            message(
                "The figure looks splendid and means nothing: those pictures were known. Only pictures "
                "that really are new tell the truth."
            ),
        ),
        "labels_shuffled": MistakeWords(
            message("Labels shuffled"),
            message("The pictures learned from carry one another's labels."),
            message(
                "There is nothing to learn but the pictures themselves, by heart. Held-out pictures "
                "reveal it at once; the ones learned from do not."
            ),
            message(
                "With so few pictures enough labels stayed right by chance. Look at your labels before "
                "you look at your network."
            ),
        ),
    }
)


def mistake_status(seen: Experiment, value: MistakeValue) -> Message:
    """Where it is; nothing once it is over, and its answer says the rest."""
    match seen.state:
        case "waiting":
            return waiting(seen.position)
        case "failed":
            return joined(seen.message, seen.hint)
        case "stopped":
            return STOPPED
        case "finished":
            return NOTHING
        case _:
            going = message("It is happening: {share}.", share=percent(value.share_done))
            return joined(going, about_left(value.seconds_left))


def answer(value: MistakeValue) -> tuple[Message, ...]:
    """Whether what was foretold came true, both results, and why; () while there is no outcome."""
    outcome = value.outcome
    if outcome is None or value.wrong is None:
        return ()
    words = MISTAKE_WORDS[value.name]
    why = words.why_harmed if outcome in ("worse", "guessing") else words.why_not
    told = (_guess_sentence(value.guess, outcome), _result(value, value.wrong), why)
    return tuple(sentence for sentence in told if sentence)


def _guess_sentence(guess: str, outcome: Outcome) -> Message:
    if guess not in _FORETOLD:
        return NOTHING
    came = OUTCOME_AFTER[outcome]
    if guess == outcome:
        return message("**You were right:** {came}.", came=came)
    if (guess, outcome) == ("worse", "guessing"):
        return message("**It is worse still:** {came}.", came=came)
    if (guess, outcome) == ("guessing", "worse"):
        return message(
            "**It harms, but less than that:** {came}, though more than by guessing.", came=came
        )
    return message(
        '**Not quite:** you said "{guess}", but {came}.', guess=_FORETOLD[guess], came=came
    )


def _result(value: MistakeValue, wrong: Side) -> Message:
    right = value.right
    if value.is_broken:
        return message(
            "Without the mistake {share} of the held-out pictures are right. With it the loss grew "
            "beyond all bounds: no answer is even a number any more.",
            share=percent(right.accuracy),
        )
    both = message(
        "With the mistake {wrong} of the held-out pictures are right, without it {right}.",
        wrong=percent(wrong.accuracy),
        right=percent(right.accuracy),
    )
    return joined(both, *_more_figures(value, wrong))


def _more_figures(value: MistakeValue, wrong: Side) -> Iterator[Message]:
    """What was measured beside the accuracy."""
    if value.honest is not None:
        yield message(
            "Of those it really never saw, {share} are right.", share=percent(value.honest.accuracy)
        )
    if value.train_accuracy is not None:
        yield message(
            "Of the pictures learned from, {share} look right.", share=percent(value.train_accuracy)
        )
    if value.right.certainty is not None and wrong.certainty is not None:
        yield message(
            "The right class gets {wrong} of the probability on average, instead of {right}.",
            wrong=percent(wrong.certainty),
            right=percent(value.right.certainty),
        )
    if value.agreement is not None:
        yield message(
            "The original ImageNet head names another object in {share} of the pictures: the "
            "network sees something else.",
            share=percent(1 - value.agreement),
        )
