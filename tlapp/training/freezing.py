"""Which stages of a backbone learn, and at which rate.

A choice is one string: "head" (only the head learns), "none" (nothing is frozen), "last:2" (the
head and the two top stages learn), or the names of the frozen stages, separated by commas. The head
always learns.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tlapp.backbones.stages import Stage
from tlapp.bounds import shown
from tlapp.errors import TrainingError
from tlapp.messages import message
from tlapp.training.config import HEAD_ALONE, LAST_STAGES, NOTHING_FROZEN, Freeze, TrainConfig


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
                message(
                    "There are no {asked} stages to train: this backbone has {count}.",
                    asked=count,
                    count=len(stages),
                ),
                hint=message("Choose last:{count} or fewer, or 'none'.", count=len(stages)),
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
        message("This backbone has no stage {stage}.", stage=shown(name.strip())),
        hint=message("Its stages are: {names}.", names=names),
    )


def _key(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
