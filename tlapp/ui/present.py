"""From values of the rooms to what the page and the API show. No words of its own, no decisions.

Whatever a visitor has named (classes, files) goes out as data to a widget, which shows it as text,
or through `html.escape`.
"""

import html
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

from tlapp.data.dataset import Dataset
from tlapp.data.images import Finding
from tlapp.errors import TlappError
from tlapp.evaluation.test_pictures import TestAnswer
from tlapp.messages import Message, Words
from tlapp.runs.live import LiveRun
from tlapp.runs.record import RunRecord
from tlapp.settings import Settings
from tlapp.stored import plain
from tlapp.ui import text
from tlapp.ui.later import later
from tlapp.ui.text import damages as damage_words
from tlapp.workspace import Experiment, Workspace

_MESSAGES_OF_A_RECORD: Final = tuple(
    each.name for each in fields(RunRecord) if each.type is Message
)


def header() -> str:
    """The top of the page."""
    return f"<header><h1>{later(text.TITLE)}</h1><p>{later(text.TAGLINE)}</p></header>"


def zone_heading(number: int, said: str) -> str:
    """A zone's heading, with its number."""
    return f'<h2><b aria-hidden="true">{number}</b>{said}</h2>'


def note(said: str) -> str:
    """A plain message, read out politely by screen readers."""
    return f'<p role="status" class="tl-note">{html.escape(said)}</p>'


def next_step(said: str) -> str:
    """What can be done next with the run on the page; "" for nothing."""
    return f'<p class="tl-note">{html.escape(said)}</p>' if said else ""


def problem(error: TlappError, words: Words) -> str:
    """What went wrong and what to do next, where it went wrong."""
    return (
        f'<p role="alert" class="tl-problem"><strong>{html.escape(words.say(error.what))}</strong> '
        f"{html.escape(words.say(error.hint))}</p>"
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
    rest = f'<p class="tl-note">{words.say(damage_words.others(others))}</p>' if others else ""
    if not items:
        return rest
    summary = f"<summary>{words.say(damage_words.heading(len(shown)))}</summary>"
    return f'<details class="tl-limits" open>{summary}<ul>{items}</ul></details>{rest}'


def limits(settings: Settings) -> str:
    """What a visitor may ask of this server."""
    lines = text.limit_lines(settings.limits)
    items = "".join(f"<li>{html.escape(later(line))}</li>" for line in lines)
    summary = f"<summary>{later(text.LIMITS_HEADING)}</summary>"
    return f'<details class="tl-limits">{summary}<ul>{items}</ul></details>'


# --- API ---------------------------------------------------------------------------------------


def dataset_json(dataset: Dataset, findings: Sequence[Finding], words: Words) -> dict[str, Any]:
    """The answer of `/create_dataset`."""
    counts = dataset.images.counts()
    return {
        "dataset_id": dataset.dataset_id,
        "classes": dict(zip(dataset.images.class_names, counts, strict=True)),
        "findings": plain(findings, words.say),
        "skipped": plain(dataset.skipped, words.say),
    }


def run_json(live: LiveRun, words: Words) -> dict[str, Any]:
    """The answer of `/run`: the record less its owner, who is nobody's business, and with words in
    place of its messages."""
    record = live.record
    values = record.to_json()
    del values["owner"]
    said = {name: plain(getattr(record, name), words.say) for name in _MESSAGES_OF_A_RECORD}
    return {"state": live.state, "record": {**values, **said}}


def experiment_json(experiment: Experiment, words: Words) -> dict[str, Any]:
    """The answer of `/experiment`; when it failed, with the reason and what to do."""
    failure = {"message": words.say(experiment.message), "hint": words.say(experiment.hint)}
    return {
        "state": experiment.state,
        "value": plain(experiment.value, words.say),
        **(failure if experiment.message else {}),
    }


def answers_json(results: Sequence[TestAnswer], words: Words) -> list[dict[str, Any]]:
    """The answer of `/predict`. A picture that cannot be read has an error and no classes."""
    return [
        {
            "file": result.name,
            "classes": [
                {"name": answer.name, "probability": answer.probability} for answer in result.ranked
            ],
            **({"error": words.say(result.error)} if result.error else {}),
        }
        for result in results
    ]
