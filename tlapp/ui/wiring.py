"""Which event of the page leads to what: the zones told of each other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from tlapp.ui import present, widget_values
from tlapp.ui.door.lines import OPEN_LINE, OPENED_AT_ONCE, TRIED
from tlapp.ui.handling import FOLLOWING, QUIET, bind
from tlapp.ui.panels import (
    choosing,
    comparing,
    data,
    following,
    mistakes,
    racing,
    rate_finder,
    train,
    trying,
)
from tlapp.ui.panels.comparing import ComparePanel
from tlapp.ui.panels.data import DataPanel
from tlapp.ui.panels.racing import RacePanel
from tlapp.ui.panels.train_panel import TrainPanel
from tlapp.ui.panels.trying import TryPanel
from tlapp.ui.session import Page
from tlapp.ui.widgets.mistake_view import MistakeView
from tlapp.workspace import is_token, new_visitor

PAGE_IS_OPEN = "() => { document.documentElement.classList.add('tl-open'); }"  # see theme.css


@dataclass(frozen=True, kw_only=True)
class Zones:
    """The components of the page that events fill."""

    token: gr.BrowserState
    damages: gr.HTML  # what of the home folder cannot be read
    data: DataPanel
    train: TrainPanel
    trying: TryPanel
    results: gr.HTML
    compare: ComparePanel
    race: RacePanel
    mistakes: MistakeView
    attention: gr.HTML  # says when the tab comes into sight again

    def of_the_run(self) -> list[gr.components.Component]:
        """What follows the run on the page, in the order of `following.follow`."""
        return [
            self.train.run_view,
            *self.train.buttons(),
            self.trying.predictions,
            self.results,
            self.train.ladder,
        ]


@dataclass(frozen=True, eq=False)
class _Follow:
    """Follows what an event, or another tab of the visitor, may have begun."""

    page: Page
    zones: Zones

    def run_after(self, event: Any) -> None:
        followed = self._follow(event, following.follow, self.zones.of_the_run())
        self._list_runs_after(followed)
        token = [self.zones.token]
        followed.then(bind(mistakes.refresh, self.page), token, self.zones.mistakes, **QUIET)
        self.tell_next_step_after(event)

    def race_after(self, event: Any) -> None:
        self._list_runs_after(self._follow(event, racing.follow, self.zones.race.views()))

    def mistake_after(self, event: Any) -> None:
        self._follow(event, mistakes.follow, self.zones.mistakes)

    def rates_after(self, event: Any) -> None:
        self._follow(event, rate_finder.follow, self.zones.train.rates.views())

    def everything_after(self, event: Any) -> None:
        for follow in (self.run_after, self.race_after, self.mistake_after, self.rates_after):
            follow(event)

    def _follow(self, event: Any, handler: Callable[..., Any], outputs: Any) -> Any:
        followed = event.then(bind(handler, self.page), [self.zones.token], outputs, **FOLLOWING)
        self.tell_next_step_after(followed)
        return followed

    def tell_next_step_after(self, event: Any) -> None:
        train.tell_next_step(self.page, self.zones.train, self.zones.token, event)

    def _list_runs_after(self, event: Any) -> None:
        token, runs = [self.zones.token], self.zones.compare.runs
        event.then(bind(comparing.refresh, self.page), token, runs, **QUIET)


def connect(page: Page, zones: Zones, blocks: gr.Blocks) -> None:
    """Give every component its events."""
    token = zones.token
    show_data_again = bind(show_data, page), [token], zones.data.views()
    show_training_again = bind(show_training, page, zones.train), [token], zones.train.views()
    show_race_again = bind(racing.refresh, page), [token], zones.race.views()
    follow = _Follow(page, zones)
    search_started = rate_finder.connect(page, zones.train, token)
    follow.rates_after(search_started)
    follow.tell_next_step_after(search_started)
    trying.connect(page, zones.trying, token)
    race_started = racing.connect(page, zones.race, token)
    follow.race_after(race_started)
    follow.run_after(race_started.then(*show_data_again, **QUIET))
    mistake_started = mistakes.connect(page, zones.mistakes, token)
    follow.mistake_after(mistake_started)
    follow.tell_next_step_after(mistake_started)
    chosen, starting = train.connect(page, zones.train, token)
    chosen.then(bind(trying.refresh, page), [token], zones.trying.predictions, **TRIED, **QUIET)
    for started in starting:
        follow.run_after(started)
        started.then(*show_data_again, **QUIET)
    show_ladder_again = bind(show_ladder, page), [token], zones.train.for_pictures()
    for change in data.connect(page, zones.data, token):
        follow.run_after(change.then(*show_ladder_again, **QUIET))
        change.then(*show_race_again, **QUIET)
    other_run_shown, adopted = comparing.connect(page, zones.compare, token)
    for event in other_run_shown:
        follow.run_after(event)
    shown = adopted.then(*show_training_again, **QUIET)
    train.tell_next_step(page, zones.train, token, shown)
    opened = blocks.load(
        bind(open_page, page, zones.train),
        [token],
        [token, zones.damages, *zones.data.views(), *zones.train.views()],
        concurrency_id=OPEN_LINE,
        concurrency_limit=OPENED_AT_ONCE,
        **QUIET,
    )
    opened.failure(widget_values.not_opened, None, zones.train.run_view, **QUIET)
    follow.everything_after(opened.success(None, js=PAGE_IS_OPEN, api_visibility="private"))
    follow.everything_after(zones.attention.seen(*show_data_again, **QUIET))


def open_page(page: Page, train_panel: TrainPanel, token: str) -> tuple[Any, ...]:
    """Everything as this visitor left it; a visitor without a token gets one."""
    if not is_token(token):
        token = new_visitor()
    owner = page.owner_of(token)
    page.workspace.janitor.touch(owner)
    damages = present.damages(page.workspace, owner)
    return token, damages, *data.show(page, owner), *choosing.show(page, train_panel, owner)


def show_data(page: Page, token: str) -> tuple[Any, ...]:
    """The Data zone after Train has accepted what was shown there."""
    return data.show(page, page.owner_of(token))


def show_ladder(page: Page, token: str) -> tuple[Any, ...]:
    """The ladder after the data set has changed."""
    return choosing.show_for_pictures(page, page.owner_of(token))


def show_training(page: Page, train_panel: TrainPanel, token: str) -> tuple[Any, ...]:
    """Cards, ladder and fields after the settings of a run were taken over."""
    return choosing.show(page, train_panel, page.owner_of(token))
