"""Searches for a learning rate that are over, and cost nothing."""

from tests.workspace.conftest import PATIENCE_SECONDS
from tlapp.experiments.lr_finder import RATES, RateReason, RateSweep
from tlapp.training.config import TrainConfig
from tlapp.ui.page import Page
from tlapp.workspace import RATE_FINDER

REASON = RateReason(
    rule="steepest",
    first_loss=2.3,
    steepest_rate=0.004,
    lowest_rate=0.09,
    lowest_loss=0.2,
    safe_rate=0.3,
)


def sweep(config: TrainConfig | None = None, *, done: int = 80) -> RateSweep:
    """A search that is over, with 0.004 as what it suggests."""
    return RateSweep(
        config=config or TrainConfig(),
        rates=RATES[:done],
        losses=tuple(2.3 - 0.01 * step for step in range(done)),
        done=done,
        is_over=True,
        ended_early=True,
        suggested_rate=0.004,
        reason=REASON,
    )


def found(page: Page, owner: str, value: RateSweep) -> None:
    """The visitor's newest search has found this."""
    experiments = page.workspace.experiments
    experiment_id = experiments.start(owner, RATE_FINDER, lambda should_stop: iter([value]))
    assert experiments.wait(experiment_id, PATIENCE_SECONDS)
