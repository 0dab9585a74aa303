"""Following a run on the page: one watcher a tab, woken by the job, at most four updates a second.

The job does not know who watches; closing the tab ends the watcher and nothing else.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import gradio as gr

from tlapp.ui import present, widget_values
from tlapp.ui.news import news
from tlapp.ui.panels import trying
from tlapp.ui.panels.data import shown_dataset
from tlapp.ui.session import Page
from tlapp.workspace import LiveRun


async def follow(page: Page, token: str) -> AsyncIterator[tuple[Any, ...]]:
    """The run that this visitor's page shows, until it is over.

    Yields run view, train button, stop button, predictions, results.
    """
    owner = page.owner_of(token)
    state = await asyncio.to_thread(page.workspace.visitor_state, owner)
    if state.run_id is None:
        yield await asyncio.to_thread(_idle, page, owner)
        return
    run_id = state.run_id
    answered_epoch = -1
    async with news(lambda wake: page.workspace.listen(run_id, wake)) as changes:
        async for _ in changes:
            live = await asyncio.to_thread(page.workspace.live, run_id, owner=owner)
            has_answers = live.classifier_epoch != answered_epoch or live.is_over
            answered_epoch = live.classifier_epoch
            answers = (
                await asyncio.to_thread(trying.show, page, owner) if has_answers else gr.skip()
            )
            yield _view(live, answers)
            if live.is_over:
                return


def _idle(page: Page, owner: str) -> tuple[Any, ...]:
    return (
        widget_values.no_run(has_pictures=shown_dataset(page, owner) is not None),
        gr.update(visible=True),
        gr.update(visible=False),
        trying.show(page, owner),
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
