"""`lr-find`: one step at each of 100 rates on a folder of pictures, and which one to take."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tlapp.commands import exit_code_of
from tlapp.commands.bench import (
    LOOK_SECONDS,
    OWNER,
    PREPARING,
    STOPPING,
    done_of,
    import_pictures,
    open_bench,
)
from tlapp.commands.progress import Progress
from tlapp.errors import RunError, TrainingError
from tlapp.experiments.lr_finder import RateSweep
from tlapp.messages import Words, joined, message
from tlapp.training.presets import defaults
from tlapp.ui.text.rate_finder import outcome, why
from tlapp.workspace import Experiment, Experiments


def find_rate_for_folder(options: argparse.Namespace, home: Path, words: Words) -> int:
    """Search, print the suggestion, return the exit code. Raises TlappError."""
    config = defaults(
        options.freeze,
        backbone=options.backbone,
        pretrained=not options.scratch,
        seed=options.seed,
    )
    progress = Progress(sys.stderr, words)
    with open_bench(home) as workspace:
        try:
            dataset = import_pictures(workspace, options.folder, progress, words)
            experiment_id = workspace.experiments.start_rate_finder(OWNER, dataset, config)
            exit_code = _follow(workspace.experiments, experiment_id, progress)
        finally:
            progress.end()
        seen = workspace.experiments.look(experiment_id)
    if exit_code:
        return exit_code
    sweep = _found(seen)
    print(json.dumps(asdict(sweep)) if options.json else _as_text(sweep, words))
    return 0


def _follow(experiments: Experiments, experiment_id: str, progress: Progress) -> int:
    """Show the search until it is over; the exit code, which says whether it was cut short."""
    try:
        while not experiments.wait(experiment_id, LOOK_SECONDS):
            sweep = experiments.look(experiment_id).value
            if isinstance(sweep, RateSweep):
                _show(sweep, progress)
    except KeyboardInterrupt as interrupt:
        progress.show(STOPPING)
        experiments.stop(experiment_id)
        experiments.wait(experiment_id, None)
        return exit_code_of(interrupt)
    return 0


def _show(sweep: RateSweep, progress: Progress) -> None:
    if sweep.done:
        detail = message("step {step} of {steps}", step=str(sweep.done), steps=str(sweep.total))
        progress.show(message("Trying rates"), detail, sweep.done / sweep.total)
    elif sweep.pictures_total:
        done, total = sweep.pictures_done, sweep.pictures_total
        progress.show(PREPARING, done_of(done, total), done / total)


def _found(seen: Experiment) -> RateSweep:
    if seen.state == "failed":
        raise TrainingError(seen.message, hint=seen.hint)
    if not isinstance(seen.value, RateSweep) or not seen.value.is_over:
        raise RunError(
            message("The search was stopped before its end."), hint=message("Start it again.")
        )
    return seen.value


def _as_text(sweep: RateSweep, words: Words) -> str:
    return words.say(joined(outcome(sweep), why(sweep), by="\n")).replace("**", "")
