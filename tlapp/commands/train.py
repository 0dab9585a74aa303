"""`train`: from a folder of labelled pictures to a trained run, through the page's own rooms.

The pictures are imported into a folder of this command alone, locked while it runs and removed
with it; features stay in the cache, so that a second run starts at once.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tlapp.commands import exit_code_of
from tlapp.commands.progress import Progress
from tlapp.data.dataset import Dataset, ImportFinished, ImportProgress
from tlapp.errors import DataError, RunError, TrainingError
from tlapp.files import temporary_path
from tlapp.runs.folder import RECORD_NAME
from tlapp.runs.keeper import Keeper, is_kept
from tlapp.runs.record import RunRecord
from tlapp.settings import LOCAL_LIMITS, MEGABYTE, Settings
from tlapp.training.config import MAX_EPOCHS, TrainConfig
from tlapp.workspace.live import LiveRun
from tlapp.workspace.visitors import owner_of
from tlapp.workspace.workspace import Workspace

LOOK_SECONDS = 0.1  # how often progress is shown
OWNER = owner_of("command line")  # what its runs are kept under


def train_folder(options: argparse.Namespace, home: Path) -> int:
    """Train, print the result, return the exit code. Raises TlappError."""
    config = TrainConfig(
        backbone=options.backbone,
        freeze=options.freeze,
        seed=options.seed,
        epochs=options.epochs,
        learning_rate=options.lr,
    )
    if options.out is not None:
        _check_target(options.out)
    limits = replace(  # who types it may also wait
        LOCAL_LIMITS, training_seconds=float("inf"), epochs=MAX_EPOCHS
    )
    settings = Settings(home=home, is_public=False, limits=limits)
    progress = Progress(sys.stderr)
    began = time.perf_counter()
    with _import_folder(home) as imports, _workspace(settings, imports) as workspace:
        try:
            dataset = _import(workspace, options.folder, progress)
            run_id = workspace.start_training(OWNER, dataset.dataset_id, config)
            exit_code = _follow(workspace, run_id, progress)
            seconds = time.perf_counter() - began
        finally:
            progress.end()
        record = workspace.run(run_id)
        _check_outcome(record)
        run_dir = workspace.run_folder(run_id)
        if options.out is not None:
            run_dir = _move(run_dir, options.out)
    result = _result(record, seconds, run_dir)
    print(json.dumps(result) if options.json else _as_text(record, result))
    return exit_code


@contextmanager
def _workspace(settings: Settings, imports: Path) -> Iterator[Workspace]:
    workspace = Workspace(settings, datasets_folder=imports)
    try:
        yield workspace
    finally:
        workspace.close()


@contextmanager
def _import_folder(home: Path) -> Iterator[Path]:
    """A folder of this process; those of processes that were killed are removed."""
    parent = home / "imports"
    keeper = Keeper(parent)
    folder = (parent / keeper.name).with_suffix("")
    try:
        for path in parent.iterdir():
            if path.is_dir() and not is_kept(parent, f"{path.name}.lock"):
                shutil.rmtree(path, ignore_errors=True)
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        keeper.close()


def _import(workspace: Workspace, path: Path, progress: Progress) -> Dataset:
    if not path.exists():
        raise DataError(
            f'There is no folder "{path}".',
            hint="Name a folder that holds one folder of pictures per class, or a zip of it.",
        )
    start = workspace.import_folder if path.is_dir() else workspace.import_archive
    progress.show("Reading pictures")
    for event in start(OWNER, path, name=path.resolve().name, should_stop=lambda: False):
        if isinstance(event, ImportProgress):
            share = event.done / event.total if event.total else None
            progress.show("Reading pictures", f"{event.done} of {event.total}", share)
        elif isinstance(event, ImportFinished):
            _tell_skipped(event.dataset, progress)
            return event.dataset
    raise DataError("The import did not finish.", hint="Try again.")


def _tell_skipped(dataset: Dataset, progress: Progress) -> None:
    progress.end()
    for skipped in dataset.skipped:
        print(f"Skipped: {skipped.reason}", file=sys.stderr)


def _follow(workspace: Workspace, run_id: str, progress: Progress) -> int:
    """Show the training until it is over; the exit code, which says whether it was cut short."""
    try:
        while not workspace.wait(run_id, LOOK_SECONDS):
            _show(workspace.live(run_id), progress)
    except KeyboardInterrupt as interrupt:
        progress.show("Stopping")
        workspace.stop(run_id)
        workspace.wait(run_id, None)
        return exit_code_of(interrupt)
    return 0


def _show(live: LiveRun, progress: Progress) -> None:
    if live.phase == "download":
        done, total = live.download_done_bytes, live.download_total_bytes
        detail = f"{done / MEGABYTE:.1f} of {total / MEGABYTE:.1f} MB"
        progress.show("Downloading the backbone", detail, done / total if total else None)
    elif live.phase == "features":
        done, total = live.features_done, live.features_total
        speed = live.features_per_second or 0.0
        detail = f"{done} of {total}, {speed:.0f} pictures a second"
        progress.show("Preparing pictures", detail, done / total if total else None)
    elif live.phase == "training":
        last = live.record.epochs[-1] if live.record.epochs else None
        accuracy = None if last is None else last.valid_accuracy
        held_out = "" if accuracy is None else f", held-out accuracy {100 * accuracy:.1f} %"
        detail = f"epoch {live.epoch} of {live.epochs}{held_out}"
        progress.show("Training", detail, len(live.record.epochs) / max(1, live.epochs))


def _check_outcome(record: RunRecord) -> None:
    if record.state == "failed":
        raise TrainingError(record.message, hint=record.hint)
    if record.best_epoch is None:
        raise RunError(
            "The training was stopped before its first epoch was finished; nothing is kept.",
            hint="Let at least one epoch finish.",
        )


def _check_target(target: Path) -> None:
    """Refuse to write over anything but an earlier run."""
    if target.is_dir() and ((target / RECORD_NAME).exists() or not any(target.iterdir())):
        return
    if target.exists():
        raise RunError(
            f'"{target}" exists and holds something else than a run.',
            hint="Choose another folder for --out; it is created when needed.",
        )


def _move(run_dir: Path, target: Path) -> Path:
    """Put the run's folder at `target`, in place of an earlier run; appears whole."""
    target = target.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = temporary_path(target)
    shutil.copytree(run_dir, fresh)
    if target.exists():
        shutil.rmtree(target)
    fresh.replace(target)
    shutil.rmtree(run_dir, ignore_errors=True)
    return target


def _result(record: RunRecord, seconds: float, run_dir: Path) -> dict[str, Any]:
    return {
        "state": record.state,
        "classes": list(record.class_names),
        "train_count": record.train_count,
        "valid_count": record.valid_count,
        "valid_accuracy": record.valid_accuracy,
        "valid_interval": record.valid_interval,
        "best_epoch": record.best_epoch,
        "seconds": seconds,
        "feature_seconds": record.feature_seconds,
        "head_seconds": record.head_seconds,
        "images_per_second": record.images_per_second,
        "trainable_parameters": record.trainable_parameters,
        "frozen_parameters": record.frozen_parameters,
        "run_dir": str(run_dir),
    }


def _as_text(record: RunRecord, result: dict[str, Any]) -> str:
    lines = [
        f"{record.state.capitalize()}: {len(record.epochs)} epochs on {record.train_count} "
        f"pictures of {len(record.class_names)} classes in {result['seconds']:.1f} s."
    ]
    if record.valid_accuracy is not None and record.valid_interval is not None:
        low, high = record.valid_interval
        lines.append(
            f"Held-out accuracy {100 * record.valid_accuracy:.1f} % on {record.valid_count} "
            f"pictures (95 % interval {100 * low:.1f} to {100 * high:.1f} %)."
        )
    else:
        lines.append("No pictures were held out, so the accuracy cannot be measured.")
    run_dir = result["run_dir"]
    lines.append(f"Kept in {run_dir}\nTry it: python -m tlapp predict {run_dir} PICTURE")
    return "\n".join(lines)
