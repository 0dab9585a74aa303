"""The training settings as a form: its fields, and the config that they stand for."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

import gradio as gr

from tlapp.settings import Limits
from tlapp.training.config import Freeze, OptimizerName, TrainConfig
from tlapp.ui import text

FormValues = Mapping[gr.components.Component, Any]


@dataclass(frozen=True, kw_only=True)
class TrainForm:
    """The fields, in the order in which they stand on the page."""

    epochs: gr.Number
    learning_rate: gr.Number
    backbone_learning_rate: gr.Number
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

    def components(self) -> tuple[gr.components.Component, ...]:
        """All fields, in order."""
        return tuple(getattr(self, field.name) for field in fields(self))


def build_form(limits: Limits) -> TrainForm:
    """The fields with the defaults of a frozen backbone."""
    default = TrainConfig()
    with gr.Row(elem_classes="tl-fields"):
        epochs = gr.Number(
            default.epochs,
            label=text.EPOCHS_LABEL,
            info=text.EPOCHS_INFO,
            precision=0,
            minimum=1,
            maximum=limits.epochs,
            elem_id="epochs",
        )
        learning_rate = _number(
            "learning-rate", default.learning_rate, text.RATE_LABEL, text.RATE_INFO
        )
        backbone_learning_rate = _number(
            "backbone-learning-rate",
            default.backbone_learning_rate,
            text.BACKBONE_RATE_LABEL,
            text.BACKBONE_RATE_INFO,
        )
        batch_size = _whole("batch-size", default.batch_size, text.BATCH_LABEL, text.BATCH_INFO)
        optimizer = gr.Radio(
            [("AdamW", "adamw"), ("SGD", "sgd")],
            value=default.optimizer,
            label=text.OPTIMIZER_LABEL,
            info=text.OPTIMIZER_INFO,
            elem_id="optimizer",
        )
        weight_decay = _number(
            "weight-decay", default.weight_decay, text.DECAY_LABEL, text.DECAY_INFO
        )
        label_smoothing = _number(
            "label-smoothing", default.label_smoothing, text.SMOOTHING_LABEL, text.SMOOTHING_INFO
        )
        dropout = _number("dropout", default.dropout, text.DROPOUT_LABEL, text.DROPOUT_INFO)
        patience = _whole("patience", default.patience, text.PATIENCE_LABEL, text.PATIENCE_INFO)
        augmented_views = _whole(
            "augmented-views", default.augmented_views, text.VIEWS_LABEL, text.VIEWS_INFO
        )
        seed = _whole("seed", default.seed, text.SEED_LABEL, text.SEED_INFO)
        class_weights = gr.Checkbox(
            default.class_weights, label=text.CLASS_WEIGHTS_LABEL, elem_id="class-weights"
        )
        pretrained = gr.Checkbox(
            default.pretrained,
            label=text.PRETRAINED_LABEL,
            info=text.PRETRAINED_INFO,
            elem_id="pretrained",
        )
    return TrainForm(
        epochs=epochs,
        learning_rate=learning_rate,
        backbone_learning_rate=backbone_learning_rate,
        batch_size=batch_size,
        optimizer=optimizer,
        weight_decay=weight_decay,
        label_smoothing=label_smoothing,
        dropout=dropout,
        patience=patience,
        augmented_views=augmented_views,
        seed=seed,
        class_weights=class_weights,
        pretrained=pretrained,
    )


def _number(elem_id: str, value: float, label: str, info: str) -> gr.Number:
    return gr.Number(value, label=label, info=info, minimum=0, elem_id=elem_id)


def _whole(elem_id: str, value: int, label: str, info: str) -> gr.Number:
    return gr.Number(value, label=label, info=info, minimum=0, precision=0, elem_id=elem_id)


def read_form(
    form: TrainForm, values: FormValues, *, backbone_name: str, is_frozen: bool
) -> TrainConfig:
    """The config that the fields stand for; an empty field means its default.

    Raises TrainingError, naming the value, for anything that cannot work.
    """
    return TrainConfig(
        backbone=backbone_name,
        freeze=freeze_of(is_frozen),
        optimizer=cast(OptimizerName, values[form.optimizer]),
        **{
            field.name: values[getattr(form, field.name)]
            for field in fields(form)
            if field.name != "optimizer" and values[getattr(form, field.name)] is not None
        },
    )


def freeze_of(is_frozen: bool) -> Freeze:
    """The config's word for the toggle."""
    return "head" if is_frozen else "none"


def defaults_of(form: TrainForm, *, is_frozen: bool) -> tuple[Any, ...]:
    """What the fields hold by default, in the order of `form.components()`."""
    config = TrainConfig(freeze=freeze_of(is_frozen))
    return tuple(getattr(config, field.name) for field in fields(form))
