"""Choosing in the Train zone: backbone, locks, rates and fields, and at once what they mean."""

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from tlapp.backbones.catalog import find_card
from tlapp.errors import TrainingError
from tlapp.training.config import HEAD_ALONE, TrainConfig
from tlapp.training.freezing import freeze_from
from tlapp.training.presets import apply_preset, defaults, find_preset
from tlapp.ui import widget_values
from tlapp.ui.asked import event_text, event_value
from tlapp.ui.panels.choices import can_be_shown, chosen_config, remember
from tlapp.ui.panels.form import FormValues, check_field, field_values, read_form
from tlapp.ui.panels.shown_data import shown_dataset, train_count
from tlapp.ui.panels.train_panel import TrainPanel
from tlapp.ui.session import Page
from tlapp.ui.text.fields import empty_field
from tlapp.ui.widget_values import with_problem
from tlapp.ui.widgets.ladder import LadderValue, measured_update

WRONG_FIELD = "tl-wrong-field"  # a class of theme.css
MOST_WAITED_SECONDS = 600.0  # for a machine that nobody trains on; then nothing is measured
LOOK_SECONDS = 0.5


def show(page: Page, panel: TrainPanel, owner: str) -> tuple[Any, ...]:
    """Everything as it is for this visitor, in the order of `TrainPanel.views`."""
    config = chosen_config(page, owner)
    settings = _settings(page, panel, owner, config)
    while (newer := chosen_config(page, owner)) != config:  # something was pressed meanwhile
        config, settings = newer, _settings(page, panel, owner, newer)
    return (
        widget_values.cards(page.workspace, config.backbone),
        *settings,
        *_can_learn(page, owner),
    )


def show_for_pictures(page: Page, owner: str) -> tuple[Any, ...]:
    """What other pictures change, in the order of `TrainPanel.for_pictures`. Fields stay: somebody
    may be typing."""
    return _ladder(page, owner, chosen_config(page, owner)), *_can_learn(page, owner)


def _can_learn(page: Page, owner: str) -> tuple[Any, Any]:
    """Train and Find a learning rate, which can be pressed or not."""
    update = gr.update(interactive=can_begin(page, owner))
    return update, update


def can_begin(page: Page, owner: str) -> bool:
    """Whether there are pictures to learn from, and nothing of the owner's is under way."""
    return shown_dataset(page, owner) is not None and not page.workspace.trainings.under_way(owner)


def take_over(page: Page, panel: TrainPanel, owner: str, config: TrainConfig) -> tuple[Any, ...]:
    """Keep these settings; ladder and fields for them, in the order of `TrainPanel.settings`."""
    settings = _settings(page, panel, owner, config)
    remember(page, owner, config)
    return settings


def _settings(page: Page, panel: TrainPanel, owner: str, config: TrainConfig) -> tuple[Any, ...]:
    """Ladder and fields for this config, in the order of `TrainPanel.settings`."""
    fields = zip(panel.form.components(), field_values(panel.form, config), strict=True)
    return (
        _ladder(page, owner, config),
        *(gr.update(value=value, info=field.info, elem_classes=[]) for field, value in fields),
    )


def _ladder(page: Page, owner: str, config: TrainConfig) -> LadderValue:
    return widget_values.ladder(page.workspace, shown_dataset(page, owner), config)


def read(page: Page, panel: TrainPanel, owner: str, values: FormValues) -> TrainConfig:
    """What the page stands for. Rates of single stages are known to the visitor's settings alone."""
    stages = page.workspace.models.sketch(find_card(values[panel.cards]).name).stages
    locked = values[panel.ladder]
    return read_form(
        panel.form,
        values,
        backbone_name=values[panel.cards],
        freeze=freeze_from(stages, locked),
        limits=page.settings.limits,
        train_count=train_count(page, owner),
        stage_rates=tuple(
            (stage, rate)
            for stage, rate in chosen_config(page, owner).stage_rates
            if stage not in locked and any(stage == each.name for each in stages)
        ),
    )


def choose_backbone(
    page: Page, panel: TrainPanel, token: gr.BrowserState, values: FormValues
) -> tuple[Any, ...]:
    """Take another backbone for the next training, and for what Try says before it.

    Its stages are others: locks are taken over where they mean the same for every backbone.
    """
    owner = page.owner_of(values[token])
    card = find_card(values[panel.cards])
    config = replace(chosen_config(page, owner), backbone=card.name, stage_rates=())
    if not can_be_shown(page, config):  # it has no such stages
        config = TrainConfig(backbone=card.name, seed=config.seed)
    return (
        widget_values.cards(page.workspace, card.name),
        *take_over(page, panel, owner, config),
    )


def change_locks(
    page: Page, panel: TrainPanel, token: gr.BrowserState, values: FormValues
) -> tuple[Any, ...]:
    """Lock or open stages. Between the head alone and more, the fields take other defaults."""
    owner = page.owner_of(values[token])
    before = chosen_config(page, owner)
    stages = page.workspace.models.sketch(before.backbone).stages
    freeze = freeze_from(stages, values[panel.ladder])
    if before.is_head_alone == (freeze == HEAD_ALONE):
        config = read(page, panel, owner, values)
    else:
        config = defaults(
            freeze,
            backbone=before.backbone,
            pretrained=before.pretrained,
            seed=before.seed,
            train_count=train_count(page, owner),
        )
    return take_over(page, panel, owner, config)


def choose_preset(
    page: Page, panel: TrainPanel, token: str, event: gr.EventData
) -> tuple[Any, ...]:
    """Take one of the usual choices of what learns."""
    owner = page.owner_of(token)
    before = chosen_config(page, owner)
    preset = find_preset(event_text(event, "name"))
    if preset is None:
        return _settings(page, panel, owner, before)
    config = apply_preset(
        preset, backbone=before.backbone, seed=before.seed, train_count=train_count(page, owner)
    )
    return take_over(page, panel, owner, config)


def change_rate(
    page: Page,
    panel: TrainPanel,
    token: gr.BrowserState,
    values: FormValues,
    event: gr.EventData,
) -> LadderValue:
    """Let one stage learn at a rate of its own; none: at the one that the fields give it."""
    owner = page.owner_of(values[token])
    stage, rate = event_text(event, "stage"), event_value(event, "rate")
    try:
        config = read(page, panel, owner, values)
        others = tuple(each for each in config.stage_rates if each[0] != stage)
        rates = others if rate is None else (*others, (stage, rate))
        return _kept_ladder(page, owner, replace(config, stage_rates=rates))
    except TrainingError as error:
        return with_problem(_ladder(page, owner, chosen_config(page, owner)), error)


def _kept_ladder(page: Page, owner: str, config: TrainConfig) -> LadderValue:
    """The ladder for these settings, which are kept if they can be drawn."""
    ladder = _ladder(page, owner, config)
    remember(page, owner, config)
    return ladder


async def measure_epoch(page: Page, token: str) -> Any:
    """Find out how long an epoch takes with what is chosen, as soon as nobody trains."""
    owner = page.owner_of(token)
    config = await asyncio.to_thread(chosen_config, page, owner)
    dataset = await asyncio.to_thread(shown_dataset, page, owner)
    if dataset is None or not page.workspace.models.can_measure(config):
        return gr.skip()

    def is_wanted() -> bool:
        return chosen_config(page, owner) == config

    end = time.monotonic() + MOST_WAITED_SECONDS
    measure = partial(page.workspace.models.measure_epoch, dataset, config, is_wanted=is_wanted)
    while await asyncio.to_thread(is_wanted) and not await asyncio.to_thread(measure):
        if time.monotonic() > end:
            return gr.skip()
        await asyncio.sleep(LOOK_SECONDS)
    return measured_update(
        await asyncio.to_thread(_ladder, page, owner, config), of=widget_values.untried(config)
    )


def reset_form(page: Page, panel: TrainPanel, token: str) -> tuple[Any, ...]:
    """The defaults for the chosen backbone and what is chosen to learn."""
    owner = page.owner_of(token)
    before = chosen_config(page, owner)
    config = defaults(before.freeze, backbone=before.backbone, train_count=train_count(page, owner))
    return take_over(page, panel, owner, config)


def show_field_problem(
    page: Page, panel: TrainPanel, name: str, token: gr.BrowserState, values: FormValues
) -> Any:
    """At the field: why it cannot hold this value, or what it stands for while it is empty."""
    field = getattr(panel.form, name)
    try:
        check_field(name, values[field], page.settings.limits)
    except TrainingError as error:
        return gr.update(info=f"{error} {error.hint}", elem_classes=WRONG_FIELD)
    if values[field] is not None:
        return gr.update(info=field.info, elem_classes=[])
    owner = page.owner_of(values[token])
    config = chosen_config(page, owner)
    usual = defaults(config.freeze, backbone=config.backbone, train_count=train_count(page, owner))
    return gr.update(info=empty_field(getattr(usual, name)), elem_classes=[])


def change_field(
    page: Page, panel: TrainPanel, token: gr.BrowserState, values: FormValues
) -> LadderValue:
    """Say what the fields mean as they are, or at once why they cannot work."""
    owner = page.owner_of(values[token])
    try:
        return _kept_ladder(page, owner, read(page, panel, owner, values))
    except TrainingError as error:
        return with_problem(_ladder(page, owner, chosen_config(page, owner)), error)
