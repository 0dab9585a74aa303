"""A visitor's newest experiment of one kind on the page: look at it, follow it, stop it."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

from tlapp.ui.session import Page
from tlapp.ui.watchers import Tab
from tlapp.workspace import Experiment


def newest_experiment(page: Page, owner: str, kind: str) -> Experiment | None:
    """The experiment at this moment; None: there is none."""
    return page.workspace.experiments.newest(owner, kind)


async def follow_experiment(page: Page, tab: Tab) -> AsyncGenerator[Experiment | None, None]:
    """The newest experiment of the tab's kind and visitor, again at every change, until it is over.

    Ends early when a later watcher begins for the tab.
    """
    kind, owner, _ = tab
    seen = newest_experiment(page, owner, kind)
    if seen is None or seen.is_over:
        yield seen
        return
    experiments, experiment_id = page.workspace.experiments, seen.experiment_id
    async with page.watchers.news(tab, partial(experiments.listen, experiment_id)) as changes:
        async for _ in changes:
            seen = await asyncio.to_thread(experiments.look, experiment_id)
            yield seen
            if seen.is_over:
                return


def stop_experiment(page: Page, owner: str, kind: str) -> None:
    """Stop the newest experiment of this kind, if there is one."""
    newest = page.workspace.experiments.newest(owner, kind)
    if newest is not None:
        page.workspace.experiments.stop(newest.experiment_id)
