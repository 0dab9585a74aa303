"""The public endpoints, for `gradio_client` and curl: data set, training, run, stop, predict.

Every endpoint answers JSON. An id is a capability: whoever knows it may use it, and nobody can
guess it. Built from hidden components, because Gradio checks the paths of uploaded files there; any
other value comes as it was sent, and is refused here, in words, before anything is computed.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from tlapp.backbones.catalog import DEFAULT_BACKBONE, find_card
from tlapp.bounds import FREEZE_CHARACTERS, PHASES_CHARACTERS
from tlapp.data.dataset import ImportFinished
from tlapp.errors import DataError
from tlapp.experiments.race import LANES
from tlapp.messages import Words, words
from tlapp.settings import Limits
from tlapp.training.config import TrainConfig, config_from_values
from tlapp.training.presets import asked_phases, defaults
from tlapp.ui import present, text
from tlapp.ui.asked import (
    asked_flag,
    asked_id,
    asked_seed,
    asked_settings,
    asked_text,
    asked_whole,
)
from tlapp.ui.door.lines import TRIED
from tlapp.ui.handling import bind
from tlapp.ui.languages import language_of
from tlapp.ui.page import Page
from tlapp.ui.uploads import read_pictures
from tlapp.ui.widgets.any_json import AnyJson
from tlapp.workspace import check_epochs, check_epochs_setting

_FIELDS = frozenset(field.name for field in fields(TrainConfig))
_COUNTS = {field.name for field in fields(TrainConfig) if field.type is int}
_BESIDES = frozenset(("phases", "scratch"))  # settings of `/train_with` that no record has
_TEXT, _NUMBER = {"type": "string"}, {"type": "number"}
_OBJECT = {"type": {}, "description": "any valid json"}


def build_api(page: Page) -> None:
    """Add the endpoints to the Blocks under construction."""
    with gr.Row(visible=False):
        archive = gr.File(label="zip", type="filepath")
        pictures = gr.File(label="pictures", type="filepath", file_count="multiple")
        dataset_id = AnyJson(schema=_TEXT, label="dataset_id")
        run_id = AnyJson(schema=_TEXT, label="run_id")
        experiment_id = AnyJson(schema=_TEXT, label="experiment_id")
        backbone = AnyJson(DEFAULT_BACKBONE, schema=_TEXT, label="backbone")
        freeze = AnyJson("head", schema=_TEXT, label="freeze")
        epochs = AnyJson(schema=_NUMBER, label="epochs")
        learning_rate = AnyJson(schema=_NUMBER, label="learning_rate")
        seed = AnyJson(0, schema=_NUMBER, label="seed")
        settings = AnyJson(schema=_OBJECT, label="settings")
        answer = gr.JSON(label="answer")
        trigger = gr.Button()
    imports: dict[str, Any] = {"concurrency_limit": 4, "concurrency_id": "import"}

    def offer(handler: Callable[..., Any], inputs: Sequence[Component], **options: Any) -> None:
        trigger.click(
            bind(handler, page),
            inputs,
            answer,
            api_name=handler.__name__,
            show_progress="hidden",
            **options,
        )

    offer(create_dataset, [archive], **imports)
    offer(train, [dataset_id, backbone, freeze, epochs, learning_rate, seed])
    offer(train_with, [dataset_id, settings])
    offer(race, [dataset_id, backbone, seed])
    offer(lr_find, [dataset_id, backbone, freeze])
    offer(experiment, [experiment_id])
    offer(run, [run_id])
    offer(stop, [run_id])
    offer(predict, [run_id, pictures], **TRIED)


def create_dataset(page: Page, archive: str | None, request: gr.Request) -> dict[str, Any]:
    """Import a zip of class folders: `{"dataset_id", "classes", "findings", "skipped", "removed"}`.

    What a program brings is one owner's (`Page.program_owner`), within the limits of a visitor;
    "removed" are the ids of the owner's oldest data sets, which have made room.
    """
    if archive is None:
        raise DataError(text.NO_ZIP, hint=text.SEND_ZIP)
    path = Path(archive)  # not ours to remove: another client may have sent the same zip
    owner = page.program_owner(request)
    before = page.workspace.of(owner).datasets()
    for event in page.workspace.library.import_archive(
        owner, path, name=path.name, should_stop=lambda: False
    ):
        if isinstance(event, ImportFinished):
            dataset = event.dataset
    kept = {each.dataset_id for each in page.workspace.of(owner).datasets()}
    removed = [each.dataset_id for each in before if each.dataset_id not in kept]
    return {
        **present.dataset_json(dataset, page.workspace.library.findings(dataset), _words(request)),
        "removed": removed,
    }


def train(
    page: Page,
    dataset_id: Any,
    backbone: Any = DEFAULT_BACKBONE,
    freeze: Any = "head",
    epochs: Any = None,
    learning_rate: Any = None,
    seed: Any = 0,
) -> dict[str, Any]:
    """Put a training in the queue: `{"run_id"}`. Empty epochs or rate mean the default."""
    settings = {
        "backbone": backbone,
        "freeze": freeze,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "seed": seed,
    }
    given = {name: value for name, value in settings.items() if value is not None}
    return train_with(page, dataset_id, given)


def train_with(page: Page, dataset_id: Any, settings: Any = None) -> dict[str, Any]:
    """Put a training with these settings in the queue: `{"run_id"}`.

    Each goes by its name in the record; besides, "phases" ("head:20,fine:5": one after the other,
    each with its own epochs) and "scratch" (begin with random weights).
    """
    named = asked_id("dataset_id", dataset_id)
    wish = wished_phases(settings, page.settings.limits)
    dataset = page.workspace.dataset(named)
    return {"run_id": page.workspace.trainings.start(dataset.owner, dataset, *wish)}


def wished_phases(settings: Any, limits: Limits) -> tuple[TrainConfig, ...]:
    """The phases that the settings of `/train_with` stand for. Raises TrainingError, BackboneError;
    looks at no data set."""
    given = asked_settings(settings, _FIELDS | _BESIDES)
    phases = asked_text("phases", given.pop("phases", None), usual="", most=PHASES_CHARACTERS)
    is_from_scratch = asked_flag("scratch", given.pop("scratch", None), usual=False)
    values = {
        name: asked_whole(value) if name in _COUNTS else value for name, value in given.items()
    }
    for name in ("epochs", "head_epochs"):
        if values.get(name) is not None:
            check_epochs_setting(name, values[name], limits)
    if is_from_scratch:
        values["pretrained"] = False
    config = config_from_values(values)
    find_card(config.backbone)
    wish = asked_phases(config, phases, most_epochs=limits.epochs)
    check_epochs(sum(phase.epochs for phase in wish), limits)
    return wish


def race(
    page: Page, dataset_id: Any, backbone: Any = DEFAULT_BACKBONE, seed: Any = 0
) -> dict[str, Any]:
    """Train in five ways, side by side: `{"run_ids": {lane: run_id}}`; `/run` follows each."""
    named = asked_id("dataset_id", dataset_id)
    card = find_card(asked_text("backbone", backbone, usual=DEFAULT_BACKBONE))
    whole_seed = asked_seed(seed)
    dataset = page.workspace.dataset(named)
    run_ids = page.workspace.experiments.start_race(
        dataset.owner, dataset, card.name, seed=whole_seed
    )
    return {"run_ids": dict(zip(LANES, run_ids, strict=True))}


def lr_find(
    page: Page, dataset_id: Any, backbone: Any = DEFAULT_BACKBONE, freeze: Any = "head"
) -> dict[str, Any]:
    """Search for a learning rate: `{"experiment_id"}`; `/experiment` follows it."""
    named = asked_id("dataset_id", dataset_id)
    card = find_card(asked_text("backbone", backbone, usual=DEFAULT_BACKBONE))
    what = asked_text("freeze", freeze, usual="head", most=FREEZE_CHARACTERS)
    config = defaults(what, backbone=card.name)
    dataset = page.workspace.dataset(named)
    return {
        "experiment_id": page.workspace.experiments.start_rate_finder(
            dataset.owner, dataset, config
        )
    }


def experiment(page: Page, experiment_id: Any, request: gr.Request) -> dict[str, Any]:
    """Where an experiment is, and the newest of what it has found: `{"state", "value"}`."""
    named = asked_id("experiment_id", experiment_id)
    return present.experiment_json(page.workspace.experiments.look(named), _words(request))


def run(page: Page, run_id: Any, request: gr.Request) -> dict[str, Any]:
    """Where a run is: `{"state", "record"}`."""
    return present.run_json(page.workspace.live(asked_id("run_id", run_id)), _words(request))


def stop(page: Page, run_id: Any, request: gr.Request) -> dict[str, Any]:
    """Ask a run to stop; its best epoch is kept: `{"state", "record"}` at this moment."""
    page.workspace.trainings.stop(page.workspace.run(asked_id("run_id", run_id)).run_id)
    return run(page, run_id, request)


def predict(
    page: Page, run_id: Any, pictures: Sequence[str] | None, request: gr.Request
) -> list[dict[str, Any]]:
    """What the run's classifier says: `[{"file", "classes": [{"name", "probability"}, ...]}]`."""
    named = asked_id("run_id", run_id)
    page.workspace.run(named)
    if not pictures:
        raise DataError(text.NO_TEST_PICTURES, hint=text.SEND_TEST_PICTURES)
    paths = [Path(picture) for picture in pictures]
    raw = read_pictures([(path.name, path) for path in paths], page.settings.limits)
    return present.answers_json(
        page.workspace.visitors.answers(
            page.workspace.visitors.prepare(raw), page.workspace.trainings.classifier(named)
        ),
        _words(request),
    )


def _words(request: gr.Request) -> Words:
    """Those of whoever asks."""
    return words(language_of(request))
