"""Fine-tune: what it would do with the run and the settings on the page, said before it is done."""

from dataclasses import replace
from typing import Any

import gradio as gr

from tlapp.data.dataset import Dataset
from tlapp.errors import TlappError
from tlapp.runs.record import RunRecord
from tlapp.training.config import TrainConfig, config_from_values
from tlapp.training.presets import fine_tuning_of
from tlapp.ui import present
from tlapp.ui.panels import choosing, rate_finder
from tlapp.ui.panels.choices import chosen_config
from tlapp.ui.session import Page
from tlapp.ui.text import tuning as words
from tlapp.workspace import TRAINING, check_same_pictures


def tuning_config(shown: TrainConfig, record: RunRecord) -> tuple[TrainConfig, words.Origin]:
    """The settings with which Fine-tune takes up this run, and where they come from: what is open
    on the page if that fits the run's network, else what follows a head by default.

    Raises TrainingError for a run of another version.
    """
    head = config_from_values(record.phases[0])
    usual = fine_tuning_of(head, train_count=record.train_count)
    if shown.is_head_alone:
        return usual, "default"
    if (shown.backbone, shown.pretrained) != (head.backbone, head.pretrained):
        return usual, "other network"
    return shown, "page"


def refresh(page: Page, token: str) -> tuple[Any, ...]:
    """What depends on the run and on the settings together: what Fine-tune would do, whether the
    rate that was found is for these settings, and whether something can be begun now; in the order
    of `TrainPanel.for_next_step`."""
    owner = page.owner_of(token)
    can_begin = gr.update(interactive=choosing.can_begin(page, owner))
    return (
        present.next_step(next_step(page, owner)),
        rate_finder.use_update(page, owner),
        *[can_begin] * 4,
    )


def next_step(page: Page, owner: str) -> str:
    """What can be done with the run on the page beside training anew, or what must be over first;
    "" for nothing."""
    under_way = page.workspace.trainings.under_way(owner)
    if under_way:
        return "" if under_way == TRAINING else words.under_way(under_way)
    run_id = page.workspace.of(owner).state().run_id
    if run_id is None:
        return ""
    live = page.workspace.of(owner).live(run_id)
    record = live.record
    if not live.is_over or record.best_epoch is None:
        return ""
    try:
        dataset = page.workspace.of(owner).dataset(record.dataset_id)
        check_same_pictures(record, dataset)
        said = [words.GO_ON] if live.can_go_on else []
        if record.is_finished_head:
            said.append(_offer(page, owner, record, dataset))
        elif record.phase_starts:
            said.append(words.FINE_TUNED)
            said += [words.HEAD_KEPT] if record.keeps_first_phase and record.continues else []
    except TlappError:  # the pictures are gone or changed, or its settings another version's
        return ""
    return " ".join(said)


def _offer(page: Page, owner: str, record: RunRecord, dataset: Dataset) -> str:
    config, origin = tuning_config(chosen_config(page, owner), record)
    alone = replace(config, head_epochs=0)
    counts = page.workspace.models.counts(dataset, alone)
    costs = page.workspace.models.costs(dataset, alone)
    return words.offer(config, origin, counts.trainable, costs.seconds)
