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
from tlapp.messages import Message, Words, message
from tlapp.runs.record import RunRecord
from tlapp.ui.text.racing import lane_figure, lane_title, verdict


def race_folder(options: argparse.Namespace, home: Path, words: Words) -> int:
    """Run the race, print what it has shown, return the exit code. Raises TlappError."""
    progress = Progress(sys.stderr, words)
    exit_code = 0
    with open_bench(home) as workspace:
        try:
            dataset = import_pictures(workspace, options.folder, progress, words)
            run_ids = workspace.experiments.start_race(
                OWNER, dataset, options.backbone, seed=options.seed, language=words.language
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
    sentences = tuple(map(words.say, verdict(result, records))) if result else ()
    lanes = [_lane(record, folder, words) for record, folder in zip(records, folders, strict=True)]
    if options.json:
        winner = result.winner if result else None
        print(json.dumps({"lanes": lanes, "winner": winner, "verdict": sentences}))
    else:
        said = [_as_text(record, words) for record in records]
        print("\n".join([*said, *(s.replace("**", "") for s in sentences)]))
    return exit_code


def _lane(record: RunRecord, folder: str, words: Words) -> dict[str, Any]:
    return {
        "lane": record.lane,
        "state": record.state,
        "message": words.say(record.message),
        "valid_accuracy": record.valid_accuracy,
        "valid_interval": record.valid_interval,
        "best_epoch": record.best_epoch,
        "epochs": len(record.epochs),
        "seconds": record.seconds,
        "trainable_parameters": record.trainable_parameters,
        "run_dir": folder,
    }


def _as_text(record: RunRecord, words: Words) -> str:
    title = words.say(lane_title(record))
    if record.valid_accuracy is None:
        ended = words.say(_ended(record))
        return f"{title:20} {ended}".rstrip()
    seconds = words.number(record.seconds or 0.0, 1)
    return f"{title:20} {words.say(lane_figure(record)):>6}  {seconds:>6} s"


def _ended(record: RunRecord) -> Message:
    """How a lane without an accuracy ended."""
    match record.state:
        case "failed":
            return message("failed: {why}", why=record.message)
        case "stopped":
            return message("stopped: {why}", why=record.message)
        case _:
            return message("finished: {why}", why=record.message)
