"""What an event of the page reads: each file at most once, and the split is drawn once."""

import asyncio
import inspect
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from tests.pictures import jpeg, zip_folder
from tests.reads import counted
from tests.runs.examples import kept_run
from tests.ui.conftest import KEY
from tests.ui.filled import settings_sent
from tests.ui.searches import found, sweep
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining, bring, wait_until
from tlapp.data.dataset import Dataset
from tlapp.runs.store import RunStore
from tlapp.training.config import TrainConfig
from tlapp.ui.door.key import COOKIE
from tlapp.ui.page import Page
from tlapp.ui.sent import Sent
from tlapp.ui.table import Panels, table, watched
from tlapp.ui.widgets.folder_drop import Upload
from tlapp.ui.widgets.picture_drop import PictureUpload
from tlapp.ui.wiring import Row, carry_out, carry_out_stepwise, carry_out_waiting, follow, open_page
from tlapp.workspace import owner_of

RUNS = 20  # of 500: what is read of each does not depend on how many there are
TOKEN: Any = "token"  # stands for the component that holds it
CONFIG = TrainConfig(epochs=7)
OPENED = TrainConfig(epochs=7, freeze="last:1")  # whose epochs are long enough to be measured
REQUEST: Any = SimpleNamespace(session_hash="tab", headers={"cookie": f"{COOKIE}={KEY}"})

Values = dict[Any, Any]


@dataclass(frozen=True, eq=False)
class Stage:
    """A visitor with pictures, settings, more runs, and one on the page that was trained here."""

    page: Page
    panels: Panels
    token: str
    steps: StepTraining
    folder: Path
    dataset: Dataset
    run_id: str

    @property
    def owner(self) -> str:
        return owner_of(self.token)

    def train(self) -> str:
        """A training under way, with an epoch behind it."""
        self.steps.go_on()
        run_id = self.page.workspace.trainings.start(self.owner, self.dataset, CONFIG)
        self.steps.step()
        wait_until(self.page.workspace, run_id, lambda live: live.record.epochs)
        return run_id

    def end_all(self) -> None:
        """Nothing of the visitor's is under way any more."""
        workspace, visit = self.page.workspace, self.page.visit(self.token)
        for record in workspace.trainings.records(self.owner):
            workspace.trainings.stop(record.run_id)
            assert workspace.trainings.wait(record.run_id, PATIENCE_SECONDS)
        for experiment in (visit.rate_search, visit.mistake):
            if experiment is not None:
                workspace.experiments.stop(experiment.experiment_id)
                assert workspace.experiments.wait(experiment.experiment_id, PATIENCE_SECONDS)

    def show(self, **changes: object) -> None:
        """The visitor's page as it was at first, but for these."""
        dataset_id = self.dataset.dataset_id
        self.page.workspace.library.save(self.dataset)
        first = {"dataset_id": dataset_id, "pending_dataset_id": None, "run_id": self.run_id}
        self.page.visit(self.token).keep(**{**first, "config": CONFIG, **changes})

    def bring_more(self) -> Values:
        """An import that waits for a decision."""
        dataset = bring(self.page.workspace, self.owner, self.folder)
        self.show(pending_dataset_id=dataset.dataset_id)
        return {}

    def show_training(self) -> Values:
        """A training under way on the page."""
        self.show(run_id=self.train())
        return {}

    def show_stopped(self) -> Values:
        """A training on the page that can be resumed."""
        self.show_training()
        self.end_all()
        return {}

    def upload(self) -> Values:
        """A zip that has arrived, of which the browser left something out."""
        path = zip_folder(self.folder, self.page.settings.home / "upload.zip")
        return {self.panels.data.drop: Upload(str(path), "Zipped", (("a.txt", "too_large"),), 1)}

    def upload_pictures(self) -> Values:
        """Pictures that have arrived to be tried."""
        path = self.page.settings.home / "upload.jpg"
        path.write_bytes(jpeg())
        return {self.panels.trying.drop: [PictureUpload(str(path), "cat.jpg")]}

    def name_folder(self) -> Values:
        """The path of a folder, typed."""
        assert self.panels.data.local_path is not None
        return {self.panels.data.local_path: str(self.folder)}

    def find_rate(self) -> Values:
        """A search that is over."""
        found(self.page, self.owner, sweep())
        return {}

    def open_stages(self) -> Values:
        """Settings whose epochs can be measured."""
        self.show(config=OPENED)
        return {}


BEGIN = {"start", "resume", "fine_tune", "find_rate", "start_race", "make_mistake"}  # a job
NAMED = {"download": CONFIG.backbone, "make_mistake": "bgr"}  # in what is said of the event
PREPARED: dict[str, Callable[[Stage], Values]] = {
    "import_upload": Stage.upload,
    "import_folder": Stage.name_folder,
    "accept": Stage.bring_more,
    "discard": Stage.bring_more,
    "stop": Stage.show_training,
    "resume": Stage.show_stopped,
    "use_rate": Stage.find_rate,
    "measure_epoch": Stage.open_stages,
    "try_uploads": Stage.upload_pictures,
}


def _until_stopped(*_: object, should_stop: Callable[[], bool], **__: object) -> Iterator[Any]:
    """Stands in for an experiment."""
    while not should_stop():
        yield sweep()


@pytest.fixture
def stage(
    page: Page,
    panels: Panels,
    token: str,
    steps: StepTraining,
    small_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    for name in ("find_rate", "run_mistake"):
        monkeypatch.setattr(f"tlapp.workspace.experiments.{name}", _until_stopped)
    owner = owner_of(token)
    dataset = bring(page.workspace, owner, small_folder)
    store = RunStore(page.settings.home / "runs")
    for _ in range(RUNS):
        kept_run(store, owner)
    store.close()
    stage = Stage(page, panels, token, steps, small_folder, dataset, run_id="")
    run_id = stage.train()
    steps.finish()
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    steps.go_on()
    return replace(stage, run_id=run_id)


def _forget_all(page: Page) -> None:
    """Another time of change for every file: what is in memory of them counts no more."""
    for number, path in enumerate(page.settings.home.rglob("*.json*")):
        os.utime(path, (number, number))


def _sent(stage: Stage) -> Sent:
    """What the page sends with any event."""
    said = {
        **{"run": stage.run_id, "stage": "stage 9", "rate": 0.001, "outcome": ""},
        **{"action": "rename", "index": 0},
        "class_name": stage.dataset.images.class_names[0],
    }
    sent = settings_sent(stage.page, stage.panels, TrainConfig(epochs=9), said)
    split = {stage.panels.data.held_out_percent: 30, stage.panels.data.split_seed: 3}
    return replace(sent, values={**sent.values, **split})


def _press(page: Page, row: Row, values: Values, said: dict[str, Any]) -> None:
    """Carry this event out to its end."""
    sent = (page, row, TOKEN, values, REQUEST, gr.EventData(None, said))
    if inspect.isasyncgenfunction(row.action):
        asyncio.run(_to_its_end(carry_out_waiting(*sent)))
    elif inspect.isgeneratorfunction(row.action):
        assert list(carry_out_stepwise(*sent))
    else:
        carry_out(*sent)


async def _to_its_end(updates: Any) -> None:
    async for _ in updates:
        pass


def _read(page: Page, event: Callable[[], object], *, elsewhere: bool = False) -> list[str]:
    """What this event reads more than once."""
    _forget_all(page)
    with counted(elsewhere=elsewhere) as reads:
        event()
    return reads.repeated()


def test_every_event_reads_each_file_at_most_once(stage: Stage) -> None:
    """In its own thread: a job that it begins reads beside it. What waits for others has no thread
    of its own, and begins no job."""
    repeated: dict[str, list[str]] = {}
    rows = table(stage.panels)
    for row in sorted(rows, key=lambda row: row.name == "remove"):  # the last
        stage.show()
        more = PREPARED.get(row.name, lambda _: {})(stage)
        sent = _sent(stage)
        said = {**sent.event, "name": NAMED.get(row.name, "last")}
        values = {TOKEN: stage.token, **sent.values, **more}
        press = partial(_press, stage.page, row, values, said)
        waits = inspect.isasyncgenfunction(row.action)
        repeated.setdefault(row.name, []).extend(_read(stage.page, press, elsewhere=waits))
        is_under_way = bool(stage.page.visit(stage.token).under_way)
        assert is_under_way or row.name not in BEGIN, f"{row.name} began nothing"
        stage.end_all()
    assert {*PREPARED, *BEGIN} < set(repeated)
    assert {name: reads for name, reads in repeated.items() if reads} == {}


def test_opening_and_following_read_each_file_at_most_once(stage: Stage) -> None:
    page, panels = stage.page, stage.panels
    stage.show()
    drawn = tuple(panel for group in watched(panels) for panel in group)
    values = {TOKEN: stage.token}
    followed = partial(follow, page, watched(panels), TOKEN, values, REQUEST)
    opened = _read(page, lambda: open_page(page, drawn, TOKEN, lambda visit: {}, values, REQUEST))
    page.tabs.forget(page.visit(stage.token, "tab"))
    repeated = _read(page, lambda: asyncio.run(_to_its_end(followed())), elsewhere=True)
    assert (opened, repeated) == ([], [])
