"""The classic mistakes: a question, the mistake for real on a copy of a run, and why it ends so."""

from dataclasses import replace

from gradio.blocks import Block

from tlapp.experiments.bench import OUTCOMES, MistakeValue, Side
from tlapp.messages import Message, Say, alone, percent
from tlapp.ui.actions.experiments import Guess, measured_run
from tlapp.ui.asked import event_text
from tlapp.ui.later import later
from tlapp.ui.panels.panel import Update
from tlapp.ui.sent import Reads
from tlapp.ui.text import mistakes as words
from tlapp.ui.visit import Visit, experiment_key
from tlapp.ui.widgets.mistake_view import (
    Bar,
    Curve,
    MistakeChoice,
    MistakeView,
    MistakeViewValue,
    Option,
    View,
)
from tlapp.ui.widgets.values import picture_address


class MistakesPanel:
    """The mistakes to choose from, and the newest that was made."""

    mistakes: MistakeView

    def build(self) -> None:
        """Make the component."""
        self.mistakes = MistakeView(_choosing(later, has_run=False), elem_id="mistake-view")

    @property
    def outputs(self) -> tuple[Block, ...]:
        """All that `render` may fill."""
        return (self.mistakes,)

    def view(self, visit: Visit) -> object:
        """The mistake at this moment, and whether another one can be made."""
        return experiment_key(visit.mistake), measured_run(visit) is not None

    def render(self, visit: Visit) -> Update:
        """The newest mistake as it is; without one, the choice."""
        say = visit.words.say
        choosing = _choosing(say, has_run=measured_run(visit) is not None)
        seen = visit.mistake
        if seen is None or not isinstance(seen.value, MistakeValue):  # or weights on their way
            return {self.mistakes: choosing}
        value = seen.value
        moment = replace(
            choosing,
            is_ready=True,
            run=value.name,
            is_running=not seen.is_over,
            progress=value.share_done,
            status=say(words.mistake_status(seen, value)),
            bars=_bars(value, say),
            curves=_curves(value, say),
            views=_views(value, say),
            answer=tuple(map(say, words.answer(value))) if seen.is_over else (),
        )
        return {self.mistakes: moment}

    def reads_guess(self) -> Reads[Guess]:
        """The mistake that was chosen, and what is foretold of it."""
        return Reads(
            (),
            lambda sent: Guess(
                mistake=event_text(sent.event, "name"), outcome=event_text(sent.event, "outcome")
            ),
        )


def _choosing(say: Say, *, has_run: bool) -> MistakeViewValue:
    return MistakeViewValue(
        intro=say(words.INVITATION if has_run else words.TRAIN_FIRST),
        is_ready=has_run,
        mistakes=tuple(
            MistakeChoice(name, say(each.title), say(each.what))
            for name, each in words.MISTAKE_WORDS.items()
        ),
        options=tuple(Option(name, say(words.OUTCOME_WORDS[name])) for name in OUTCOMES),
    )


def _bars(value: MistakeValue, say: Say) -> tuple[Bar, ...]:
    sides: list[tuple[Message, Side | None, bool]] = [
        (words.RIGHT, value.right, False),
        (words.WRONG, value.wrong, True),
        (words.HONEST, value.honest, True),
    ]
    bars = [
        Bar(say(label), side.accuracy, say(alone(percent(side.accuracy))), is_wrong)
        for label, side, is_wrong in sides
        if side is not None
    ]
    if value.train_accuracy is not None:
        figure = say(alone(percent(value.train_accuracy)))
        bars.append(Bar(say(words.LEARNED), value.train_accuracy, figure, True))
    return tuple(bars)


def _curves(value: MistakeValue, say: Say) -> tuple[Curve, ...]:
    if value.wrong is None or not value.wrong.accuracies:
        return ()
    return (
        Curve(say(words.RIGHT), value.right.accuracies),
        Curve(say(words.WRONG), value.wrong.accuracies),
    )


def _views(value: MistakeValue, say: Say) -> tuple[View, ...]:
    labels = (words.VIEW_RIGHT, words.VIEW_WRONG)
    return tuple(
        View(say(label), picture_address(view))
        for label, view in zip(labels, value.views, strict=False)
    )
