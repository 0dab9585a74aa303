"""Following a run on the page: one watcher a tab, woken by the job, at most four updates a second.

The job does not know who watches; closing the tab ends the watcher and nothing else. Every event
that may change what is to be followed begins a watcher; the tab's earlier one then ends.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import gradio as gr

from tlapp.runs.live import LiveRun
from tlapp.ui import present, widget_values
from tlapp.ui.panels import trying
from tlapp.ui.panels.shown_data import shown_dataset
from tlapp.ui.panels.train import button_updates
from tlapp.ui.session import Page
from tlapp.ui.widgets.ladder import Moved, moved_update


async def follow(page: Page, token: str, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
    """The run that this visitor's page shows, until it is over or the tab has a later watcher.

    Yields run view, the buttons, predictions, results, and how far the ladder's stages have moved.
    """
    owner = page.owner_of(token)
    state = await asyncio.to_thread(page.workspace.of(owner).state)
    if state.run_id is None:
        yield await asyncio.to_thread(_idle, page, owner)
        return
    run_id, answered_epoch = state.run_id, -1
    shown = await asyncio.to_thread(shown_dataset, page, owner)
    dataset_id = None if shown is None else shown.dataset_id
    tab = "run", owner, request.session_hash
    async with page.watchers.news(tab, partial(page.workspace.trainings.listen, run_id)) as changes:
        async for _ in changes:
            live = await asyncio.to_thread(page.workspace.of(owner).live, run_id)
            has_answers = live.classifier_epoch != answered_epoch or live.is_over
            answered_epoch = live.classifier_epoch
            answers = (
                await asyncio.to_thread(trying.show, page, owner) if has_answers else gr.skip()
            )
            yield await asyncio.to_thread(_view, page, live, dataset_id, answers)
            if live.is_over:
                return


def _idle(page: Page, owner: str) -> tuple[Any, ...]:
    return (
        widget_values.no_run(has_pictures=shown_dataset(page, owner) is not None),
        *button_updates(None),
        trying.show(page, owner),
        present.no_results(),
        moved_update(Moved()),
    )


def _view(page: Page, live: LiveRun, dataset_id: str | None, answers: Any) -> tuple[Any, ...]:
    return (
        widget_values.run(live, shown_dataset_id=dataset_id),
        *button_updates(live),
        answers,
        present.results(live.record) if live.is_over else present.pending_results(live.record),
        moved_update(widget_values.moved(page.workspace, live.record)),
    )
