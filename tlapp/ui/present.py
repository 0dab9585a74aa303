"""From values of the rooms to what the page and the API show. No words of its own, no decisions.

Whatever a visitor has named (classes, files) goes out as data to a widget, which shows it as text,
or through `html.escape`.
"""

import html
from collections.abc import Sequence
from typing import Any

from tlapp.data.dataset import Dataset
from tlapp.data.images import Finding
from tlapp.errors import TlappError
from tlapp.evaluation.test_pictures import TestAnswer
from tlapp.messages import Words
from tlapp.runs.live import LiveRun
from tlapp.settings import Settings
from tlapp.stored import plain
from tlapp.ui import text
from tlapp.ui.later import later
from tlapp.ui.text import damages as damage_words
from tlapp.ui.widgets.values import to_json
from tlapp.workspace import Experiment, Workspace


def header() -> str:
    """The top of the page."""
    return f"<header><h1>{later(text.TITLE)}</h1><p>{text.TAGLINE}</p></header>"


def zone_heading(number: int, heading: str) -> str:
    """A zone's heading, with its number."""
    return f'<h2><b aria-hidden="true">{number}</b>{heading}</h2>'


def note(message: str) -> str:
    """A plain message, read out politely by screen readers."""
    return f'<p role="status" class="tl-note">{html.escape(message)}</p>'


def next_step(message: str) -> str:
    """What can be done next with the run on the page; "" for nothing."""
    return f'<p class="tl-note">{html.escape(message)}</p>' if message else ""


def problem(error: TlappError) -> str:
    """What went wrong and what to do next, where it went wrong."""
    return (
        f'<p role="alert" class="tl-problem"><strong>{html.escape(str(error))}</strong> '
        f"{html.escape(str(error.hint))}</p>"
    )


def damages(workspace: Workspace, words: Words, owner: str = "") -> str:
    """What is damaged in the home folder; "" for nothing.

    On one's own machine all of it; where strangers may visit, what is this owner's and how much
    else there is.
    """
    found = workspace.damages.found()
    shown = found
    if workspace.settings.is_public:
        shown = tuple(each for each in found if owner and each.owner == owner)
    items = "".join(
        f"<li>{html.escape(words.say(what))} <b>{html.escape(words.say(to_do))}</b></li>"
        for what, to_do in map(damage_words.damage, shown)
    )
    others = len(found) - len(shown)
    said = html.escape(words.say(damage_words.others(others)))
    rest = f'<p class="tl-note">{said}</p>' if others else ""
    if not items:
        return rest
    summary = f"<summary>{html.escape(words.say(damage_words.heading(len(shown))))}</summary>"
    return f'<details class="tl-limits" open>{summary}<ul>{items}</ul></details>{rest}'


def limits(settings: Settings) -> str:
    """What a visitor may ask of this server."""
    items = "".join(f"<li>{html.escape(line)}</li>" for line in text.limit_lines(settings.limits))
    return f'<details class="tl-limits"><summary>{text.LIMITS_HEADING}</summary><ul>{items}</ul></details>'


# --- API ---------------------------------------------------------------------------------------


def dataset_json(dataset: Dataset, findings: Sequence[Finding], words: Words) -> dict[str, Any]:
    """The answer of `/create_dataset`."""
    counts = dataset.images.counts()
    return {
        "dataset_id": dataset.dataset_id,
        "classes": dict(zip(dataset.images.class_names, counts, strict=True)),
        "findings": [
            {**plain(finding), "message": words.say(finding.message)} for finding in findings
        ],
        "skipped": [
            {"name": each.name, "reason": words.say(each.reason)} for each in dataset.skipped
        ],
    }


def run_json(live: LiveRun) -> dict[str, Any]:
    """The answer of `/run`: the record less its owner, who is nobody's business."""
    record = live.record.to_json()
    del record["owner"]
    return {"state": live.state, "record": record}


def experiment_json(experiment: Experiment) -> dict[str, Any]:
    """The answer of `/experiment`; when it failed, with the reason and what to do."""
    failure = {"message": experiment.message, "hint": experiment.hint}
    return {
        "state": experiment.state,
        "value": to_json(experiment.value),
        **(failure if experiment.message else {}),
    }


def answers_json(results: Sequence[TestAnswer]) -> list[dict[str, Any]]:
    """The answer of `/predict`. A picture that cannot be read has an error and no classes."""
    return [
        {
            "file": result.name,
            "classes": [
                {"name": answer.name, "probability": answer.probability} for answer in result.ranked
            ],
            **({"error": result.error} if result.error else {}),
        }
        for result in results
    ]
