"""The training settings that a visitor's page shows, found again after a reload or a restart.

What was touched last, else those of the run on the page, else the defaults.
"""

from contextlib import suppress
from dataclasses import replace

from tlapp.errors import TlappError
from tlapp.runs.record import RunRecord
from tlapp.training.config import TrainConfig, config_from_values
from tlapp.training.freezing import plan_stages
from tlapp.ui.session import Page


def chosen_config(page: Page, owner: str) -> TrainConfig:
    """The settings for the next training of this visitor."""
    config = page.workspace.visitors.state(owner).config
    if config is not None and can_be_shown(page, config):
        return config
    run_id = page.workspace.of(owner).state().run_id
    if run_id is not None:
        with suppress(TlappError):  # the run is gone, or its settings are another version's
            config = config_of(page.workspace.of(owner).run(run_id))
            if can_be_shown(page, config):
                return config
    return TrainConfig()


def can_be_shown(page: Page, config: TrainConfig) -> bool:
    """Whether there is such a backbone, with such stages: another version may have had others."""
    try:
        plan_stages(page.workspace.models.sketch(config.backbone).stages, config)
    except TlappError:
        return False
    return True


def config_of(record: RunRecord) -> TrainConfig:
    """The settings of a run as the page has them: the head's phase before it as `head_epochs`.

    Raises TrainingError when they are those of a version that knew other ones.
    """
    config = config_from_values(record.config)
    if not record.earlier_phases or config.is_head_alone:
        return config
    return replace(config, head_epochs=record.earlier_phases[0]["epochs"])


def remember(page: Page, owner: str, config: TrainConfig) -> TrainConfig:
    """Keep these settings for the visitor, and return them."""
    page.workspace.visitors.change(owner, lambda state: replace(state, config=config))
    return config
