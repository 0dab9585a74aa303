"""Compare runs: every run that is kept, the curves of the chosen ones, and what to do with them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from tlapp.errors import RunError
from tlapp.runs.record import RunRecord
from tlapp.ui import run_values
from tlapp.ui.asked import event_text
from tlapp.ui.handling import QUIET, bind
from tlapp.ui.panels.choices import config_of, remember
from tlapp.ui.session import Page
from tlapp.ui.widgets.run_list import RunList, RunListValue

MOST_NAME_LENGTH = 120  # letters


@dataclass(frozen=True, kw_only=True)
class ComparePanel:
    """The components of the zone."""

    runs: RunList


def build(page: Page) -> ComparePanel:
    """The zone's components, without their events."""
    return ComparePanel(runs=RunList(run_values.no_runs(), elem_id="runs"))


def connect(page: Page, panel: ComparePanel, token: gr.BrowserState) -> tuple[tuple[Any, ...], Any]:
    """Give the components their events. Returns those that may show another run on the page (or
    none), and the one that takes over a run's settings."""
    change_list: tuple[tuple[Callable[..., Any], Callable[..., RunListValue]], ...] = (
        (panel.runs.rename, rename),
        (panel.runs.pin, pin),
        (panel.runs.unpin, unpin),
    )
    for event, handler in change_list:
        event(bind(handler, page), [token], panel.runs, trigger_mode="multiple", **QUIET)
    opened = panel.runs.open(bind(open_run, page), [token], panel.runs, **QUIET)
    removed = panel.runs.remove(bind(remove, page), [token], panel.runs, **QUIET)
    adopted = panel.runs.adopt(bind(adopt, page), [token], None, **QUIET)
    return (opened, removed), adopted


def show(page: Page, owner: str) -> RunListValue:
    """The visitor's runs that are over and have learned something, newest first."""
    records = [
        record for record in page.workspace.of(owner).runs() if record.is_over and record.epochs
    ]
    return run_values.run_list(records, page.workspace.of(owner).state().run_id)


def refresh(page: Page, token: str) -> RunListValue:
    """The list as it is now."""
    return show(page, page.owner_of(token))


def rename(page: Page, token: str, event: gr.EventData) -> RunListValue:
    """Give a run another name."""
    owner, record = _asked_for(page, token, event)
    name = event_text(event, "name").strip()
    if not 0 < len(name) <= MOST_NAME_LENGTH:
        raise RunError(
            f"A name has 1 to {MOST_NAME_LENGTH} letters; this one has {len(name)}.",
            hint="Choose another name.",
        )
    page.workspace.trainings.change(record.run_id, name=name)
    return show(page, owner)


def pin(page: Page, token: str, event: gr.EventData) -> RunListValue:
    """Keep a run when older ones make room."""
    owner, record = _asked_for(page, token, event)
    page.workspace.trainings.change(record.run_id, pinned=True)
    return show(page, owner)


def unpin(page: Page, token: str, event: gr.EventData) -> RunListValue:
    """Let a run make room again."""
    owner, record = _asked_for(page, token, event)
    page.workspace.trainings.change(record.run_id, pinned=False)
    return show(page, owner)


def remove(page: Page, token: str, event: gr.EventData) -> RunListValue:
    """Remove a run and its model. One that is pinned is let go of first."""
    owner, record = _asked_for(page, token, event)
    if record.is_pinned:
        raise RunError(f'"{record.name}" is kept.', hint="Let go of it first, then remove it.")
    page.workspace.trainings.delete(record.run_id)
    return show(page, owner)


def open_run(page: Page, token: str, event: gr.EventData) -> RunListValue:
    """Show a run on the page again: its curves, its result, and its answers in Try."""
    owner, record = _asked_for(page, token, event)
    shown = page.workspace.of(owner).state().run_id
    if shown is not None and not page.workspace.of(owner).run(shown).is_over:
        raise RunError(
            "The training on the page is not over yet.", hint="Wait for its end or stop it first."
        )
    page.workspace.visitors.change(owner, lambda state: replace(state, run_id=record.run_id))
    return show(page, owner)


def adopt(page: Page, token: str, event: gr.EventData) -> None:
    """Take over a run's settings for the next training."""
    owner, record = _asked_for(page, token, event)
    remember(page, owner, config_of(record))


def _asked_for(page: Page, token: str, event: gr.EventData) -> tuple[str, RunRecord]:
    """Who asks, and for which run. Raises NotFoundError for a run of somebody else."""
    owner = page.owner_of(token)
    return owner, page.workspace.of(owner).run(event_text(event, "run"))
