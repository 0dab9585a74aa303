"""The training settings that a visitor's page shows, found again after a reload or a restart.

What was touched last, else those of the run on the page, else the defaults.
"""

from dataclasses import asdict, replace

from tlapp.errors import TlappError
from tlapp.runs.record import RunRecord
from tlapp.training.config import TrainConfig, config_from_values
from tlapp.ui.session import Page


def chosen_config(page: Page, owner: str) -> TrainConfig:
    """The settings for the next training of this visitor."""
    state = page.workspace.visitor_state(owner)
    try:
        if state.config is not None:
            return config_from_values(state.config)
        if state.run_id is not None:
            return config_of(page.workspace.run(state.run_id, owner=owner))
    except TlappError:  # the run is gone, or the settings are those of another version
        pass
    return TrainConfig()


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
    page.workspace.change_visitor_state(owner, lambda state: replace(state, config=asdict(config)))
    return config
