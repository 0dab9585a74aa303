"""What Compare runs does: rename, keep and remove runs, show one again, take over its settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tlapp.errors import RunError
from tlapp.messages import message
from tlapp.runs.record import RunRecord
from tlapp.ui.asked import event_text
from tlapp.ui.visit import Visit, config_of

MOST_NAME_LENGTH = 120  # letters


@dataclass(frozen=True, kw_only=True)
class RunForm:
    """The run that is asked for, as it was sent."""

    event: Mapping[str, Any]

    def record(self, visit: Visit) -> RunRecord:
        """The visitor's run. Raises NotFoundError for a run of somebody else."""
        return visit.mine.run(event_text(self.event, "run"))


def rename(visit: Visit, form: RunForm) -> None:
    """Give a run another name."""
    record = form.record(visit)
    name = event_text(form.event, "name").strip()
    if not 0 < len(name) <= MOST_NAME_LENGTH:
        raise RunError(
            message(
                "A name has 1 to {most} letters; this one has {letters}.",
                most=MOST_NAME_LENGTH,
                letters=len(name),
            ),
            hint=message("Choose another name."),
        )
    visit.workspace.trainings.change(record.run_id, name=name)


def pin(visit: Visit, form: RunForm) -> None:
    """Keep a run when older ones make room."""
    visit.workspace.trainings.change(form.record(visit).run_id, pinned=True)


def unpin(visit: Visit, form: RunForm) -> None:
    """Let a run make room again."""
    visit.workspace.trainings.change(form.record(visit).run_id, pinned=False)


def remove(visit: Visit, form: RunForm) -> None:
    """Remove a run and its model. One that is pinned is let go of first."""
    record = form.record(visit)
    if record.is_pinned:
        raise RunError(
            message('"{name}" is kept.', name=record.name),
            hint=message("Let go of it first, then remove it."),
        )
    visit.workspace.trainings.delete(record.run_id)


def show_run(visit: Visit, form: RunForm) -> None:
    """Show a run on the page again: its curves, its result, and its answers in Try."""
    record = form.record(visit)
    if visit.run is not None and not visit.run.is_over:
        raise RunError(
            message("The training on the page is not over yet."),
            hint=message("Wait for its end or stop it first."),
        )
    visit.keep(run_id=record.run_id)


def adopt_settings(visit: Visit, form: RunForm) -> None:
    """Take over a run's settings for the next training."""
    visit.keep(config=config_of(form.record(visit)))
