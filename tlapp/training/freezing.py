"""Which stages of a backbone learn, at which rate, and what a choice of locks is worth.

A choice is one string: "head" (only the head learns), "none" (nothing is frozen), "last:2" (the
head and the two top stages learn), or the names of the frozen stages, separated by commas. The head
always learns.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tlapp.backbones.stages import Stage
from tlapp.errors import TrainingError
from tlapp.training.config import HEAD_ALONE, LAST_STAGES, NOTHING_FROZEN, Freeze, TrainConfig

_HARMFUL_RATE = 1e-3  # AdamW at this rate, while the head is untrained: its errors go deep
_WRECKING_RATE = 3e-3  # and at this one whatever the head knows
_FEW_PICTURES = 5_000  # ImageNet, from which networks do learn from scratch, has 1,281,167


@dataclass(frozen=True)
class StagePlan:
    """One stage, and how it learns."""

    stage: Stage
    learning_rate: float | None  # at its highest; None: frozen

    @property
    def is_frozen(self) -> bool:
        return self.learning_rate is None


def plan_stages(stages: Sequence[Stage], config: TrainConfig) -> tuple[StagePlan, ...]:
    """What `config` means for these stages, stem first.

    The top stage that learns has `backbone_learning_rate`, each one below it `rate_decay` times
    that of the stage above; `stage_rates` goes before. Raises TrainingError for a stage that the
    backbone does not have.
    """
    frozen = _frozen_stages(stages, config.freeze)
    own_rates = {_find(stages, name): rate for name, rate in config.stage_rates}
    plans: list[StagePlan] = []
    rate = config.backbone_learning_rate
    for index in reversed(range(len(stages))):
        if index in frozen:
            plans.append(StagePlan(stages[index], None))
            continue
        plans.append(StagePlan(stages[index], own_rates.get(index, rate)))
        rate *= config.rate_decay
    return tuple(reversed(plans))


def find_boundary(plans: Sequence[StagePlan]) -> int:
    """How many stages are frozen from the stem upwards: all below this number."""
    for index, plan in enumerate(plans):
        if not plan.is_frozen:
            return index
    return len(plans)


def freeze_from(stages: Sequence[Stage], locked: Collection[str]) -> Freeze:
    """The shortest way to say that just the stages of these names are frozen."""
    is_locked = [stage.name in locked for stage in stages]
    open_count = is_locked.count(False)
    if open_count == 0:
        return HEAD_ALONE
    if open_count == len(stages):
        return NOTHING_FROZEN
    if not any(is_locked[-open_count:]):
        return f"last:{open_count}"
    return ",".join(stage.name for stage in stages if stage.name in locked)


def doubts(plans: Sequence[StagePlan], config: TrainConfig, *, train_count: int) -> tuple[str, ...]:
    """Plain sentences about locks and rates that seldom make sense; () when there are none."""
    found: list[str] = []
    learning = [plan for plan in plans if not plan.is_frozen]
    boundary = find_boundary(plans)
    locked_above = [plan for plan in plans[boundary:] if plan.is_frozen]
    if locked_above:
        found.append(
            f"{plans[boundary].stage.name.capitalize()} learns below {locked_above[0].stage.name}, "
            "which is locked: a locked stage expects what it always got from below. "
            "Lock from the bottom up."
        )
    rates = {plan.learning_rate for plan in learning}
    highest = max((plan.learning_rate or 0.0 for plan in learning), default=0.0)
    is_one_rate = len(learning) > 1 and len(rates) == 1 and not config.head_epochs
    if config.pretrained and is_one_rate and highest >= _HARMFUL_RATE:
        found.append(
            f"One rate of {highest:g} for everything: at that rate the errors of the untrained "
            "head wreck what the backbone knows. Train the head alone first, or choose smaller "
            "rates below."
        )
    elif config.pretrained and highest >= _WRECKING_RATE:
        found.append(
            f"A rate of {highest:g} rewrites pretrained stages at once. 1e-3 or less keeps most of "
            "what they know."
        )
    if config.pretrained and config.train_batchnorm and learning:
        found.append(
            f"BatchNorm follows batches of {config.batch_size} pictures, in locked stages too: "
            "their statistics move away from those that the weights were made for."
        )
    if not config.pretrained and train_count < _FEW_PICTURES:
        found.append(
            f"From scratch with {train_count:,} pictures: there is nothing to transfer, and so few "
            "pictures cannot teach edges and textures. Expect little."
        )
    return tuple(found)


def _frozen_stages(stages: Sequence[Stage], freeze: Freeze) -> set[int]:
    if freeze == HEAD_ALONE:
        return set(range(len(stages)))
    if freeze == NOTHING_FROZEN:
        return set()
    last = LAST_STAGES.fullmatch(freeze)
    if last:
        count = int(last[1])
        if count > len(stages):
            raise TrainingError(
                f"There are no {count} stages to train: this backbone has {len(stages)}.",
                hint=f"Choose last:{len(stages)} or fewer, or 'none'.",
            )
        return set(range(len(stages) - count))
    return {_find(stages, name) for name in freeze.split(",")}


def _find(stages: Sequence[Stage], name: str) -> int:
    """The stage of this name; a module of its ("layer4") names it as well."""
    for index, stage in enumerate(stages):
        if _key(name) in {_key(stage.name), *map(_key, stage.module_names)}:
            return index
    names = ", ".join(stage.name for stage in stages)
    raise TrainingError(
        f'This backbone has no stage "{name.strip()}".', hint=f"Its stages are: {names}."
    )


def _key(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
