"""The public endpoints, for `gradio_client` and curl: data set, training, run, stop, predict.

Every endpoint answers JSON. An id is a capability: whoever knows it may use it, and nobody can
guess it. Built from hidden components, because Gradio checks the paths of uploaded files there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import gradio as gr
from gradio.components import Component

from tlapp.backbones.catalog import DEFAULT_BACKBONE
from tlapp.data.dataset import ImportFinished
from tlapp.errors import DataError, TrainingError
from tlapp.experiments.race import LANES
from tlapp.training.config import TrainConfig, config_from_values
from tlapp.training.presets import asked_phases, defaults
from tlapp.ui import present, text
from tlapp.ui.handling import bind
from tlapp.ui.session import Page
from tlapp.ui.uploads import read_pictures
from tlapp.workspace import new_visitor, owner_of

_COUNTS = {field.name for field in fields(TrainConfig) if field.type is int}


def build_api(page: Page) -> None:
    """Add the endpoints to the Blocks under construction."""
    with gr.Row(visible=False):
        archive = gr.File(label="zip", type="filepath")
        pictures = gr.File(label="pictures", type="filepath", file_count="multiple")
        dataset_id = gr.Textbox(label="dataset_id")
        run_id = gr.Textbox(label="run_id")
        experiment_id = gr.Textbox(label="experiment_id")
        backbone = gr.Textbox(DEFAULT_BACKBONE, label="backbone")
        freeze = gr.Textbox("head", label="freeze")
        epochs = gr.Number(None, label="epochs")
        learning_rate = gr.Number(None, label="learning_rate")
        seed = gr.Number(0, label="seed")
        settings = gr.JSON(None, label="settings")
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
    offer(predict, [run_id, pictures])


def create_dataset(page: Page, archive: str | None) -> dict[str, Any]:
    """Import a zip of class folders: `{"dataset_id", "classes", "findings", "skipped"}`."""
    if archive is None:
        raise DataError(text.NO_ZIP, hint=text.SEND_ZIP)
    path = Path(archive)  # not ours to remove: another client may have sent the same zip
    owner = owner_of(new_visitor())
    for event in page.workspace.import_archive(
        owner, path, name=path.name, should_stop=lambda: False
    ):
        if isinstance(event, ImportFinished):
            dataset = event.dataset
    return present.dataset_json(dataset, page.workspace.findings(dataset))


def train(
    page: Page,
    dataset_id: str,
    backbone: str = DEFAULT_BACKBONE,
    freeze: str = "head",
    epochs: float | None = None,
    learning_rate: float | None = None,
    seed: float | None = 0,
) -> dict[str, Any]:
    """Put a training in the queue: `{"run_id"}`. Empty epochs or rate mean the default."""
    settings = {
        "backbone": backbone,
        "freeze": freeze,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "seed": seed or 0,
    }
    return train_with(page, dataset_id, settings)


def train_with(
    page: Page, dataset_id: str, settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Put a training with these settings in the queue: `{"run_id"}`.

    Each goes by its name in the record; besides, "phases" ("head:20,fine:5": one after the other,
    each with its own epochs) and "scratch" (begin with random weights).
    """
    dataset = page.workspace.dataset(dataset_id)
    if not isinstance(settings, Mapping | None):
        raise TrainingError("The settings are no object.", hint='Write {"epochs": 5}, for example.')
    values = {
        name: _whole(value) if name in _COUNTS else value
        for name, value in (settings or {}).items()
    }
    phases = str(values.pop("phases", ""))
    if values.pop("scratch", False):
        values["pretrained"] = False
    _check_settings(values)
    wish = asked_phases(config_from_values(values), phases)
    return {"run_id": page.workspace.start_training(dataset.owner, dataset_id, *wish)}


def race(
    page: Page, dataset_id: str, backbone: str = DEFAULT_BACKBONE, seed: float | None = 0
) -> dict[str, Any]:
    """Train in five ways, side by side: `{"run_ids": {lane: run_id}}`; `/run` follows each."""
    dataset = page.workspace.dataset(dataset_id)
    whole_seed = cast(int, _whole(seed)) or 0
    run_ids = page.workspace.lab.start_race(dataset.owner, dataset, backbone, seed=whole_seed)
    return {"run_ids": dict(zip(LANES, run_ids, strict=True))}


def lr_find(
    page: Page, dataset_id: str, backbone: str = DEFAULT_BACKBONE, freeze: str = "head"
) -> dict[str, Any]:
    """Search for a learning rate: `{"experiment_id"}`; `/experiment` follows it."""
    dataset = page.workspace.dataset(dataset_id)
    config = defaults(freeze, backbone=backbone)
    return {"experiment_id": page.workspace.lab.start_rate_finder(dataset.owner, dataset, config)}


def experiment(page: Page, experiment_id: str) -> dict[str, Any]:
    """Where an experiment is, and the newest of what it has found: `{"state", "value"}`."""
    return present.experiment_json(page.workspace.lab.experiments.look(experiment_id))


def _check_settings(values: Mapping[str, Any]) -> None:
    """Refuse what is no setting."""
    known = {field.name for field in fields(TrainConfig)}
    unknown = [name for name in values if name not in known]
    if unknown:
        raise TrainingError(
            f'There is no setting "{unknown[0]}".',
            hint=f"Choose among: phases, scratch, {', '.join(sorted(known))}.",
        )


def _whole(number: Any) -> Any:
    """1.0 as 1, since JSON numbers come as floats; anything else is the config's to refuse."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def run(page: Page, run_id: str) -> dict[str, Any]:
    """Where a run is: `{"state", "record"}`."""
    return present.run_json(page.workspace.live(run_id))


def stop(page: Page, run_id: str) -> dict[str, Any]:
    """Ask a run to stop; its best epoch is kept: `{"state", "record"}` at this moment."""
    page.workspace.stop(run_id)
    return run(page, run_id)


def predict(page: Page, run_id: str, pictures: Sequence[str] | None) -> list[dict[str, Any]]:
    """What the run's classifier says: `[{"file", "classes": [{"name", "probability"}, ...]}]`."""
    if not pictures:
        raise DataError(text.NO_TEST_PICTURES, hint=text.SEND_TEST_PICTURES)
    paths = [Path(picture) for picture in pictures]
    raw = read_pictures([(path.name, path) for path in paths], page.settings.limits)
    return present.answers_json(page.workspace.answers(page.workspace.prepare(raw), run_id))
