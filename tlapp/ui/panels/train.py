"""The Train zone: choose a backbone, freeze it or not, train, and follow the run."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import gradio as gr

from tlapp.backbones.catalog import find_card
from tlapp.errors import BackboneError, DataError, RunError, ServerError
from tlapp.runs.live import LiveRun
from tlapp.training.config import TrainConfig
from tlapp.ui import text, widget_values
from tlapp.ui.asked import event_text
from tlapp.ui.handling import LATEST, QUIET, bind
from tlapp.ui.news import news
from tlapp.ui.panels import choosing, rate_finder, tuning
from tlapp.ui.panels.choices import remember
from tlapp.ui.panels.form import FormValues, build_form
from tlapp.ui.panels.shown_data import accept_pending, shown_dataset
from tlapp.ui.panels.train_panel import TrainPanel
from tlapp.ui.session import Page
from tlapp.ui.text.tuning import fine_tuned_name
from tlapp.ui.widgets.backbone_cards import BackboneCards
from tlapp.ui.widgets.ladder import Ladder
from tlapp.ui.widgets.run_view import RunView


def build(page: Page) -> TrainPanel:
    """The zone's components, without their events."""
    config = TrainConfig()
    cards = BackboneCards(widget_values.cards(page.workspace, config.backbone), elem_id="backbones")
    ladder = Ladder(widget_values.ladder(page.workspace, None, config), elem_id="ladder")
    with gr.Row(elem_classes="tl-buttons"):
        train = gr.Button(text.TRAIN_BUTTON, variant="primary", interactive=False, elem_id="train")
        stop = gr.Button(text.STOP_BUTTON, variant="stop", visible=False, elem_id="stop")
        go_on = gr.Button(text.GO_ON_BUTTON, visible=False, elem_id="go-on")
        fine_tune = gr.Button(text.FINE_TUNE_BUTTON, visible=False, elem_id="fine-tune")
    next_step = gr.HTML("", elem_id="next-step")
    run_view = RunView(widget_values.opening(), elem_id="run-view")
    with gr.Accordion(text.SETTINGS_HEADING, open=False, elem_id="settings"):
        form = build_form(page.settings.limits.epochs)
        rates = rate_finder.build()
        reset = gr.Button(text.RESET_SETTINGS_BUTTON, size="sm", elem_id="reset-settings")
    return TrainPanel(
        cards=cards,
        ladder=ladder,
        train=train,
        stop=stop,
        go_on=go_on,
        fine_tune=fine_tune,
        next_step=next_step,
        form=form,
        rates=rates,
        reset=reset,
        run_view=run_view,
    )


def connect(page: Page, panel: TrainPanel, token: gr.BrowserState) -> tuple[Any, tuple[Any, ...]]:
    """Give the components their events. Returns the one that chooses another backbone, and those
    after which the run is to be followed."""
    everything: set[gr.blocks.Block] = {token, panel.cards, *panel.settings()}
    chosen = panel.cards.choose(
        bind(choosing.choose_backbone, page, panel, token),
        everything,
        [panel.cards, *panel.settings()],
        **LATEST,
    )
    changed = [
        chosen,
        panel.ladder.lock(
            bind(choosing.change_locks, page, panel, token), everything, panel.settings(), **LATEST
        ),
        panel.ladder.choose(
            bind(choosing.choose_preset, page, panel), [token], panel.settings(), **LATEST
        ),
        panel.ladder.rate(
            bind(choosing.change_rate, page, panel, token), everything, panel.ladder, **LATEST
        ),
        panel.ladder.measure(
            bind(choosing.measure_epoch, page),
            [token],
            panel.ladder,
            **LATEST,
            concurrency_limit=None,
        ),
        panel.reset.click(
            bind(choosing.reset_form, page, panel), [token], panel.settings(), **QUIET
        ),
    ]
    panel.cards.fetch(
        bind(download, page),
        [token, panel.cards],
        panel.cards,
        concurrency_limit=None,
        trigger_mode="multiple",
        **QUIET,
    )
    changed += _connect_fields(page, panel, token, everything)
    panel.stop.click(bind(stop, page), [token], None, **QUIET)
    buttons, shown = panel.buttons(), [*panel.buttons(), panel.cards, *panel.settings()]
    started = tuple(
        button.click(bind(begin, page, panel, token), everything, outputs, **QUIET)
        for button, begin, outputs in (
            (panel.train, start, buttons),
            (panel.go_on, go_on, buttons),
            (panel.fine_tune, fine_tune, shown),
        )
    )
    for event in changed:
        tell_next_step(page, panel, token, event)
    return chosen, started


def _connect_fields(
    page: Page, panel: TrainPanel, token: gr.BrowserState, everything: set[gr.blocks.Block]
) -> list[Any]:
    """Give the fields their events; those that change the settings. `everything` is what is read."""
    change = bind(choosing.change_field, page, panel, token)
    changed = []
    for name, field in panel.form.named():
        changed.append(field.input(change, everything, panel.ladder, **LATEST))
        if isinstance(field, gr.Number):  # the others cannot be wrong
            told = bind(choosing.show_field_problem, page, panel, name, token)
            field.input(told, {token, field}, field, **LATEST)
    return changed


def tell_next_step(page: Page, panel: TrainPanel, token: gr.BrowserState, event: Any) -> None:
    """After this event, say again what can be begun, what Fine-tune would do and whether a found
    rate still fits."""
    event.then(
        bind(tuning.refresh, page),
        [token],
        panel.for_next_step(),
        **LATEST,
    )


def start(
    page: Page, panel: TrainPanel, token: gr.BrowserState, values: FormValues
) -> tuple[Any, ...]:
    """Put the training in the queue and swap the buttons; the page then follows it."""
    owner = page.owner_of(values[token])
    config = remember(page, owner, choosing.read(page, panel, owner, values))
    dataset = shown_dataset(page, owner)
    if dataset is None:
        raise DataError(text.NO_PICTURES, hint=text.BRING_PICTURES)
    run_id = page.workspace.trainings.start(owner, dataset, config)
    try:
        accept_pending(page, owner, dataset.dataset_id)  # a refused training changes nothing
        return _show_run(page, owner, run_id)
    except ServerError:  # the page cannot keep which run it shows, so nobody could stop it
        page.workspace.trainings.stop(run_id)
        raise


def go_on(
    page: Page, panel: TrainPanel, token: gr.BrowserState, values: FormValues
) -> tuple[Any, ...]:
    """Go on with the run on the page where it was stopped."""
    owner = page.owner_of(values[token])
    own = page.workspace.of(owner)
    record = own.run(_shown_run(page, owner))
    run_id = page.workspace.trainings.resume(record, own.dataset(record.dataset_id))
    return _show_run(page, owner, run_id)


def fine_tune(
    page: Page, panel: TrainPanel, token: gr.BrowserState, values: FormValues
) -> tuple[Any, ...]:
    """Go on from the head of the run on the page: with what the ladder opens, else the default.

    The ladder then shows what learns. Fills the buttons, the cards and the settings.
    """
    owner = page.owner_of(values[token])
    own = page.workspace.of(owner)
    record = own.run(_shown_run(page, owner))
    config, _ = tuning.tuning_config(choosing.read(page, panel, owner, values), record)
    name = fine_tuned_name(record.name)
    dataset = own.dataset(record.dataset_id)
    run_id = page.workspace.trainings.fine_tune(record, dataset, config, name=name)
    return (
        *_show_run(page, owner, run_id),
        widget_values.cards(page.workspace, config.backbone),
        *choosing.take_over(page, panel, owner, config),
    )


def _shown_run(page: Page, owner: str) -> str:
    run_id = page.workspace.of(owner).state().run_id
    if run_id is None:
        raise RunError(text.NO_RUN, hint=text.PRESS_TRAIN)
    return run_id


def _show_run(page: Page, owner: str, run_id: str) -> tuple[Any, ...]:
    """The page shows this run from now on; the buttons that stand for it."""
    page.workspace.visitors.change(owner, lambda state: replace(state, run_id=run_id))
    return button_updates(page.workspace.of(owner).live(run_id))


def button_updates(live: LiveRun | None) -> tuple[Any, ...]:
    """Which buttons are there for a run (None: there is none), as `TrainPanel.buttons`."""
    is_busy = live is not None and not live.is_over
    can_tune = live is not None and live.is_over and live.record.is_finished_head
    return (
        gr.update(visible=not is_busy),
        gr.update(visible=is_busy),
        gr.update(visible=live is not None and live.can_go_on),
        gr.update(visible=can_tune),
    )


async def download(
    page: Page, token: str, selected: str, event: gr.EventData
) -> AsyncIterator[Any]:
    """Bring a backbone's weights here, and show on its card how far it is."""
    page.owner_of(token)
    name = find_card(event_text(event, "name")).name
    await asyncio.to_thread(page.workspace.models.downloads.start, name)
    async with news(lambda wake: page.workspace.models.downloads.listen(name, wake)) as changes:
        async for _ in changes:
            state = await asyncio.to_thread(page.workspace.models.downloads.state, name)
            yield await asyncio.to_thread(widget_values.cards, page.workspace, selected)
            if state.state == "failed":
                raise BackboneError(state.message, hint=state.hint)
            if state.state not in ("waiting", "running"):
                return


def stop(page: Page, token: str) -> None:
    """Stop the run that the page shows; its best epoch is kept."""
    owner = page.owner_of(token)
    run_id = page.workspace.of(owner).state().run_id
    if run_id is not None:
        page.workspace.trainings.stop(page.workspace.of(owner).run(run_id).run_id)
