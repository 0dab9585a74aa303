"""What an event of the page reads: each file at most once, and the split is drawn once."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from tests.reads import counted
from tests.runs.examples import kept_run
from tests.ui.filled import settings_sent
from tests.workspace.conftest import bring
from tlapp.runs.store import RunStore
from tlapp.training.config import TrainConfig
from tlapp.ui.page import Page
from tlapp.ui.sent import Sent
from tlapp.ui.table import Panels, table, watched
from tlapp.ui.wiring import Row, carry_out, follow, open_page
from tlapp.workspace import owner_of

RUNS = 20  # of 500: what is read of each does not depend on how many there are
TOKEN: Any = "token"  # stands for the component that holds it
# Events that bring files, wait for others, or begin a job, which reads beside them; and what is
# refused without a search.
LEFT_OUT = {
    *("import_upload", "import_samples", "import_folder", "try_uploads", "try_samples"),
    *("download", "measure_epoch", "use_rate"),
    *("start", "resume", "fine_tune", "find_rate", "start_race", "make_mistake"),
}
# These read once more what they have just written.
REWRITTEN = {
    **{name: ["run.json"] for name in ("rename", "pin", "unpin")},
    **{name: ["dataset.json"] for name in ("edit_classes", "change_split")},
}
REQUEST: Any = SimpleNamespace(session_hash="tab", headers={})


@pytest.fixture
def run_id(page: Page, token: str, small_folder: Path) -> str:
    """The run on the page of a visitor with pictures, settings and more runs."""
    owner = owner_of(token)
    dataset = bring(page.workspace, owner, small_folder)
    store = RunStore(page.settings.home / "runs")
    records = [kept_run(store, owner) for _ in range(RUNS)]
    store.close()
    run_id = records[0].run_id
    page.visit(token).keep(
        dataset_id=dataset.dataset_id, run_id=run_id, config=TrainConfig(epochs=7)
    )
    return run_id


def _forget_all(page: Page) -> None:
    """Another time of change for every file: what is in memory of them counts no more."""
    for number, path in enumerate(page.settings.home.rglob("*.json*")):
        os.utime(path, (number, number))


def _sent(page: Page, panels: Panels, token: str, run_id: str) -> Sent:
    """What the page sends with any event."""
    dataset = page.visit(token).dataset
    assert dataset is not None
    said = {
        **{"run": run_id, "name": "last", "stage": "stage 9", "rate": 0.001, "outcome": ""},
        **{"action": "rename", "index": 0},
        "class_name": dataset.images.class_names[0],
    }
    sent = settings_sent(page, panels, TrainConfig(epochs=9), said)
    split = {panels.data.held_out_percent: 30, panels.data.split_seed: 3}
    return replace(sent, values={**sent.values, **split})


def _read(page: Page, event: Callable[[], object]) -> list[str]:
    """What this event reads more than once."""
    _forget_all(page)
    with counted() as reads:
        event()
    return reads.repeated()


def test_every_event_reads_each_file_at_most_once(
    page: Page, panels: Panels, token: str, run_id: str
) -> None:
    sent = _sent(page, panels, token, run_id)
    found = {}

    def press(row: Row) -> None:
        values = {TOKEN: token, **sent.values}
        carry_out(page, row, TOKEN, values, REQUEST, gr.EventData(None, dict(sent.event)))

    for row in sorted(table(panels), key=lambda row: row.name == "remove"):  # the last
        if row.name not in LEFT_OUT:
            found[row.name] = _read(page, lambda row=row: press(row))  # type: ignore[misc]
    assert len(found) > 20
    assert found == {name: REWRITTEN.get(name, []) for name in found}


def test_opening_and_following_read_each_file_at_most_once(
    page: Page, panels: Panels, token: str, run_id: str
) -> None:
    drawn = tuple(panel for group in watched(panels) for panel in group)
    values = {TOKEN: token}

    async def followed() -> None:
        async for _ in follow(page, watched(panels), TOKEN, values, REQUEST):
            pass

    opened = _read(page, lambda: open_page(page, drawn, TOKEN, lambda visit: {}, values, REQUEST))
    page.tabs.forget(page.visit(token, "tab"))
    assert (opened, _read(page, lambda: asyncio.run(followed()))) == ([], [])
