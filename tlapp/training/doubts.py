"""What seldom makes sense about locks and rates, known before a training starts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tlapp.training.config import TrainConfig
from tlapp.training.freezing import StagePlan, find_boundary

_HARMFUL_RATE = 1e-3  # AdamW at this rate, while the head is untrained: its errors go deep
_WRECKING_RATE = 3e-3  # and at this one whatever the head knows
_WILD_HEAD_RATE = {"adamw": 0.1, "sgd": 10.0}  # far above what a head likes
_FEW_PICTURES = 5_000  # ImageNet, from which networks do learn from scratch, has 1,281,167

DoubtName = Literal[
    "locked above",  # `stage` learns below `above`, which is locked
    "one rate",  # `rate` for everything, under an untrained head
    "wrecking rate",  # `rate` for pretrained stages
    "wild head",  # `rate` for the head, which likes about `usual`
    "batchnorm",  # statistics follow batches of `count` pictures
    "from scratch",  # with `count` pictures
]


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One reason to think again. Fields that its name does not use are empty."""

    name: DoubtName
    stage: str = ""
    above: str = ""
    rate: float = 0.0
    usual: float = 0.0
    count: int = 0


def doubts(plans: Sequence[StagePlan], config: TrainConfig, *, train_count: int) -> Iterator[Doubt]:
    """Each doubt about these stages and settings; none when all is well."""
    boundary = find_boundary(plans)
    locked_above = [plan for plan in plans[boundary:] if plan.is_frozen]
    if locked_above:
        below, above = plans[boundary].stage.name, locked_above[0].stage.name
        yield Doubt(name="locked above", stage=below, above=above)
    if config.pretrained:
        yield from _rate_doubts([rate for plan in plans if (rate := plan.learning_rate)], config)
    if config.learning_rate >= _WILD_HEAD_RATE[config.optimizer]:
        usual = TrainConfig(freeze=config.freeze, optimizer=config.optimizer).learning_rate
        yield Doubt(name="wild head", rate=config.learning_rate, usual=usual)
    if config.pretrained and config.train_batchnorm and not config.is_head_alone:
        yield Doubt(name="batchnorm", count=config.batch_size)
    if not config.pretrained and train_count < _FEW_PICTURES:
        yield Doubt(name="from scratch", count=train_count)


def _rate_doubts(rates: Sequence[float], config: TrainConfig) -> Iterator[Doubt]:
    """About the rates of the pretrained stages that learn."""
    highest = max(rates, default=0.0)
    is_one_rate = len(rates) > 1 and len(set(rates)) == 1 and not config.head_epochs
    if is_one_rate and highest >= _HARMFUL_RATE:
        yield Doubt(name="one rate", rate=highest)
    elif highest >= _WRECKING_RATE:
        yield Doubt(name="wrecking rate", rate=highest)
