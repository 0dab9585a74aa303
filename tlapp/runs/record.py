"""What one training did, as a value that survives: settings, figures of every epoch, outcome.

JSON holds no NaN: figures that are not finite are written as null and read back as NaN.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from itertools import accumulate
from typing import Any, Literal

from tlapp.errors import RunError
from tlapp.messages import NOTHING, Message, message
from tlapp.stored import NO_OBJECT, DamagedFileError, build, check_fields
from tlapp.training.config import HEAD_ALONE, TrainConfig
from tlapp.training.interval import paired_difference, wilson_interval
from tlapp.training.loss import rank

RunState = Literal["waiting", "running", "finished", "stopped", "failed"]
ENDED_STATES: tuple[RunState, ...] = ("finished", "stopped", "failed")
MOST_EPOCHS = 99_999  # of one run, over all its phases
RECORD_BYTES, PHASE_BYTES, CLASS_BYTES = 4_000, 6_000, 100  # in memory; measured in tests
ROW_BYTES, FIGURE_BYTES = 600, 36  # of an epoch, and of each figure in a tuple of it
_NEVER_NONE = ("train_loss", "train_eval_loss", "train_eval_accuracy", "seconds")  # null: no number


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochRow:
    """The figures of one finished epoch."""

    epoch: int  # counted over all phases, 1 for the first
    phase: int = 1  # 1 for the first
    train_loss: float  # mean over the epoch while weights moved, nats per picture
    train_eval_loss: float  # the same pictures at the end of the epoch, in eval mode
    train_eval_accuracy: float  # 0 to 1, higher is better
    valid_loss: float | None  # held-out pictures, nats per picture; None: nothing held out
    valid_accuracy: float | None  # 0 to 1, higher is better; None: nothing held out
    seconds: float  # wall time of this epoch alone
    elapsed_seconds: float | None = None  # as `RunRecord.elapsed`; None: an earlier version's row
    is_best: bool  # the best so far at that moment
    valid_class_correct: tuple[int, ...] = ()  # held-out pictures of each class that are right
    agreement: float | None = None  # with the untouched network's ImageNet answers, 0 to 1
    drift: tuple[float, ...] = ()  # |W - W0| / |W0| of each stage, stem first; (): not measured
    valid_hits: str = ""  # for each held-out picture "1" when it is right, else "0"

    @property
    def weight_bytes(self) -> int:
        """What the row takes in memory; reckoned, and rather too much."""
        figures = len(self.valid_class_correct) + len(self.drift)
        return ROW_BYTES + FIGURE_BYTES * figures + len(self.valid_hits)

    def to_json(self) -> dict[str, Any]:
        """The row as JSON values."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


@dataclass(frozen=True)
class ClassResult:
    """What the kept classifier gets right among the held-out pictures of one class."""

    name: str
    correct: int
    total: int  # held-out pictures of this class


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run: what was asked, what it was asked on, and what came of it."""

    run_id: str
    owner: str
    name: str
    dataset_id: str
    dataset_name: str
    class_names: tuple[str, ...]
    config: Mapping[str, Any]  # every field of TrainConfig, of the last phase
    earlier_phases: tuple[Mapping[str, Any], ...] = ()  # the same of the phases before it
    continues: str = ""  # the run whose epochs come first here; "": it began by itself
    seed: int
    data_fingerprint: str  # SHA-256 over pictures, labels and classes
    race_id: str = ""  # of the race that it is a lane of; "": of none
    lane: str = ""  # which one: the name of a preset
    held_out_share: float = 0.0  # of the pictures, where the folder does not say it itself
    split_seed: int = 0
    versions: Mapping[str, str]  # tlapp, torch, torchvision, python
    created: str  # ISO 8601, UTC
    state: RunState = "waiting"
    started: str = ""  # "" until it has
    finished: str = ""  # "" until it has; also when stopped or failed
    epochs: tuple[EpochRow, ...] = ()
    train_count: int = 0  # pictures learned from
    valid_count: int = 0  # pictures held out
    valid_class_counts: tuple[int, ...] = ()  # of each class
    best_epoch: int | None = None  # the epoch whose classifier is kept
    valid_accuracy: float | None = None  # of that epoch, 0 to 1
    valid_interval: tuple[float, float] | None = None  # 95 % Wilson interval around it
    valid_correct: int | None = None  # held-out pictures that it gets right
    seconds: float | None = None  # wall time of the training, features included
    seconds_before: float = 0.0  # of the run that this one goes on from, as far as it does
    feature_seconds: float | None = None
    head_seconds: float | None = None
    images_per_second: float | None = None  # through the backbone, decoding included
    trainable_parameters: int | None = None
    frozen_parameters: int | None = None
    replaced_layer: Message = NOTHING  # e.g. "fc: 512 -> 1000 becomes 512 -> 3"
    is_pinned: bool = False  # kept when older runs make room
    message: Message = NOTHING  # why it failed or was stopped
    hint: Message = NOTHING  # what to do about it

    @property
    def phases(self) -> tuple[Mapping[str, Any], ...]:
        """The settings of every phase, in order."""
        return (*self.earlier_phases, self.config)

    @property
    def planned_epochs(self) -> int:
        """How many epochs were asked for; of phases that are over, as many as there were."""
        told = [row.phase for row in self.epochs]
        current = told[-1] if told else 1
        return sum(
            told.count(number) if number < current else phase.get("epochs", 0)
            for number, phase in enumerate(self.phases, start=1)
        )

    @property
    def phase_starts(self) -> tuple[int, ...]:
        """The first epoch of each phase after the first, as far as they have begun."""
        pairs = zip(self.epochs, self.epochs[1:], strict=False)
        return tuple(row.epoch for before, row in pairs if row.phase != before.phase)

    @property
    def elapsed(self) -> tuple[float, ...]:
        """Wall time in seconds from the beginning to the end of each epoch: preparation counts,
        and so does the run that this one goes on from."""
        sums = accumulate(row.seconds for row in self.epochs)
        return tuple(
            seconds if row.elapsed_seconds is None else row.elapsed_seconds
            for row, seconds in zip(self.epochs, sums, strict=True)
        )

    @property
    def class_results(self) -> tuple[ClassResult, ...]:
        """What the kept classifier gets right, in the order of the classes; (): not known."""
        best = next((row for row in self.epochs if row.epoch == self.best_epoch), None)
        if best is None or not (
            len(best.valid_class_correct) == len(self.valid_class_counts) == len(self.class_names)
        ):
            return ()
        figures = zip(
            self.class_names, best.valid_class_correct, self.valid_class_counts, strict=True
        )
        return tuple(ClassResult(*figure) for figure in figures)

    @property
    def is_finished_head(self) -> bool:
        """Whether all that has learned is the head, and it did: it can be fine-tuned."""
        if self.best_epoch is None or not self.epochs:
            return False
        return self.phases[self.epochs[-1].phase - 1].get("freeze") == HEAD_ALONE

    def best_row(self, phase: int | None = None) -> EpochRow | None:
        """The best epoch on the held-out pictures, of one phase or of all; None: no epoch."""
        rows = [row for row in self.epochs if phase in (None, row.phase)]
        return max(rows, key=rank, default=None)

    def best_later_row(self) -> EpochRow | None:
        """The best epoch of the phases after the first; None: there is none."""
        return max((row for row in self.epochs if row.phase > 1), key=rank, default=None)

    @property
    def found_features(self) -> bool:
        """Whether no picture had to pass the backbone: their features were there already."""
        return self.images_per_second == 0

    @property
    def keeps_first_phase(self) -> bool:
        """Later phases have come to less than the first, whose best epoch is the one kept."""
        best = self.best_row()
        return best is not None and best.phase == 1 and self.best_later_row() is not None

    def gain_over_first_phase(self) -> tuple[float, float, float] | None:
        """Accuracy that later phases have added to the first: (gain, low, high), 95 % interval.

        Best epoch against best epoch, on the same held-out pictures. None: there is one phase.
        """
        return gain(self.best_row(1), self.best_later_row())

    def with_best(self, epoch: int | None) -> "RunRecord":
        """With the held-out figures of this epoch, whose classifier is kept."""
        row = next((row for row in self.epochs if row.epoch == epoch), None)
        accuracy = row.valid_accuracy if row else None
        correct = None
        if accuracy is not None and self.valid_count:
            correct = round(accuracy * self.valid_count)
        return replace(
            self,
            best_epoch=epoch,
            valid_accuracy=accuracy,
            valid_correct=correct,
            valid_interval=None if correct is None else wilson_interval(correct, self.valid_count),
        )

    @property
    def is_over(self) -> bool:
        """Nothing will change any more."""
        return self.state in ENDED_STATES

    @property
    def weight_bytes(self) -> int:
        """What the record takes in memory, with its epochs; reckoned, and rather too much."""
        texts = sum(
            len(repr(each)) for each in (self.name, self.dataset_name, self.message, self.hint)
        )
        classes = (CLASS_BYTES + 4 * len(name) for name in self.class_names)
        phases = PHASE_BYTES * len(self.phases)
        rows = sum(row.weight_bytes for row in self.epochs)
        return RECORD_BYTES + 4 * texts + sum(classes) + phases + rows

    def to_json(self, *, with_epochs: bool = True) -> dict[str, Any]:
        """The record as JSON values; the owner is in it, so strip it before showing it."""
        values = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        values["class_results"] = [asdict(result) for result in self.class_results]
        if with_epochs:
            values["epochs"] = [row.to_json() for row in self.epochs]
        else:
            del values["epochs"]
        return values


def gain(before: EpochRow | None, after: EpochRow | None) -> tuple[float, float, float] | None:
    """Accuracy of one epoch over another, on the same held-out pictures: (gain, low, high), 95 %
    interval. None: there is no such epoch, or they were not measured on the same pictures."""
    if before is None or after is None:
        return None
    hits = [[hit == "1" for hit in row.valid_hits] for row in (before, after)]
    if not hits[0] or len(hits[0]) != len(hits[1]):
        return None
    return paired_difference(*hits)


def row_of(values: object) -> EpochRow:
    """The row that `EpochRow.to_json` wrote. Raises DamagedFileError for anything else."""
    if not isinstance(values, Mapping):
        raise DamagedFileError(NO_OBJECT)
    drift = values.get("drift")
    unknown: dict[str, Any] = {name: math.nan for name in _NEVER_NONE if values.get(name) is None}
    if isinstance(drift, list):
        unknown["drift"] = [math.nan if each is None else each for each in drift]
    row = build(EpochRow, {**values, **unknown})
    shares = (row.train_eval_accuracy, row.valid_accuracy, row.agreement)
    if any(share is not None and (share < 0 or share > 1) for share in shares):
        raise DamagedFileError(message("a share in it is not within 0 to 1"))
    if not 1 <= row.epoch <= MOST_EPOCHS or row.phase < 1:
        raise DamagedFileError(message("its epoch or its phase is not possible"))
    return row


def record_of(values: object) -> RunRecord:
    """The record that `RunRecord.to_json` wrote. Raises DamagedFileError for anything else."""
    if not isinstance(values, Mapping):
        raise DamagedFileError(NO_OBJECT)
    rows = values.get("epochs", [])
    if not isinstance(rows, list):
        raise DamagedFileError(message("its field {name} is no list", name="epochs"))
    bare = build(RunRecord, {name: each for name, each in values.items() if name != "epochs"})
    record = replace(bare, epochs=tuple(map(row_of, rows)))
    for phase in record.phases:
        check_fields(TrainConfig, {name: phase[name] for name in phase if _is_typed(phase, name)})
    if record.best_epoch is not None and not 1 <= record.best_epoch <= MOST_EPOCHS:
        raise DamagedFileError(message("its best_epoch is not possible"))
    if len(record.valid_class_counts) not in (0, len(record.class_names)):
        raise DamagedFileError(message("its valid_class_counts are not one for each class"))
    return record


def _is_typed(phase: Mapping[str, Any], name: str) -> bool:
    """Whether this setting must be of its type; other versions may know other optimizers."""
    return phase[name] is not None and name != "optimizer"


def damaged_run(fault: Message) -> RunError:
    """What is said of a run whose record cannot be read."""
    return RunError(
        message("The record of this run is damaged: {fault}.", fault=fault),
        hint=message("Train again; the pictures are not affected."),
    )


def _plain(value: Any) -> Any:
    """JSON values: tuples as lists, figures that are not finite as null, messages as a file keeps
    them."""
    if isinstance(value, Message):
        return value.to_json()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
