"""Taking up an earlier run: going on where it was stopped, or with one more phase."""

from dataclasses import replace
from itertools import takewhile

from tlapp.classifier import Classifier
from tlapp.data.dataset import Dataset
from tlapp.errors import RunError
from tlapp.runs.folder import RunFolder
from tlapp.runs.record import EpochRow, RunRecord
from tlapp.training.config import TrainConfig, config_from_values
from tlapp.training.loss import rank
from tlapp.training.task import Start


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
    """The phases of a run that takes this one up, with `phase` as its last one.

    None goes on where the run was stopped. Raises RunError when that cannot be.
    """
    if not record.is_over:
        raise RunError("This training is not over yet.", hint="Stop it first, or wait for its end.")
    if record.best_epoch is None:
        raise RunError("This run has no finished epoch.", hint="Press Train again.")
    _check_whole(record)
    if phase is not None:
        last = record.epochs[-1].phase  # a phase that never began is left out
        return (*phases_of_run(record)[:last], phase)
    if record.state != "stopped" or not folder.has_state():
        raise RunError(
            "This run cannot go on where it ended.",
            hint="Only a stopped training can. Fine-tune it, or train again.",
        )
    return phases_of_run(record)


def _check_whole(record: RunRecord) -> None:
    """Raise RunError when epochs are lost: what goes on counts and compares with all of them."""
    told = [row.epoch for row in record.epochs]
    if told != list(range(1, len(told) + 1)) or record.best_epoch not in told:
        raise RunError(
            "Figures of this run are lost, so nothing can go on from it.",
            hint="Its model still answers. Train again to go on from there.",
        )


def check_same_pictures(record: RunRecord, dataset: Dataset) -> None:
    """Raise RunError unless the run learned from these pictures, split alike."""
    before = (record.data_fingerprint, record.held_out_share, record.split_seed)
    if before != (dataset.images.fingerprint(), dataset.held_out_share, dataset.split_seed):
        raise RunError(
            f'The pictures of "{record.dataset_name}" have changed since this run.',
            hint="Train the head again, then go on from there.",
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
            "What this training needs to go on is damaged.",
            hint="Fine-tune its best epoch, or train again.",
        )
    epoch, state = kept
    rows = tuple(row for row in record.epochs if row.epoch <= epoch)
    return Start(phase=rows[-1].phase, told=rows, best=best, state=state), rows
