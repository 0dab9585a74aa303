"""The training settings as a form: its fields, and the config that they stand for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

import gradio as gr

from tlapp.settings import Limits
from tlapp.training.config import Freeze, TrainConfig
from tlapp.training.presets import defaults, phases_of
from tlapp.ui.asked import asked_whole
from tlapp.ui.text import fields as text
from tlapp.ui.text.fields import FieldWords
from tlapp.workspace import check_epochs, check_epochs_setting

_EPOCHS = ("epochs", "head_epochs")  # the fields that count them
FormValues = Mapping[gr.components.Component, Any]


@dataclass(frozen=True, kw_only=True)
class TrainForm:
    """The fields, in the order in which they stand on the page."""

    epochs: gr.Number
    head_epochs: gr.Number
    learning_rate: gr.Number
    backbone_learning_rate: gr.Number
    rate_decay: gr.Number
    batch_size: gr.Number
    optimizer: gr.Radio
    weight_decay: gr.Number
    label_smoothing: gr.Number
    dropout: gr.Number
    patience: gr.Number
    augmented_views: gr.Number
    seed: gr.Number
    class_weights: gr.Checkbox
    pretrained: gr.Checkbox
    train_batchnorm: gr.Checkbox

    def named(self) -> Iterator[tuple[str, gr.Number | gr.Radio | gr.Checkbox]]:
        """Each field with the name of what it stands for in a `TrainConfig`."""
        return ((field.name, getattr(self, field.name)) for field in fields(self))

    def components(self) -> tuple[gr.Number | gr.Radio | gr.Checkbox, ...]:
        """All fields, in order."""
        return tuple(component for _, component in self.named())


def build_form(most_epochs: int) -> TrainForm:
    """The fields with the defaults of a frozen backbone."""
    default = TrainConfig()
    with gr.Row(elem_classes="tl-fields"):
        return TrainForm(
            epochs=_number("epochs", default.epochs, text.epochs_field(most_epochs)),
            head_epochs=_number("head-epochs", default.head_epochs, text.HEAD_EPOCHS),
            learning_rate=_number("learning-rate", default.learning_rate, text.RATE),
            backbone_learning_rate=_number(
                "backbone-learning-rate", default.backbone_learning_rate, text.BACKBONE_RATE
            ),
            rate_decay=_number("rate-decay", default.rate_decay, text.RATE_DECAY),
            batch_size=_number("batch-size", default.batch_size, text.BATCH),
            optimizer=gr.Radio(
                [("AdamW", "adamw"), ("SGD", "sgd")],
                value=default.optimizer,
                label=text.OPTIMIZER.label,
                info=text.OPTIMIZER.info,
                elem_id="optimizer",
            ),
            weight_decay=_number("weight-decay", default.weight_decay, text.DECAY),
            label_smoothing=_number("label-smoothing", default.label_smoothing, text.SMOOTHING),
            dropout=_number("dropout", default.dropout, text.DROPOUT),
            patience=_number("patience", default.patience, text.PATIENCE),
            augmented_views=_number("augmented-views", default.augmented_views, text.VIEWS),
            seed=_number("seed", default.seed, text.SEED),
            class_weights=_switch("class-weights", default.class_weights, text.CLASS_WEIGHTS),
            pretrained=_switch("pretrained", default.pretrained, text.PRETRAINED),
            train_batchnorm=_switch(
                "train-batchnorm", default.train_batchnorm, text.TRAIN_BATCHNORM
            ),
        )


def _number(elem_id: str, value: float, words: FieldWords) -> gr.Number:
    return gr.Number(value, label=words.label, info=words.info, elem_id=elem_id)


def _switch(elem_id: str, value: bool, words: FieldWords) -> gr.Checkbox:
    return gr.Checkbox(value, label=words.label, info=words.info, elem_id=elem_id)


def read_form(
    form: TrainForm,
    values: FormValues,
    *,
    backbone_name: str,
    freeze: Freeze,
    limits: Limits,
    train_count: int | None = None,
    stage_rates: tuple[tuple[str, float], ...] = (),
) -> TrainConfig:
    """The config that the fields stand for; an empty field means its default for so many pictures.

    Raises TrainingError, naming the value, for anything that cannot work.
    """
    default = defaults(freeze, backbone=backbone_name, train_count=train_count)
    given = {name: asked_whole(values[component]) for name, component in form.named()}
    filled = {
        name: getattr(default, name) if value is None else value for name, value in given.items()
    }
    for name in _EPOCHS:
        check_epochs_setting(name, filled[name], limits)
    config = TrainConfig(
        backbone=backbone_name, freeze=freeze, stage_rates=stage_rates, **cast(Any, filled)
    )
    check_epochs(sum(phase.epochs for phase in phases_of(config)), limits)
    return config


def check_field(name: str, value: Any, limits: Limits) -> None:
    """Refuse what cannot work whatever the other fields hold. Raises TrainingError."""
    plain = asked_whole(value)
    if plain is None:
        return
    if name in _EPOCHS:
        check_epochs_setting(name, plain, limits)
    TrainConfig(**{name: plain})


def field_values(form: TrainForm, config: TrainConfig) -> tuple[Any, ...]:
    """What the fields hold for this config, in the order of `form.components()`."""
    return tuple(getattr(config, field.name) for field in fields(form))
