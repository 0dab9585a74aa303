"""The freeze race: one press, five trainings, one plot, one sentence."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from tlapp.errors import DataError
from tlapp.experiments.race import race_result
from tlapp.runs.live import LiveRun
from tlapp.ui import text
from tlapp.ui.handling import QUIET, bind
from tlapp.ui.panels.choices import chosen_config
from tlapp.ui.panels.shown_data import accept_pending, shown_dataset
from tlapp.ui.session import Page
from tlapp.ui.text import racing
from tlapp.ui.widgets.race_view import RaceLane, RaceValue, RaceView


@dataclass(frozen=True, kw_only=True)
class RacePanel:
    """The components of the zone."""

    start: gr.Button
    stop: gr.Button
    view: RaceView

    def views(self) -> list[gr.components.Component]:
        """What `follow` fills, in its order."""
        return [self.view, self.start, self.stop]


def build() -> RacePanel:
    """The zone's components, without their events."""
    view = RaceView(RaceValue(status=racing.invitation(None, 0.0)), elem_id="race-view")
    with gr.Row(elem_classes="tl-buttons"):
        start = gr.Button(racing.START_BUTTON, interactive=False, elem_id="race-start")
        stop = gr.Button(racing.STOP_BUTTON, variant="stop", visible=False, elem_id="race-stop")
    return RacePanel(start=start, stop=stop, view=view)


def connect(page: Page, panel: RacePanel, token: gr.BrowserState) -> Any:
    """Give the components their events. Returns the one after which the race is to be followed."""
    panel.stop.click(bind(stop, page), [token], None, **QUIET)
    return panel.start.click(bind(start, page), [token], None, **QUIET)


def start(page: Page, token: str) -> None:
    """Put a race with the pictures and the backbone on the page in the queue."""
    owner = page.owner_of(token)
    dataset = shown_dataset(page, owner)
    if dataset is None:
        raise DataError(text.NO_PICTURES, hint=text.BRING_PICTURES)
    config = chosen_config(page, owner)
    page.workspace.experiments.start_race(owner, dataset, config.backbone, seed=config.seed)
    accept_pending(page, owner, dataset.dataset_id)  # a refused race changes nothing


def stop(page: Page, token: str) -> None:
    """Stop every lane of the race; their best epochs are kept."""
    for record in page.workspace.experiments.newest_race(page.owner_of(token)):
        page.workspace.trainings.stop(record.run_id)


async def follow(page: Page, token: str, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
    """The visitor's newest race, until it is over or the tab has a later watcher."""
    owner = page.owner_of(token)
    lives = await asyncio.to_thread(_lives, page, owner)
    running = next((live for live in lives if not live.is_over), None)
    if running is None:
        yield await asyncio.to_thread(show, page, owner)
        return
    run_ids = [live.record.run_id for live in lives]
    tab = "race", owner, request.session_hash
    listen = partial(page.workspace.trainings.listen, running.record.run_id)
    async with page.watchers.news(tab, listen) as changes:
        async for _ in changes:
            lives = [
                await asyncio.to_thread(page.workspace.of(owner).live, run_id) for run_id in run_ids
            ]
            yield await asyncio.to_thread(_view, lives)
            if all(live.is_over for live in lives):
                return


def show(page: Page, owner: str) -> tuple[Any, ...]:
    """The newest race as it is, or what a race would be; in the order of `RacePanel.views`."""
    lives = _lives(page, owner)
    dataset = shown_dataset(page, owner)
    if lives:
        return _view(lives, can_start=dataset is not None)
    seconds = None
    if dataset is not None:
        config = chosen_config(page, owner)
        seconds = page.workspace.experiments.estimate_race(dataset, config.backbone)
    return (
        RaceValue(status=racing.invitation(seconds, page.settings.limits.training_seconds)),
        gr.update(interactive=dataset is not None, visible=True),
        gr.update(visible=False),
    )


def refresh(page: Page, token: str) -> tuple[Any, ...]:
    """The zone as it is now."""
    return show(page, page.owner_of(token))


def _lives(page: Page, owner: str) -> list[LiveRun]:
    return [
        page.workspace.of(owner).live(record.run_id)
        for record in page.workspace.experiments.newest_race(owner)
    ]


def _view(lives: list[LiveRun], *, can_start: bool = True) -> tuple[Any, ...]:
    records = [live.record for live in lives]
    is_over = all(live.is_over for live in lives)
    result = race_result(records) if is_over else None
    return (
        RaceValue(
            status=racing.race_status(lives),
            lanes=tuple(_lane(live, is_winner=_wins(live, result)) for live in lives),
            verdict=racing.verdict(result, records) if result else (),
        ),
        gr.update(interactive=can_start, visible=is_over),
        gr.update(visible=not is_over),
    )


def _wins(live: LiveRun, result: Any) -> bool:
    return result is not None and result.winner == live.record.lane


def _lane(live: LiveRun, *, is_winner: bool) -> RaceLane:
    record = live.record
    return RaceLane(
        run=record.run_id,
        title=racing.lane_title(record),
        figure=racing.best_figure(record),
        note=racing.lane_note(live),
        accuracies=tuple(row.valid_accuracy for row in record.epochs),
        seconds=record.elapsed,
        best=record.best_epoch if record.is_over else None,
        is_winner=is_winner,
    )
