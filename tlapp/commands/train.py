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
from tlapp.runs.folder import RECORD_NAME
from tlapp.runs.record import RunRecord
from tlapp.training.config import TrainConfig
from tlapp.training.presets import asked_phases


def train_folder(options: argparse.Namespace, home: Path) -> int:
    """Train, print the result, return the exit code. Raises TlappError."""
    if options.phases and options.epochs is not None:
        raise TrainingError(
            "--epochs and --phases both say how many epochs.", hint="Leave one of them out."
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
    progress = Progress(sys.stderr)
    began = time.perf_counter()
    with open_bench(home) as workspace:
        try:
            dataset = import_pictures(workspace, options.folder, progress)
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
    print(json.dumps(result) if options.json else _as_text(record, result))
    return exit_code


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
