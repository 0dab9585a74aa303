"""The training settings that a visitor's page shows, found again after a reload.

What was touched last, else those of the run on the page, else the defaults.
"""

from dataclasses import replace

from tlapp.errors import TlappError
from tlapp.runs.record import RunRecord
from tlapp.training.config import TrainConfig, config_from_values
from tlapp.ui.session import Page


def chosen_config(page: Page, owner: str) -> TrainConfig:
    """The settings for the next training of this visitor."""
    config = page.visits.get(owner).config
    if config is not None:
        return config
    run_id = page.workspace.visitor_state(owner).run_id
    if run_id is None:
        return TrainConfig()
    try:
        return config_of(page.workspace.run(run_id, owner=owner))
    except TlappError:  # the run is gone, or its settings are those of another version
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
    """Keep these settings while the visit lasts, and return them."""
    page.visits.change(owner, lambda visit: replace(visit, config=config))
    return config
