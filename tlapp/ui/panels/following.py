"""Following a run on the page: one watcher a tab, woken by the job, at most four updates a second.

The job does not know who watches; closing the tab ends the watcher and nothing else.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import gradio as gr

from tlapp.ui import present, widget_values
from tlapp.ui.panels import trying
from tlapp.ui.panels.data import shown_dataset
from tlapp.ui.session import Page
from tlapp.workspace import LiveRun

UPDATE_SECONDS = 0.25  # between updates of one page
SILENCE_SECONDS = 10.0  # without news the page is updated all the same (queue position, time left)


async def follow(page: Page, token: str) -> AsyncIterator[tuple[Any, ...]]:
    """The run that this visitor's page shows, until it is over.

    Yields run view, train button, stop button, predictions, results.
    """
    owner = page.owner_of(token)
    state = await asyncio.to_thread(page.workspace.visitor_state, owner)
    if state.run_id is None:
        yield _idle(await asyncio.to_thread(shown_dataset, page, owner) is not None)
        return
    news = asyncio.Event()
    loop = asyncio.get_running_loop()
    unsubscribe = page.workspace.listen(state.run_id, lambda: loop.call_soon_threadsafe(news.set))
    try:
        answered_epoch = -1
        while True:
            news.clear()
            live = await asyncio.to_thread(page.workspace.live, state.run_id, owner=owner)
            has_answers = live.classifier_epoch != answered_epoch or live.is_over
            answered_epoch = live.classifier_epoch
            answers = (
                await asyncio.to_thread(trying.show, page, owner) if has_answers else gr.skip()
            )
            yield _view(live, answers)
            if live.is_over:
                return
            await asyncio.sleep(UPDATE_SECONDS)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(news.wait(), SILENCE_SECONDS)
    finally:
        unsubscribe()


def _idle(has_pictures: bool) -> tuple[Any, ...]:
    return (
        widget_values.no_run(has_pictures=has_pictures),
        gr.update(visible=True),
        gr.update(visible=False),
        gr.skip(),
        present.no_results(),
    )


def _view(live: LiveRun, answers: Any) -> tuple[Any, ...]:
    return (
        widget_values.run(live),
        gr.update(visible=live.is_over),
        gr.update(visible=not live.is_over),
        answers,
        present.results(live.record) if live.is_over else gr.skip(),
    )
