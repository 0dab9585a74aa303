"""The fields of the Train zone, and the settings of a training as they stand on the page."""

from collections.abc import Hashable
from typing import Any

import gradio as gr
from gradio.blocks import Block

from tlapp.errors import TrainingError
from tlapp.training.config import TrainConfig
from tlapp.training.presets import defaults
from tlapp.ui import text
from tlapp.ui.actions.settings import SettingsForm, StageRate, check_field
from tlapp.ui.asked import event_text
from tlapp.ui.later import later
from tlapp.ui.page import Page
from tlapp.ui.panels.backbones import BackbonesPanel
from tlapp.ui.panels.ladder import LadderPanel
from tlapp.ui.panels.panel import Update
from tlapp.ui.sent import Reads, Sent
from tlapp.ui.text import fields as words
from tlapp.ui.text.fields import FieldWords
from tlapp.ui.visit import Visit

WRONG_FIELD = "tl-wrong-field"  # a class of theme.css
OPTIMIZERS = (("AdamW", "adamw"), ("SGD", "sgd"))  # proper names
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
        with gr.Row(elem_classes="tl-fields"):
            self.fields = {
                "epochs": self._number("epochs"),
                "head_epochs": self._number("head_epochs"),
                "learning_rate": self._number("learning_rate"),
                "backbone_learning_rate": self._number("backbone_learning_rate"),
                "rate_decay": self._number("rate_decay"),
                "batch_size": self._number("batch_size"),
                "optimizer": gr.Radio(OPTIMIZERS, **self._shown("optimizer")),
                "weight_decay": self._number("weight_decay"),
                "label_smoothing": self._number("label_smoothing"),
                "dropout": self._number("dropout"),
                "patience": self._number("patience"),
                "augmented_views": self._number("augmented_views"),
                "seed": self._number("seed"),
                "class_weights": self._switch("class_weights"),
                "pretrained": self._switch("pretrained"),
                "train_batchnorm": self._switch("train_batchnorm"),
            }

    def _number(self, name: str) -> gr.Number:
        return gr.Number(**self._shown(name))

    def _switch(self, name: str) -> gr.Checkbox:
        return gr.Checkbox(**self._shown(name))

    def _shown(self, name: str) -> dict[str, Any]:
        """What a field shows at first."""
        said = self._words(name)
        return {
            "value": getattr(TrainConfig(), name),
            "label": later(said.label),
            "info": later(said.info),
            "elem_id": name.replace("_", "-"),
        }

    def _words(self, name: str) -> FieldWords:
        return words.field_words(name, most_epochs=self._limits.epochs)

    def build_reset(self) -> None:
        """Make the button that stands below what finds a learning rate."""
        self.reset = gr.Button(
            later(text.RESET_SETTINGS_BUTTON), size="sm", elem_id="reset-settings"
        )

    @property
    def outputs(self) -> tuple[Block, ...]:
        """All that `render` may fill."""
        return tuple(self.fields.values())

    def view(self, visit: Visit) -> Hashable:
        """The settings."""
        return visit.config

    def render(self, visit: Visit) -> Update:
        """The settings as they are kept, without what was said of a field."""
        say = visit.words.say
        return {
            field: gr.update(
                value=getattr(visit.config, name), info=say(self._words(name).info), elem_classes=[]
            )
            for name, field in self.fields.items()
        }

    def render_note(self, name: str, visit: Visit, value: object) -> Update:
        """At a field: why it cannot hold this value, or what it stands for while it is empty."""
        field, say = self.fields[name], visit.words.say
        try:
            check_field(name, value, self._limits)
        except TrainingError as error:
            return {field: gr.update(info=say(error.said), elem_classes=WRONG_FIELD)}
        if value is not None:
            return {field: gr.update(info=say(self._words(name).info), elem_classes=[])}
        config = visit.config
        usual = defaults(config.freeze, backbone=config.backbone, train_count=visit.train_count)
        said = words.empty_field(getattr(usual, name))
        return {field: gr.update(info=say(said), elem_classes=[])}

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
