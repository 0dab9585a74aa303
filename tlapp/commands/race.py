"""`race`: a folder of labelled pictures, learned in five ways on the same split and seed."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tlapp.commands.bench import OWNER, follow, import_pictures, open_bench
from tlapp.commands.progress import Progress
from tlapp.errors import TrainingError
from tlapp.experiments.race import race_result
from tlapp.runs.record import RunRecord
from tlapp.ui.text.racing import lane_figure, lane_title, verdict


def race_folder(options: argparse.Namespace, home: Path) -> int:
    """Run the race, print what it has shown, return the exit code. Raises TlappError."""
    progress = Progress(sys.stderr)
    exit_code = 0
    with open_bench(home) as workspace:
        try:
            dataset = import_pictures(workspace, options.folder, progress)
            run_ids = workspace.experiments.start_race(
                OWNER, dataset, options.backbone, seed=options.seed
            )
            for run_id in run_ids:
                exit_code = exit_code or follow(workspace, run_id, progress)
        finally:
            progress.end()
        records = [workspace.run(run_id) for run_id in run_ids]
        folders = [str(workspace.trainings.folder(run_id)) for run_id in run_ids]
    if all(record.state == "failed" for record in records):
        raise TrainingError(records[0].message, hint=records[0].hint)
    result = race_result(records)
    sentences = verdict(result, records) if result else ()
    lanes = [_lane(record, folder) for record, folder in zip(records, folders, strict=True)]
    if options.json:
        winner = result.winner if result else None
        print(json.dumps({"lanes": lanes, "winner": winner, "verdict": sentences}))
    else:
        print("\n".join([*map(_as_text, records), *(s.replace("**", "") for s in sentences)]))
    return exit_code


def _lane(record: RunRecord, folder: str) -> dict[str, Any]:
    return {
        "lane": record.lane,
        "state": record.state,
        "message": record.message,
        "valid_accuracy": record.valid_accuracy,
        "valid_interval": record.valid_interval,
        "best_epoch": record.best_epoch,
        "epochs": len(record.epochs),
        "seconds": record.seconds,
        "trainable_parameters": record.trainable_parameters,
        "run_dir": folder,
    }


def _as_text(record: RunRecord) -> str:
    if record.valid_accuracy is None:
        return f"{lane_title(record):20} {record.state}: {record.message}".rstrip()
    return f"{lane_title(record):20} {lane_figure(record):>6}  {record.seconds or 0.0:6.1f} s"
