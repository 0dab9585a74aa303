"""What one keystroke in a settings field costs the server while the limit of runs is kept."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.benchmarks.rows import Row
from tests.runs.examples import make_record, make_row
from tlapp.backbones.catalog import DEFAULT_BACKBONE
from tlapp.data.dataset import ImportFinished
from tlapp.runs.store import RunStore
from tlapp.settings import LOCAL_LIMITS, Settings
from tlapp.ui.layout import build_page
from tlapp.ui.page import Page
from tlapp.workspace import Workspace, new_visitor, owner_of

RUNS, EPOCHS = 500, 30
KEYSTROKES = 40
GOAL_MILLISECONDS = 20


def measure(folder: Path) -> tuple[Row, ...]:
    """The handler alone, without Gradio's queue: what it reads, computes and draws."""
    token = new_visitor()
    owner = owner_of(token)
    settings = Settings(home=folder / "home", is_public=False, limits=LOCAL_LIMITS)
    run_id = _keep_runs(settings.home, owner)
    workspace = Workspace(settings)
    try:
        for event in workspace.library.import_samples(owner, should_stop=lambda: False):
            if isinstance(event, ImportFinished):
                dataset_id = event.dataset.dataset_id
        workspace.visitors.change(
            owner, lambda state: replace(state, dataset_id=dataset_id, run_id=run_id)
        )
        press = _keystroke(Page(workspace=workspace, settings=settings), token)
        press(1)
        milliseconds = [1_000 * press(number) for number in range(2, 2 + KEYSTROKES)]
    finally:
        workspace.close()
    name = f"a keystroke in a settings field, {RUNS} runs kept"
    median = statistics.median(milliseconds)
    return (Row(name, median, "ms", goal=f"<= {GOAL_MILLISECONDS}"),)


def _keep_runs(home: Path, owner: str) -> str:
    """Finished runs of this visitor; the id of the newest."""
    store = RunStore(home / "runs")
    rows = [make_row(epoch) for epoch in range(1, 1 + EPOCHS)]
    for _ in range(RUNS):
        record = make_record(owner, state="finished", best_epoch=EPOCHS)
        run = store.create(record)
        for row in rows:
            run.append(row)
        run.write(replace(record, epochs=tuple(rows)))
        store.release(record.run_id)
    store.close()
    return record.run_id


def _keystroke(page: Page, token: str) -> Callable[[int], float]:
    """Types so many epochs; the seconds that it took."""
    event = next(each for each in build_page(page).fns.values() if each.name == "change_settings")
    stages = page.workspace.models.sketch(DEFAULT_BACKBONE).stages
    special = {"backbones": DEFAULT_BACKBONE, "ladder": tuple(stage.name for stage in stages)}
    values = {
        each: special.get(str(each.elem_id), getattr(each, "value", None)) for each in event.inputs
    }
    (owner,) = (each for each in event.inputs if each.get_block_name() == "browserstate")
    (epochs,) = (each for each in event.inputs if each.elem_id == "epochs")
    handler: Any = event.fn
    request = SimpleNamespace(session_hash="tab", headers={}, request=None)

    def press(number: int) -> float:
        sent = {**values, owner: token, epochs: number}
        started = time.perf_counter()
        handler(sent, request)
        return time.perf_counter() - started

    return press
