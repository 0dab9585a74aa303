"""The Try zone: drop pictures, see what the network says; before any training, what ImageNet says."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from tlapp.data.samples import sample_test_pictures
from tlapp.errors import BackboneError, RunError
from tlapp.ui import widget_values
from tlapp.ui.door.lines import TRIED
from tlapp.ui.handling import QUIET, bind
from tlapp.ui.panels.choices import chosen_config
from tlapp.ui.session import Page
from tlapp.ui.text import trying as words
from tlapp.ui.uploads import take_pictures
from tlapp.ui.widgets.picture_drop import PictureDrop, PictureUpload
from tlapp.ui.widgets.predictions import Predictions


@dataclass(frozen=True, kw_only=True)
class TryPanel:
    """The components of the zone."""

    drop: PictureDrop
    samples: gr.Button
    predictions: Predictions


def build(page: Page) -> TryPanel:
    """The zone's components, without their events."""
    limits = page.settings.limits
    drop = PictureDrop(
        most=limits.try_images, image_bytes=limits.image_bytes, elem_id="picture-drop"
    )
    samples = gr.Button(words.TRY_SAMPLES_BUTTON, size="sm", elem_id="try-samples")
    predictions = Predictions(
        widget_values.no_predictions(words.NOTHING_TRIED), elem_id="predictions"
    )
    return TryPanel(drop=drop, samples=samples, predictions=predictions)


def connect(page: Page, panel: TryPanel, token: gr.BrowserState) -> None:
    """Give the components their events."""
    panel.drop.upload(
        bind(try_uploads, page),
        [token, panel.drop],
        panel.predictions,
        trigger_mode="multiple",
        **TRIED,
        **QUIET,
    )
    panel.samples.click(bind(try_samples, page), [token], panel.predictions, **TRIED, **QUIET)


def try_uploads(page: Page, token: str, uploads: Sequence[PictureUpload]) -> Any:
    """Say what the dropped pictures are, and remove the uploads."""
    owner = page.owner_of(token)
    return _try(
        page,
        owner,
        take_pictures([(each.name, Path(each.path)) for each in uploads], page.settings.limits),
    )


def try_samples(page: Page, token: str) -> Any:
    """Say what the sample test pictures are."""
    owner = page.owner_of(token)
    return _try(page, owner, [(path.name, path.read_bytes()) for path in sample_test_pictures()])


def _try(page: Page, owner: str, raw: Sequence[tuple[str, bytes]]) -> Any:
    tried = page.workspace.visitors.prepare(raw)
    page.workspace.visitors.keep_test_pictures(owner, tried)
    return show(page, owner)


def refresh(page: Page, token: str) -> Any:
    """The answers as they are now."""
    return show(page, page.owner_of(token))


def show(page: Page, owner: str) -> Any:
    """The answers to the visitor's test pictures: the run's when it has any, else ImageNet's."""
    tried = page.workspace.visitors.test_pictures(owner)
    run_id = page.workspace.of(owner).state().run_id
    if tried is None:
        record = None if run_id is None else page.workspace.run(run_id)
        is_trained = record is not None and (record.best_epoch is not None or record.continues)
        return widget_values.no_predictions(
            words.NOTHING_TRIED_YET if is_trained else words.NOTHING_TRIED
        )
    if run_id is not None:
        try:
            live = page.workspace.of(owner).live(run_id)
            answers = page.workspace.visitors.answers(
                tried, page.workspace.trainings.classifier(run_id)
            )
            return widget_values.predictions(answers, words.answers_of(live))
        except RunError:
            pass  # no epoch is finished yet: the untouched network answers
    backbone_name = chosen_config(page, owner).backbone
    try:
        answers = page.workspace.visitors.imagenet_answers(
            tried, page.workspace.models.backbone(backbone_name)
        )
    except BackboneError:  # its weights are not here yet; whoever follows a run goes on
        return widget_values.no_predictions(words.NO_WEIGHTS_TO_ANSWER)
    return widget_values.predictions(answers, words.IMAGENET_ANSWERS)
