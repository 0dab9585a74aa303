"""`train`: from a folder of labelled pictures to a trained run, through the page's own rooms."""

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from tlapp.commands.bench import OWNER, follow, import_pictures, open_bench
from tlapp.commands.progress import Progress
from tlapp.errors import RunError, TrainingError
from tlapp.files import temporary_path
from tlapp.messages import Message, Value, Words, joined, message, number
from tlapp.runs.folder import RECORD_NAME
from tlapp.runs.record import RunRecord
from tlapp.training.config import TrainConfig
from tlapp.training.presets import asked_phases


def train_folder(options: argparse.Namespace, home: Path, words: Words) -> int:
    """Train, print the result, return the exit code. Raises TlappError."""
    if options.phases and options.epochs is not None:
        raise TrainingError(
            message("--epochs and --phases both say how many epochs."),
            hint=message("Leave one of them out."),
        )
    phases = asked_phases(
        TrainConfig(
            backbone=options.backbone,
            pretrained=not options.scratch,
            freeze=options.freeze,
            seed=options.seed,
            epochs=options.epochs,
            learning_rate=options.lr,
            backbone_learning_rate=options.backbone_lr,
        ),
        options.phases,
    )
    if options.out is not None:
        _check_target(options.out)
    progress = Progress(sys.stderr, words)
    began = time.perf_counter()
    with open_bench(home) as workspace:
        try:
            dataset = import_pictures(workspace, options.folder, progress, words)
            run_id = workspace.trainings.start(OWNER, dataset, *phases)
            exit_code = follow(workspace, run_id, progress)
            seconds = time.perf_counter() - began
        finally:
            progress.end()
        record = workspace.run(run_id)
        _check_outcome(record)
        run_dir = workspace.trainings.folder(run_id)
        if options.out is not None:
            run_dir = _move(run_dir, options.out)
    result = _result(record, seconds, run_dir)
    print(json.dumps(result) if options.json else words.say(_as_message(record, seconds, run_dir)))
    return exit_code


def _check_outcome(record: RunRecord) -> None:
    if record.state == "failed":
        raise TrainingError(record.message, hint=record.hint)
    if record.best_epoch is None:
        raise RunError(
            message(
                "The training was stopped before its first epoch was finished; nothing is kept."
            ),
            hint=message("Let at least one epoch finish."),
        )


def _check_target(target: Path) -> None:
    """Refuse to write over anything but an earlier run."""
    if target.is_dir() and ((target / RECORD_NAME).exists() or not any(target.iterdir())):
        return
    if target.exists():
        raise RunError(
            message('"{path}" exists and holds something else than a run.', path=str(target)),
            hint=message("Choose another folder for --out; it is created when needed."),
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


def _as_message(record: RunRecord, seconds: float, run_dir: Path) -> Message:
    return joined(
        _work(record, seconds),
        _accuracy(record),
        message("Kept in {path}", path=str(run_dir)),
        message("Try it: {command}", command=f"python -m tlapp predict {run_dir} PICTURE"),
        by="\n",
    )


def _work(record: RunRecord, seconds: float) -> Message:
    values: dict[str, Value] = {
        "epochs": str(len(record.epochs)),
        "pictures": str(record.train_count),
        "classes": str(len(record.class_names)),
        "seconds": number(seconds, 1),
    }
    if record.state == "stopped":
        return message(
            "Stopped: {epochs} epochs on {pictures} pictures of {classes} classes in {seconds} s.",
            **values,
        )
    return message(
        "Finished: {epochs} epochs on {pictures} pictures of {classes} classes in {seconds} s.",
        **values,
    )


def _accuracy(record: RunRecord) -> Message:
    if record.valid_accuracy is None or record.valid_interval is None:
        return message("No pictures were held out, so the accuracy cannot be measured.")
    low, high = record.valid_interval
    return message(
        "Held-out accuracy {percent} % on {pictures} pictures (95 % interval {low} to {high} %).",
        percent=number(100 * record.valid_accuracy, 1),
        pictures=str(record.valid_count),
        low=number(100 * low, 1),
        high=number(100 * high, 1),
    )
