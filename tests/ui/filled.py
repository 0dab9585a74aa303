"""What a browser sends of the settings when its page shows a config."""

from typing import Any

from gradio.components import Component

from tlapp.training.config import TrainConfig
from tlapp.training.freezing import plan_stages
from tlapp.ui.actions.settings import SettingsForm
from tlapp.ui.page import Page
from tlapp.ui.sent import Sent
from tlapp.ui.table import Panels

FIELDS = (
    *("epochs", "head_epochs", "learning_rate", "backbone_learning_rate", "rate_decay"),
    *("batch_size", "optimizer", "weight_decay", "label_smoothing", "dropout", "patience"),
    *("augmented_views", "seed", "class_weights", "pretrained", "train_batchnorm"),
)


def settings_form(page: Page, config: TrainConfig, **fields: Any) -> SettingsForm:
    """The form of a page that shows this config; some fields hold something else."""
    return SettingsForm(
        backbone=config.backbone,
        locked=locked_stages(page, config),
        fields={name: getattr(config, name) for name in FIELDS} | fields,
    )


def settings_sent(
    page: Page, panels: Panels, config: TrainConfig, event: dict[str, Any] | None = None
) -> Sent:
    """The same as it is sent, with what the ladder says of its event."""
    form = settings_form(page, config)
    values: dict[Component, Any] = {
        panels.backbones.cards: form.backbone,
        panels.ladder.ladder: form.locked,
    }
    values |= {panels.settings.fields[name]: value for name, value in form.fields.items()}
    return Sent(values, event or {})


def locked_stages(page: Page, config: TrainConfig) -> tuple[str, ...]:
    """The names of the stages that stay as they are."""
    stages = page.workspace.models.sketch(config.backbone).stages
    return tuple(plan.stage.name for plan in plan_stages(stages, config) if plan.is_frozen)
