"""The settings of one training, checked, with defaults that were measured.

Some of the defaults depend on what learns (``freeze``) and on the optimizer; pass ``None`` (or
nothing) for them and the finished config holds the number that is used.

How the head's defaults were chosen: EfficientNet-Lite0 features of three sets of 553 to 1,120
pictures with 10 to 40 classes. With them the held-out accuracy of the best epoch is on average
equal to scikit-learn's `LogisticRegression` with the best of four C (both chosen on the held-out
pictures, so on equal terms); that of the last epoch is about 1.3 points below (17 seeds). Without
dropout and with a decay of 1 the best epoch is 0.7 points below (5 seeds); smoothed labels help the
best epoch and cost the last. `python -m tests.benchmarks` measures it again.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, cast, get_args

from tlapp.bounds import (
    FREEZE_CHARACTERS,
    LEAST_RATE,
    MOST_RATE,
    MOST_SEED,
    NAME_CHARACTERS,
    STAGES,
    shown,
)
from tlapp.errors import TrainingError
from tlapp.messages import Message, counted_message, message, significant

Freeze = str  # which stages stay as they are; see `training.freezing`
OptimizerName = Literal["adamw", "sgd"]

HEAD_ALONE: Freeze = "head"
NOTHING_FROZEN: Freeze = "none"
LAST_STAGES = re.compile(r"last:([1-9][0-9]?)")

MAX_EPOCHS = 10_000  # of anybody; `settings` allows fewer on the page
MAX_VIEWS = 16
MAX_BATCH_SIZE = 4096

# By whether the head learns alone:
_EPOCHS = {True: 30, False: 5}
_BATCH_SIZE = {True: 32, False: 16}
_LEARNING_RATE: dict[tuple[bool, OptimizerName], float] = {
    (True, "adamw"): 2e-3,
    (True, "sgd"): 1e-2,
    (False, "adamw"): 1e-3,
    (False, "sgd"): 1e-2,
}
_WEIGHT_DECAY: dict[tuple[bool, OptimizerName], float] = {
    (True, "adamw"): 5.0,
    (True, "sgd"): 0.1,  # added to the gradient, where AdamW's is not: another unit
    (False, "adamw"): 0.05,
    (False, "sgd"): 1e-4,
}
_BACKBONE_SHARE = 0.1  # the backbone's default rate over the head's

_RATES_HINT: Final = message('Write [["stage 7", 0.0001]], for example.')
_BACKBONE_HINT: Final = message(
    "Write the name of a backbone, in {most} characters at most.", most=NAME_CHARACTERS
)
_STAGE_HINT: Final = message(
    "Write the name of a stage, in {most} characters at most.", most=NAME_CHARACTERS
)
_RATE_HINT: Final = message(
    "Choose a number {low} or more and at most {high}.",
    low=significant(LEAST_RATE),
    high=significant(MOST_RATE),
)
_WEIGHT_DECAY_HINT: Final = message(
    "Choose a number {low} or more and at most {high}.", low=0, high=significant(MOST_RATE)
)
_DECAY_HINT: Final = message("Choose a number above {low} and at most {high}.", low=0, high=1)
_SHARE_HINT: Final = message("Choose a number {low} or more and below {high}.", low=0, high=1)
_UNSET_INT = cast(int, None)
_UNSET_FLOAT = cast(float, None)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How one classifier is trained. After construction every field holds the value that is used.

    Raises TrainingError, naming the value, for anything that cannot work.
    """

    backbone: str = "efficientnet_lite0"  # a card's name; the default is on disk after install
    pretrained: bool = True  # False: random weights, as the control
    freeze: Freeze = "head"  # the head alone takes seconds, not minutes
    head_epochs: int = 0  # of the head alone first, as a phase of its own; see `presets.phases_of`
    epochs: int = _UNSET_INT  # passes over the pictures; None: 30 for the head alone, else 5
    learning_rate: float = _UNSET_FLOAT  # the head's, at its highest; None: by freeze and optimizer
    backbone_learning_rate: float = _UNSET_FLOAT  # of the top stage that learns; None: a tenth
    rate_decay: float = 1.0  # each stage learns at this times the rate of the one above it
    stage_rates: tuple[tuple[str, float], ...] = ()  # (stage, rate), where it is not the above
    train_batchnorm: bool = False  # True: statistics follow each batch; a lesson, not an advice
    batch_size: int = _UNSET_INT  # pictures per step; None: 32 for the head alone, else 16
    optimizer: OptimizerName = "adamw"
    weight_decay: float = _UNSET_FLOAT  # shrinks the weights; None: by freeze and optimizer
    label_smoothing: float = 0.0  # 0 to below 1: share of the label spread over all classes
    dropout: float = 0.5  # 0 to below 1: share of the features left out at each step
    class_weights: bool = False  # True: rare classes count more, so that each class counts the same
    patience: int = 0  # stop after this many epochs without a better one; 0: never
    augmented_views: int = 0  # random crops of each picture, made once and kept
    seed: int = 0  # of the head's order of pictures, dropout and crops

    def __post_init__(self) -> None:
        """Fill what is None, then refuse what cannot work."""
        _check_name(message("The backbone"), self.backbone, _BACKBONE_HINT)
        _check_freeze(self.freeze)
        _check_optimizer(self.optimizer)
        for flag in ("pretrained", "train_batchnorm", "class_weights"):
            _check_flag(flag, getattr(self, flag))
        self._fill("epochs", _EPOCHS[self.is_head_alone])
        self._fill("batch_size", _BATCH_SIZE[self.is_head_alone])
        self._fill("learning_rate", _LEARNING_RATE[self.is_head_alone, self.optimizer])
        _check_rate(message("The learning rate"), self.learning_rate)
        usual = max(LEAST_RATE, self.learning_rate * _BACKBONE_SHARE)
        self._fill("backbone_learning_rate", usual)
        _check_rate(message("The backbone learning rate"), self.backbone_learning_rate)
        _check_number(
            message("The rate decay"), self.rate_decay, lambda share: 0 < share <= 1, _DECAY_HINT
        )
        _check_stage_rates(self.stage_rates)
        self._fill("weight_decay", _WEIGHT_DECAY[self.is_head_alone, self.optimizer])
        _check_number(
            message("The weight decay"),
            self.weight_decay,
            lambda decay: 0 <= decay <= MOST_RATE,
            _WEIGHT_DECAY_HINT,
        )
        _check_share(message("The label smoothing"), self.label_smoothing)
        _check_share(message("The dropout"), self.dropout)
        _check_count(message("The number of epochs"), self.epochs, 1, MAX_EPOCHS)
        _check_count(
            message("The number of epochs of the head alone"), self.head_epochs, 0, MAX_EPOCHS
        )
        _check_count(message("The batch size"), self.batch_size, 1, MAX_BATCH_SIZE)
        _check_count(message("The patience"), self.patience, 0, MAX_EPOCHS)
        _check_count(message("The number of augmented views"), self.augmented_views, 0, MAX_VIEWS)
        _check_count(message("The seed"), self.seed, 0, MOST_SEED)

    @property
    def is_head_alone(self) -> bool:
        """Whether the whole backbone is frozen."""
        return self.freeze == HEAD_ALONE

    @property
    def learns_statistics(self) -> bool:
        """Whether BatchNorm layers follow the batches: random weights have nothing to keep."""
        return self.train_batchnorm or not self.pretrained

    def _fill(self, field: str, value: float) -> None:
        if getattr(self, field) is None:
            object.__setattr__(self, field, value)  # the class is frozen for everybody else


def config_from_values(values: Mapping[str, Any]) -> TrainConfig:
    """The config whose fields a record kept; what this version does not know is passed over.

    Raises TrainingError when the values cannot work.
    """
    known = {
        field.name: values[field.name] for field in fields(TrainConfig) if field.name in values
    }
    rates = known.get("stage_rates", ())
    try:
        known["stage_rates"] = tuple((stage, rate) for stage, rate in rates)
    except (TypeError, ValueError) as error:
        raise TrainingError(
            message("{rates} are no rates of stages.", rates=shown(rates)), hint=_RATES_HINT
        ) from error
    return TrainConfig(**known)


def _check_name(what: Message, name: object, hint: Message) -> None:
    if not isinstance(name, str) or not 0 < len(name) <= NAME_CHARACTERS:
        raise TrainingError(_cannot_be(what, name), hint=hint)


def _check_stage_rates(rates: tuple[tuple[str, float], ...]) -> None:
    if len(rates) > STAGES:
        raise TrainingError(
            counted_message(
                "{count} stage has a rate of its own.",
                "{count} stages have a rate of their own.",
                count=len(rates),
            ),
            hint=message("Name {most} or fewer.", most=STAGES),
        )
    for stage, rate in rates:
        _check_name(message("The stage"), stage, _STAGE_HINT)
        _check_rate(message("The learning rate of {stage}", stage=shown(stage)), rate)


def _check_freeze(freeze: object) -> None:
    """Refuse what can be no choice for any backbone."""
    if isinstance(freeze, str) and len(freeze) > FREEZE_CHARACTERS:
        raise TrainingError(
            counted_message(
                "The stages to freeze are written in {count} character.",
                "The stages to freeze are written in {count} characters.",
                count=len(freeze),
            ),
            hint=message("Write them in {most} or fewer.", most=FREEZE_CHARACTERS),
        )
    is_text = isinstance(freeze, str) and all(name.strip() for name in freeze.split(","))
    is_last = isinstance(freeze, str) and freeze.startswith("last:")
    if not is_text or (is_last and not LAST_STAGES.fullmatch(str(freeze))):
        raise TrainingError(
            _no_choice("freeze", freeze),
            hint=message(
                "Choose 'head', 'last:1', 'last:2', 'none', or the stages to freeze, "
                "separated by commas."
            ),
        )


def _check_optimizer(value: object) -> None:
    choices = get_args(OptimizerName)
    if value not in choices:
        first, second = (f"'{choice}'" for choice in choices)
        raise TrainingError(
            _no_choice("optimizer", value),
            hint=message("Choose {first} or {second}.", first=first, second=second),
        )


def _check_flag(field: str, value: object) -> None:
    if not isinstance(value, bool):
        raise TrainingError(_no_choice(field, value), hint=message("Choose true or false."))


def _check_rate(what: Message, value: object) -> None:
    _check_number(what, value, lambda rate: LEAST_RATE <= rate <= MOST_RATE, _RATE_HINT)


def _check_share(what: Message, value: object) -> None:
    _check_number(what, value, lambda share: 0 <= share < 1, _SHARE_HINT)


def _check_number(
    what: Message, value: object, is_good: Callable[[float], bool], hint: Message
) -> None:
    """Refuse what is no number (NaN is in no range), or one out of its range."""
    if not is_good(_as_number(value)):
        raise TrainingError(_cannot_be(what, value), hint=hint)


def _as_number(value: object) -> float:
    """NaN: it is none, or too large for one."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except OverflowError:  # a whole number may be larger than any float
        return math.nan


def _check_count(what: Message, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise TrainingError(
            _cannot_be(what, value),
            hint=message(
                "Choose a whole number from {low} to {high}.", low=str(low), high=str(high)
            ),
        )


def _cannot_be(what: Message, value: object) -> Message:
    return message("{what} cannot be {value}.", what=what, value=shown(value))


def _no_choice(field: str, value: object) -> Message:
    """`field` as it is called in the settings of the API."""
    return message("{value} is no choice for {field}.", value=shown(value), field=field)
