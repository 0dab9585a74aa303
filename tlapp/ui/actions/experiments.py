"""What starts and stops the freeze race and the classic mistakes."""

from dataclasses import dataclass

from tlapp.errors import RunError
from tlapp.experiments.bench import OUTCOMES
from tlapp.runs.record import RunRecord
from tlapp.ui import text
from tlapp.ui.actions.data import accept_dataset
from tlapp.ui.actions.training import shown_dataset
from tlapp.ui.visit import Visit


@dataclass(frozen=True, kw_only=True)
class Guess:
    """Which mistake is to be made, and what is foretold of it."""

    mistake: str
    outcome: str


def start_race(visit: Visit, _: object = None) -> None:
    """Put a race with the pictures and the backbone on the page in the queue."""
    dataset, config = shown_dataset(visit), visit.config
    visit.workspace.experiments.start_race(
        visit.owner, dataset, config.backbone, seed=config.seed, language=visit.language
    )
    accept_dataset(visit, dataset.dataset_id)  # a refused race changes nothing


def stop_race(visit: Visit, _: object = None) -> None:
    """Stop every lane of the race; their best epochs are kept."""
    for live in visit.race:
        visit.workspace.trainings.stop(live.record.run_id)


def make_mistake(visit: Visit, guess: Guess) -> None:
    """Make a mistake on a copy of the run on the page."""
    record = measured_run(visit)
    if record is None:
        raise RunError(text.NO_RUN, hint=text.PRESS_TRAIN)
    dataset = visit.mine.dataset(record.dataset_id)
    outcome = guess.outcome if guess.outcome in OUTCOMES else ""
    visit.workspace.experiments.start_mistake(record, dataset, guess.mistake, guess=outcome)


def stop_mistake(visit: Visit, _: object = None) -> None:
    """Stop the visitor's mistake."""
    if visit.mistake is not None:
        visit.workspace.experiments.stop(visit.mistake.experiment_id)


def measured_run(visit: Visit) -> RunRecord | None:
    """The run on the page, if it is over and has a result on held-out pictures."""
    record = None if visit.run is None else visit.run.record
    is_measured = record is not None and record.is_over and record.valid_correct is not None
    return record if is_measured else None
