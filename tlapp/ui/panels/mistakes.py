"""The classic mistakes: a question, the mistake for real on a copy of a run, and why it ends so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import gradio as gr

from tlapp.errors import RunError, TlappError
from tlapp.experiments.bench import OUTCOMES, MistakeValue, Side
from tlapp.runs.record import RunRecord
from tlapp.ui import text
from tlapp.ui.asked import event_text
from tlapp.ui.handling import QUIET, bind
from tlapp.ui.panels.experiments import follow_experiment, newest_experiment, stop_experiment
from tlapp.ui.session import Page
from tlapp.ui.text import mistakes as words
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
from tlapp.workspace import MISTAKE, Experiment

CHOICES = tuple(
    MistakeChoice(name, each.title, each.what) for name, each in words.MISTAKE_WORDS.items()
)
OPTIONS = tuple(Option(name, words.OUTCOME_WORDS[name]) for name in OUTCOMES)


def build() -> MistakeView:
    """The zone's component, without its events."""
    return MistakeView(_choosing(has_run=False), elem_id="mistake-view")


def connect(page: Page, view: MistakeView, token: gr.BrowserState) -> Any:
    """Give the component its events. Returns the one after which the mistake is to be followed."""
    view.stop(bind(stop, page), [token], None, **QUIET)
    return view.guess(bind(start, page), [token], None, **QUIET)


def start(page: Page, token: str, event: gr.EventData) -> None:
    """Make a mistake on a copy of the run on the page."""
    owner = page.owner_of(token)
    record = _run_on_page(page, owner)
    if record is None:
        raise RunError(text.NO_RUN, hint=text.PRESS_TRAIN)
    dataset = page.workspace.of(owner).dataset(record.dataset_id)
    name, guess = event_text(event, "name"), event_text(event, "outcome")
    page.workspace.experiments.start_mistake(
        record, dataset, name, guess=guess if guess in OUTCOMES else ""
    )


def stop(page: Page, token: str) -> None:
    """Stop the visitor's mistake."""
    stop_experiment(page, page.owner_of(token), MISTAKE)


async def follow(page: Page, token: str, request: gr.Request) -> AsyncIterator[MistakeViewValue]:
    """The visitor's newest mistake, until it is over or the tab has a later watcher."""
    owner = page.owner_of(token)
    async with aclosing(follow_experiment(page, (MISTAKE, owner, request.session_hash))) as moments:
        async for seen in moments:
            yield await asyncio.to_thread(_moment, page, owner, seen)


def refresh(page: Page, token: str) -> MistakeViewValue:
    """The zone as it is now."""
    owner = page.owner_of(token)
    return _moment(page, owner, newest_experiment(page, owner, MISTAKE))


def _run_on_page(page: Page, owner: str) -> RunRecord | None:
    """The run on the page, if it is over and has a result."""
    run_id = page.workspace.of(owner).state().run_id
    if run_id is None:
        return None
    try:
        record = page.workspace.of(owner).run(run_id)
    except TlappError:  # it is gone
        return None
    return record if record.is_over and record.valid_correct is not None else None


def _choosing(*, has_run: bool) -> MistakeViewValue:
    return MistakeViewValue(
        intro=words.INVITATION if has_run else words.TRAIN_FIRST,
        is_ready=has_run,
        mistakes=CHOICES,
        options=OPTIONS,
    )


def _moment(page: Page, owner: str, seen: Experiment | None) -> MistakeViewValue:
    """A mistake as it is (None: there was none), and whether another one can be made."""
    choosing = _choosing(has_run=_run_on_page(page, owner) is not None)
    if seen is None or not isinstance(seen.value, MistakeValue):  # none; or weights on their way
        return choosing
    value = seen.value
    return replace(
        choosing,
        is_ready=True,
        run=value.name,
        is_running=not seen.is_over,
        progress=value.share_done,
        status=words.mistake_status(seen, value),
        bars=_bars(value),
        curves=_curves(value),
        views=_views(value),
        answer=words.answer(value) if seen.is_over else (),
    )


def _bars(value: MistakeValue) -> tuple[Bar, ...]:
    sides: list[tuple[str, Side | None, bool]] = [
        (words.RIGHT, value.right, False),
        (words.WRONG, value.wrong, True),
        (words.HONEST, value.honest, True),
    ]
    bars = [
        Bar(label, side.accuracy, text.percent(side.accuracy), is_wrong)
        for label, side, is_wrong in sides
        if side is not None
    ]
    if value.train_accuracy is not None:
        figure = text.percent(value.train_accuracy)
        bars.append(Bar(words.LEARNED, value.train_accuracy, figure, True))
    return tuple(bars)


def _curves(value: MistakeValue) -> tuple[Curve, ...]:
    if value.wrong is None or not value.wrong.accuracies:
        return ()
    return (
        Curve(words.RIGHT, value.right.accuracies),
        Curve(words.WRONG, value.wrong.accuracies),
    )


def _views(value: MistakeValue) -> tuple[View, ...]:
    labels = (words.VIEW_RIGHT, words.VIEW_WRONG)
    return tuple(
        View(label, picture_address(view)) for label, view in zip(labels, value.views, strict=False)
    )
