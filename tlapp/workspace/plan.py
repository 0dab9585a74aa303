"""What a training is to do: its plan, checked, as a job, and as the record its run begins with.

A training may resume an earlier run: go on where that was stopped, or with one more phase.
"""

import platform
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import takewhile
from typing import Final

import torch
import torchvision

import tlapp
from tlapp.backbones.catalog import find_card
from tlapp.backbones.loading import Backbone
from tlapp.backbones.stages import Stage
from tlapp.bounds import PHASES, shown
from tlapp.classifier import Classifier
from tlapp.data.dataset import Dataset
from tlapp.data.images import Picture
from tlapp.data.splits import Split
from tlapp.errors import RunError, ServerError, TrainingError, refused_by_disk
from tlapp.jobs.job import JobEnd
from tlapp.messages import NOTHING, Message, counted_message, joined, message
from tlapp.runs.folder import RunFolder
from tlapp.runs.record import EpochRow, RunRecord, RunState
from tlapp.runs.store import new_run_id, now
from tlapp.settings import MINUTE, Limits
from tlapp.training.config import TrainConfig, config_from_values
from tlapp.training.freezing import plan_stages
from tlapp.training.loss import rank
from tlapp.training.task import Start, TrainJob

RACE: Final = message("freeze race")  # what its owner calls several lanes
TRAINING: Final = message("training")  # and one


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingPlan:
    """Everything one training works on, as it is when somebody asks for it."""

    dataset: Dataset
    split: Split
    picture_of: Callable[[str], Picture]
    phases: tuple[TrainConfig, ...]  # one or more
    name: str
    expected_seconds: float | None
    continues: RunRecord | None = None  # the earlier run that is resumed
    race_id: str = ""  # of the race that it is a lane of
    lane: str = ""

    @property
    def uses(self) -> frozenset[str]:
        """Ids of what must stay until the training is over."""
        earlier = () if self.continues is None else (self.continues.run_id,)
        return frozenset((self.dataset.dataset_id, *earlier))

    @property
    def what(self) -> Message:
        """What its owner calls what is under way."""
        return RACE if self.race_id else TRAINING

    @property
    def config(self) -> TrainConfig:
        """The settings of the last phase; backbone and seed are those of all."""
        return self.phases[-1]


def training_job(plan: TrainingPlan, backbone: Backbone) -> TrainJob:
    """What is to be trained."""
    return TrainJob(
        images=plan.dataset.images,
        split=plan.split,
        picture_of=plan.picture_of,
        backbone=backbone,
        phases=plan.phases,
    )


def check_plan(plan: TrainingPlan, stages: Sequence[Stage], limits: Limits) -> None:
    """Refuse at once what would fail as a job. Raises TrainingError."""
    check_phases(plan.phases, stages, limits, ended=ended_phases(plan.continues, plan.phases))
    images = plan.dataset.images
    if len({images.images[index].class_index for index in plan.split.train}) < 2:
        raise TrainingError(
            message("There is only one class with pictures to learn from."),
            hint=message("Add a second class, so that there is something to tell apart."),
        )


def ended_phases(earlier: RunRecord | None, phases: Sequence[TrainConfig]) -> int:
    """How many of the phases an earlier run, which is resumed, has behind it."""
    if earlier is None or not earlier.epochs:
        return 0
    return min(earlier.epochs[-1].phase, len(phases) - 1)


def check_phases(
    phases: Sequence[TrainConfig], stages: Sequence[Stage], limits: Limits, *, ended: int = 0
) -> None:
    """Refuse settings that cannot work on a backbone of these stages, or are too much for this
    machine; looks at no picture. Raises TrainingError.

    Of the first `ended` phases nothing is still to come, however many epochs were asked for.
    """
    if len(phases) > PHASES:
        raise TrainingError(
            counted_message(
                "{count} phase is too many.", "{count} phases are too many.", count=len(phases)
            ),
            hint=message("Choose {most} or fewer.", most=PHASES),
        )
    check_epochs(sum(config.epochs for config in phases[ended:]), limits)
    for config in phases:
        plan_stages(stages, config)


def check_epochs(epochs: int, limits: Limits) -> None:
    """Raise TrainingError when so many epochs, of all phases, are too many here."""
    if epochs > limits.epochs:
        raise TrainingError(
            counted_message(
                "{count} epoch, that of all phases, is more than this machine allows.",
                "{count} epochs, those of all phases, are more than this machine allows.",
                count=epochs,
            ),
            hint=message("Choose {most} or fewer.", most=limits.epochs),
        )


def check_epochs_setting(name: str, value: object, limits: Limits) -> None:
    """Raise TrainingError unless the setting of this name ("epochs", "head_epochs") can have this
    value on this machine; the config would name its own, larger limit."""
    least, most = (0 if name == "head_epochs" else 1), limits.epochs
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        what = (
            message("The number of epochs of the head alone")
            if name == "head_epochs"
            else message("The number of epochs")
        )
        raise TrainingError(
            message("{what} cannot be {value}.", what=what, value=shown(value)),
            hint=message("Choose a whole number from {low} to {high}.", low=least, high=most),
        )


def new_record(owner: str, plan: TrainingPlan, taken: Collection[str] = ()) -> RunRecord:
    """The record of a run that waits, under a name that is not taken."""
    name = plan.name or f"{plan.dataset.name}, {find_card(plan.config.backbone).title}"
    return RunRecord(
        run_id=new_run_id(),
        owner=owner,
        name=free_name(name, taken),
        dataset_id=plan.dataset.dataset_id,
        dataset_name=plan.dataset.name,
        class_names=plan.dataset.images.class_names,
        config=asdict(plan.config),
        earlier_phases=tuple(asdict(config) for config in plan.phases[:-1]),
        continues=plan.continues.run_id if plan.continues else "",
        race_id=plan.race_id,
        lane=plan.lane,
        held_out_share=plan.dataset.held_out_share,
        split_seed=plan.dataset.split_seed,
        seed=plan.config.seed,
        data_fingerprint=plan.dataset.images.fingerprint,
        versions={
            "tlapp": tlapp.__version__,
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "torchvision": str(torchvision.__version__),
        },
        created=now(),
        train_count=len(plan.split.train),
        valid_count=len(plan.split.valid),
        valid_class_counts=_class_counts(plan),
    )


def refused_start(error: OSError) -> ServerError:
    """What to say when the disk refuses a run's folder."""
    return refused_by_disk(
        error,
        full=message("The disk of this machine is full, so this training cannot start."),
        read_only=message("The disk of this machine takes nothing, so this training cannot start."),
    )


def free_name(name: str, taken: Collection[str]) -> str:
    """This name, with another number where it is taken: "Pets (2)"."""
    base = re.sub(r" \(\d+\)$", "", name)
    names = (name, *(f"{base} ({number})" for number in range(2, len(taken) + 3)))
    return next(each for each in names if each not in taken)


def stop_message(record: RunRecord, state: RunState, end: JobEnd, limits: Limits) -> Message:
    """What happened to a run that was stopped, and what is kept of it; nothing when it was not."""
    if state != "stopped":
        return NOTHING
    count = len(record.epochs)
    done = (
        counted_message(
            "Stopped after {done} of {planned} epoch",
            "Stopped after {done} of {planned} epochs",
            count=record.planned_epochs,
            done=str(count),  # epochs are not grouped
            planned=str(record.planned_epochs),
        )
        if count
        else message("Stopped before the first epoch was finished")
    )
    if end.stop_reason == "time":
        minutes = max(1, round(limits.training_seconds / MINUTE))
        how = message("{done}: a training may take {minutes} min here.", done=done, minutes=minutes)
    elif end.stop_reason == "closed":
        how = message("{done}: the program was ended meanwhile.", done=done)
    else:
        how = message("{done}.", done=done)
    best = record.best_epoch
    return (
        how
        if best is None
        else joined(how, message("The best one ({epoch}) is kept.", epoch=str(best)))
    )


def _class_counts(plan: TrainingPlan) -> tuple[int, ...]:
    """How many held-out pictures each class has."""
    images = plan.dataset.images
    counts = Counter(images.images[index].class_index for index in plan.split.valid)
    return tuple(counts[index] for index in range(len(images.class_names)))


def phases_of_run(record: RunRecord) -> tuple[TrainConfig, ...]:
    """The settings of every phase of a run."""
    return tuple(config_from_values(phase) for phase in record.phases)


def of_run(record: RunRecord, phase: TrainConfig) -> TrainConfig:
    """These settings for the network of this run."""
    own = phases_of_run(record)[-1]
    return replace(phase, backbone=own.backbone, pretrained=own.pretrained)


def next_phases(
    record: RunRecord, folder: RunFolder, phase: TrainConfig | None
) -> tuple[TrainConfig, ...]:
    """The phases of a run that resumes this one, with `phase` as its last one.

    None goes on where the run was stopped. Raises RunError when that cannot be.
    """
    if not record.is_over:
        raise RunError(
            message("This training is not over yet."),
            hint=message("Stop it first, or wait for its end."),
        )
    if record.best_epoch is None:
        raise RunError(
            message("This run has no finished epoch."), hint=message("Press Train again.")
        )
    _check_whole(record)
    if phase is not None:
        last = record.epochs[-1].phase  # a phase that never began is left out
        return (*phases_of_run(record)[:last], phase)
    if record.state != "stopped" or not folder.has_state():
        raise RunError(
            message("This run cannot go on where it ended."),
            hint=message("Only a stopped training can. Fine-tune it, or train again."),
        )
    return phases_of_run(record)


def _check_whole(record: RunRecord) -> None:
    """Raise RunError when epochs are lost: what goes on counts and compares with all of them."""
    told = [row.epoch for row in record.epochs]
    if told != list(range(1, len(told) + 1)) or record.best_epoch not in told:
        raise RunError(
            message("Figures of this run are lost, so nothing can go on from it."),
            hint=message("Its model still answers. Train again to go on from there."),
        )


def check_same_pictures(record: RunRecord, dataset: Dataset) -> None:
    """Raise RunError unless the run learned from these pictures, split alike."""
    before = (record.data_fingerprint, record.held_out_share, record.split_seed)
    if before != (dataset.images.fingerprint, dataset.held_out_share, dataset.split_seed):
        raise RunError(
            message(
                'The pictures of "{name}" have changed since this run.', name=record.dataset_name
            ),
            hint=message("Train the head again, then go on from there."),
        )


def _rows_with_models(record: RunRecord) -> tuple[EpochRow, ...]:
    """The epochs as far as none is better than the best one whose model was kept: a process that
    was killed had told more than it had saved."""
    best = next(row for row in record.epochs if row.epoch == record.best_epoch)
    return tuple(takewhile(lambda row: rank(row) <= rank(best), record.epochs))


def make_start(
    record: RunRecord, folder: RunFolder, best: Classifier, phases: tuple[TrainConfig, ...]
) -> tuple[Start, tuple[EpochRow, ...]]:
    """Where the training goes on, and the epochs that lie before it.

    Raises RunError when the state of a stopped run is gone or damaged.
    """
    if len(phases) > len(phases_of_run(record)) or phases != phases_of_run(record):
        rows = _rows_with_models(record)
        return Start(phase=len(phases), told=rows, best=best, state=None), rows
    kept = folder.state()
    if kept is None or kept[0] not in [row.epoch for row in record.epochs]:
        raise RunError(
            message("What this training needs to go on is damaged."),
            hint=message("Fine-tune its best epoch, or train again."),
        )
    epoch, state = kept
    rows = tuple(row for row in record.epochs if row.epoch <= epoch)
    return Start(phase=rows[-1].phase, told=rows, best=best, state=state), rows
