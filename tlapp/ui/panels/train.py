"""The Train zone: choose a backbone, freeze it or not, train, and follow the run."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from tlapp.backbones.catalog import find_card
from tlapp.errors import BackboneError, DataError
from tlapp.training.config import TrainConfig
from tlapp.ui import text, widget_values
from tlapp.ui.handling import QUIET, bind
from tlapp.ui.news import news
from tlapp.ui.panels.form import (
    FormValues,
    TrainForm,
    build_form,
    defaults_of,
    freeze_of,
    read_form,
)
from tlapp.ui.panels.shown_data import accept_pending, shown_dataset
from tlapp.ui.session import Page
from tlapp.ui.widgets.backbone_cards import BackboneCards
from tlapp.ui.widgets.ladder import Ladder
from tlapp.ui.widgets.run_view import RunView


@dataclass(frozen=True, kw_only=True)
class TrainPanel:
    """The components of the zone."""

    cards: BackboneCards
    ladder: Ladder
    train: gr.Button
    stop: gr.Button
    form: TrainForm
    reset: gr.Button
    run_view: RunView

    def views(self) -> list[gr.components.Component]:
        """What `show` fills, in its order."""
        return [self.cards, self.ladder]


def build(page: Page) -> TrainPanel:
    """The zone's components, without their events."""
    cards = BackboneCards(elem_id="backbones")
    ladder = Ladder(elem_id="ladder")
    with gr.Row(elem_classes="tl-buttons"):
        train = gr.Button(text.TRAIN_BUTTON, variant="primary", elem_id="train")
        stop = gr.Button(text.STOP_BUTTON, variant="stop", visible=False, elem_id="stop")
    run_view = RunView(widget_values.no_run(has_pictures=False), elem_id="run-view")
    with gr.Accordion(text.SETTINGS_HEADING, open=False, elem_id="settings"):
        form = build_form()
        reset = gr.Button(text.RESET_SETTINGS_BUTTON, size="sm", elem_id="reset-settings")
    return TrainPanel(
        cards=cards,
        ladder=ladder,
        train=train,
        stop=stop,
        form=form,
        reset=reset,
        run_view=run_view,
    )


def connect(page: Page, panel: TrainPanel, token: gr.BrowserState) -> Any:
    """Give the components their events. Returns the event after which the run is to be followed."""
    fields = list(panel.form.components())
    everything: set[gr.blocks.Block] = {token, panel.cards, panel.ladder, *fields}
    panel.cards.choose(
        bind(choose_backbone, page, panel, token),
        everything,
        panel.views(),
        trigger_mode="always_last",
        **QUIET,
    )
    panel.ladder.toggle(
        bind(toggle_freeze, page, panel, token),
        everything,
        [panel.ladder, *fields],
        trigger_mode="always_last",
        **QUIET,
    )
    panel.cards.fetch(
        bind(download, page),
        [token, panel.cards],
        panel.cards,
        concurrency_limit=None,
        trigger_mode="multiple",
        **QUIET,
    )
    panel.reset.click(bind(reset_form, panel), [panel.ladder], fields, **QUIET)
    for field in (panel.form.epochs, panel.form.pretrained, panel.form.augmented_views):
        field.change(
            bind(estimate_again, page, panel, token),
            everything,
            panel.ladder,
            trigger_mode="always_last",
            **QUIET,
        )
    panel.stop.click(bind(stop, page), [token], None, **QUIET)
    return panel.train.click(
        bind(start, page, panel, token), everything, [panel.train, panel.stop], **QUIET
    )


def show(page: Page, owner: str) -> tuple[Any, ...]:
    """Cards and ladder as they are for this visitor, in the order of `TrainPanel.views`."""
    visit = page.visits.get(owner)
    config = TrainConfig(backbone=visit.backbone_name, freeze=freeze_of(visit.is_frozen))
    return (
        widget_values.cards(page.workspace, visit.backbone_name),
        widget_values.ladder(page.workspace, shown_dataset(page, owner), config),
    )


def _read(panel: TrainPanel, values: FormValues) -> TrainConfig:
    return read_form(
        panel.form,
        values,
        backbone_name=values[panel.cards],
        is_frozen=values[panel.ladder],
    )


def choose_backbone(
    page: Page, panel: TrainPanel, token: gr.BrowserState, values: FormValues
) -> tuple[Any, ...]:
    """Take another backbone for the next training, and for what Try says before it."""
    owner = page.owner_of(values[token])
    card = find_card(values[panel.cards])
    page.visits.change(owner, lambda visit: replace(visit, backbone_name=card.name))
    return (
        widget_values.cards(page.workspace, card.name),
        widget_values.ladder(page.workspace, shown_dataset(page, owner), _read(panel, values)),
    )


def toggle_freeze(
    page: Page, panel: TrainPanel, token: gr.BrowserState, values: FormValues
) -> tuple[Any, ...]:
    """Freeze the backbone or open it; the fields take the defaults of that choice."""
    owner = page.owner_of(values[token])
    is_frozen = values[panel.ladder]
    page.visits.change(owner, lambda visit: replace(visit, is_frozen=is_frozen))
    config = TrainConfig(backbone=values[panel.cards], freeze=freeze_of(is_frozen))
    return (
        widget_values.ladder(page.workspace, shown_dataset(page, owner), config),
        *defaults_of(panel.form, is_frozen=is_frozen),
    )


def reset_form(panel: TrainPanel, is_frozen: bool) -> tuple[Any, ...]:
    """The defaults for the chosen freezing."""
    return defaults_of(panel.form, is_frozen=is_frozen)


def estimate_again(
    page: Page, panel: TrainPanel, token: gr.BrowserState, values: FormValues
) -> Any:
    """Say how long it would take with the fields as they are."""
    owner = page.owner_of(values[token])
    return widget_values.ladder(page.workspace, shown_dataset(page, owner), _read(panel, values))


def start(
    page: Page, panel: TrainPanel, token: gr.BrowserState, values: FormValues
) -> tuple[Any, ...]:
    """Put the training in the queue and swap the buttons; the page then follows it."""
    owner = page.owner_of(values[token])
    config = _read(panel, values)
    dataset = shown_dataset(page, owner)
    if dataset is None:
        raise DataError(text.NO_PICTURES, hint=text.BRING_PICTURES)
    run_id = page.workspace.start_training(owner, dataset.dataset_id, config)
    accept_pending(page, owner)  # after it: a refused training changes nothing
    state = page.workspace.visitor_state(owner)
    page.workspace.save_visitor_state(owner, replace(state, run_id=run_id))
    return gr.update(visible=False), gr.update(visible=True)


async def download(
    page: Page, token: str, selected: str, event: gr.EventData
) -> AsyncIterator[Any]:
    """Bring a backbone's weights here, and show on its card how far it is."""
    page.owner_of(token)
    name = find_card(str(event.name)).name
    await asyncio.to_thread(page.workspace.download, name)
    async with news(lambda wake: page.workspace.listen_download(name, wake)) as changes:
        async for _ in changes:
            state = await asyncio.to_thread(page.workspace.download_state, name)
            yield await asyncio.to_thread(widget_values.cards, page.workspace, selected)
            if state.state == "failed":
                raise BackboneError(state.message, hint=state.hint)
            if state.state not in ("waiting", "running"):
                return


def stop(page: Page, token: str) -> None:
    """Stop the run that the page shows; its best epoch is kept."""
    owner = page.owner_of(token)
    run_id = page.workspace.visitor_state(owner).run_id
    if run_id is not None:
        page.workspace.stop(run_id, owner=owner)
