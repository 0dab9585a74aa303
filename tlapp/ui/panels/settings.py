"""The fields of the Train zone, and the settings of a training as they stand on the page."""

from collections.abc import Hashable

import gradio as gr
from gradio.blocks import Block

from tlapp.errors import TrainingError
from tlapp.training.config import TrainConfig
from tlapp.training.presets import defaults
from tlapp.ui import text
from tlapp.ui.actions.settings import SettingsForm, StageRate, check_field
from tlapp.ui.asked import event_text
from tlapp.ui.page import Page
from tlapp.ui.panels.backbones import BackbonesPanel
from tlapp.ui.panels.ladder import LadderPanel
from tlapp.ui.panels.panel import Update
from tlapp.ui.sent import Reads, Sent
from tlapp.ui.text import fields as words
from tlapp.ui.text.fields import FieldWords
from tlapp.ui.visit import Visit

WRONG_FIELD = "tl-wrong-field"  # a class of theme.css
Field = gr.Number | gr.Radio | gr.Checkbox


class SettingsPanel:
    """The fields, each under the name of what it stands for in a `TrainConfig`."""

    fields: dict[str, Field]
    reset: gr.Button

    def __init__(self, page: Page, backbones: BackbonesPanel, ladder: LadderPanel) -> None:
        self._limits = page.settings.limits
        self._backbones = backbones
        self._ladder = ladder

    def build(self) -> None:
        """Make the components, in the order in which they stand on the page."""
        default = TrainConfig()
        with gr.Row(elem_classes="tl-fields"):
            self.fields = {
                "epochs": _number(
                    "epochs", default.epochs, words.epochs_field(self._limits.epochs)
                ),
                "head_epochs": _number("head-epochs", default.head_epochs, words.HEAD_EPOCHS),
                "learning_rate": _number("learning-rate", default.learning_rate, words.RATE),
                "backbone_learning_rate": _number(
                    "backbone-learning-rate", default.backbone_learning_rate, words.BACKBONE_RATE
                ),
                "rate_decay": _number("rate-decay", default.rate_decay, words.RATE_DECAY),
                "batch_size": _number("batch-size", default.batch_size, words.BATCH),
                "optimizer": gr.Radio(
                    [("AdamW", "adamw"), ("SGD", "sgd")],
                    value=default.optimizer,
                    label=words.OPTIMIZER.label,
                    info=words.OPTIMIZER.info,
                    elem_id="optimizer",
                ),
                "weight_decay": _number("weight-decay", default.weight_decay, words.DECAY),
                "label_smoothing": _number(
                    "label-smoothing", default.label_smoothing, words.SMOOTHING
                ),
                "dropout": _number("dropout", default.dropout, words.DROPOUT),
                "patience": _number("patience", default.patience, words.PATIENCE),
                "augmented_views": _number("augmented-views", default.augmented_views, words.VIEWS),
                "seed": _number("seed", default.seed, words.SEED),
                "class_weights": _switch(
                    "class-weights", default.class_weights, words.CLASS_WEIGHTS
                ),
                "pretrained": _switch("pretrained", default.pretrained, words.PRETRAINED),
                "train_batchnorm": _switch(
                    "train-batchnorm", default.train_batchnorm, words.TRAIN_BATCHNORM
                ),
            }

    def build_reset(self) -> None:
        """Make the button that stands below what finds a learning rate."""
        self.reset = gr.Button(text.RESET_SETTINGS_BUTTON, size="sm", elem_id="reset-settings")

    @property
    def outputs(self) -> tuple[Block, ...]:
        """All that `render` may fill."""
        return tuple(self.fields.values())

    def view(self, visit: Visit) -> Hashable:
        """The settings."""
        return visit.config

    def render(self, visit: Visit) -> Update:
        """The settings as they are kept, without what was said of a field."""
        return {
            field: gr.update(value=getattr(visit.config, name), info=field.info, elem_classes=[])
            for name, field in self.fields.items()
        }

    def render_note(self, name: str, visit: Visit, value: object) -> Update:
        """At a field: why it cannot hold this value, or what it stands for while it is empty."""
        field = self.fields[name]
        try:
            check_field(name, value, self._limits)
        except TrainingError as error:
            return {field: gr.update(info=f"{error} {error.hint}", elem_classes=WRONG_FIELD)}
        if value is not None:
            return {field: gr.update(info=field.info, elem_classes=[])}
        config = visit.config
        usual = defaults(config.freeze, backbone=config.backbone, train_count=visit.train_count)
        said = words.empty_field(getattr(usual, name))
        return {field: gr.update(info=said, elem_classes=[])}

    def reads(self) -> Reads[SettingsForm]:
        """The settings as they stand on the page."""
        return Reads(self._components, self._form)

    def reads_field(self, name: str) -> Reads[object]:
        """What one field holds."""
        field = self.fields[name]
        return Reads((field,), lambda sent: sent.values[field])

    def reads_rate(self) -> Reads[StageRate]:
        """The same, and the rate that a stage was given."""
        return Reads(
            self._components,
            lambda sent: StageRate(
                stage=event_text(sent.event, "stage"),
                rate=sent.event.get("rate"),
                settings=self._form(sent),
            ),
        )

    @property
    def _components(self) -> tuple[gr.components.Component, ...]:
        return (self._backbones.cards, self._ladder.ladder, *self.fields.values())

    def _form(self, sent: Sent) -> SettingsForm:
        return SettingsForm(
            backbone=sent.values[self._backbones.cards],
            locked=sent.values[self._ladder.ladder],
            fields={name: sent.values[field] for name, field in self.fields.items()},
        )


def _number(elem_id: str, value: float, said: FieldWords) -> gr.Number:
    return gr.Number(value, label=said.label, info=said.info, elem_id=elem_id)


def _switch(elem_id: str, value: bool, said: FieldWords) -> gr.Checkbox:
    return gr.Checkbox(value, label=said.label, info=said.info, elem_id=elem_id)
