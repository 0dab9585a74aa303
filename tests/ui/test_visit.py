"""A visit: each thing is read once, and nothing of what is gone or somebody else's is shown."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.runs.examples import make_record, make_row
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining, wait_until
from tlapp.data.dataset import Dataset
from tlapp.messages import NOTHING
from tlapp.runs.live import LiveRun
from tlapp.runs.store import RunStore
from tlapp.training.config import TrainConfig
from tlapp.ui.page import Page
from tlapp.ui.visit import Visit, config_of, dataset_key, experiment_key, run_key
from tlapp.workspace import (
    MISTAKE,
    RATE_FINDER,
    TRAINING,
    Experiment,
    VisitorState,
    new_visitor,
    owner_of,
)

LEARNED = TrainConfig(epochs=2, learning_rate=0.004)  # by the run
TOUCHED = TrainConfig(epochs=7, learning_rate=0.01)
SMALL_BYTES = 1_000  # of a key that is kept for every tab
READS = {
    "visitors": ("state", "test_pictures"),
    "library": ("dataset", "datasets"),
    "trainings": ("live", "record", "records", "under_way"),
    "experiments": ("newest", "newest_race"),
}


@pytest.fixture
def run_id(page: Page, owner: str, dataset: Dataset, steps: StepTraining) -> str:
    """A run of the visitor's that was stopped after an epoch."""
    run_id = page.workspace.trainings.start(owner, dataset, LEARNED)
    steps.step()
    wait_until(page.workspace, run_id, lambda live: live.record.epochs)
    page.workspace.trainings.stop(run_id)
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    return run_id


@pytest.fixture
def reads(page: Page, monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[Any, ...]]:
    """How often each thing was asked of the services."""
    counts: Counter[tuple[Any, ...]] = Counter()

    def counted(name: str, read: Callable[..., Any]) -> Callable[..., Any]:
        def read_and_count(*arguments: Any) -> Any:
            counts[(name, *arguments)] += 1
            return read(*arguments)

        return read_and_count

    for service, names in READS.items():
        of = getattr(page.workspace, service)
        for name in names:
            monkeypatch.setattr(of, name, counted(name, getattr(of, name)))
    return counts


def all_of(visit: Visit) -> list[Any]:
    """Everything that can be asked of a visit."""
    return [
        *(visit.state, visit.under_way, visit.pending_dataset, visit.accepted_dataset),
        *(visit.dataset, visit.train_count, visit.run, visit.config, visit.race),
        *(visit.mistake, visit.rate_search, visit.learned_runs, visit.test_pictures),
        visit.can_begin,
    ]


def run_of_another_version(page: Page, token: str, run_id: str, **config: Any) -> None:
    """The run on the page was made with these settings."""
    record = page.workspace.run(run_id)
    run = RunStore(page.settings.home / "runs").folder(run_id)
    run.write(replace(record, config={**record.config, **config}))
    page.visit(token).keep(run_id=run_id)


# --- read once -------------------------------------------------------------------------------


def test_each_thing_is_read_once_however_often_it_is_asked_for(
    page: Page, token: str, dataset: Dataset, run_id: str, reads: Counter[tuple[Any, ...]]
) -> None:
    page.visit(token).keep(dataset_id=dataset.dataset_id, run_id=run_id)
    all_of(page.visit(token))  # the newest race is looked for once in the life of a server
    reads.clear()
    visit = page.visit(token)
    first = all_of(visit)
    assert all(before is after for before, after in zip(first, all_of(visit), strict=True))
    assert reads["state", visit.owner] == reads["live", run_id] == 1
    assert set(reads.values()) == {1}


def test_what_nobody_asks_for_is_not_read(
    page: Page, token: str, reads: Counter[tuple[Any, ...]]
) -> None:
    assert page.visit(token).dataset is None
    assert set(reads) == {("state", owner_of(token))}


def test_a_visit_stays_as_it_was_when_something_changes(
    page: Page, token: str, dataset: Dataset
) -> None:
    visit = page.visit(token)
    assert visit.dataset is None
    before = visit.keep(dataset_id=dataset.dataset_id)
    assert before == VisitorState()
    assert visit.dataset is None
    assert page.visit(token).dataset == dataset


# --- only what is the visitor's --------------------------------------------------------------


def test_a_new_visitor_has_nothing(page: Page, token: str) -> None:
    visit = page.visit(token)
    assert (visit.dataset, visit.train_count, visit.run, visit.mistake) == (None,) * 4
    assert (visit.rate_search, visit.test_pictures) == (None, None)
    assert (visit.race, visit.learned_runs, visit.under_way) == ((), (), NOTHING)
    assert not visit.can_begin
    assert visit.config == TrainConfig()


def test_what_is_somebody_elses_is_not_shown(page: Page, dataset: Dataset, run_id: str) -> None:
    stranger = page.visit(new_visitor())
    stranger.keep(
        dataset_id=dataset.dataset_id, pending_dataset_id=dataset.dataset_id, run_id=run_id
    )
    visit = Visit(page.workspace, stranger.owner)
    assert (visit.dataset, visit.pending_dataset, visit.run) == (None, None, None)
    assert visit.learned_runs == ()
    assert visit.config == TrainConfig()  # and not those of the run


def test_what_is_gone_is_not_shown(page: Page, token: str, dataset: Dataset, run_id: str) -> None:
    page.visit(token).keep(dataset_id=dataset.dataset_id, run_id=run_id)
    page.workspace.trainings.delete(run_id)
    page.workspace.library.delete(dataset)
    visit = page.visit(token)
    assert (visit.state.dataset_id, visit.state.run_id) == (dataset.dataset_id, run_id)
    assert (visit.dataset, visit.run) == (None, None)


@pytest.mark.parametrize("identifier", ["", "..", "../../etc", "x" * 5_000, "\0"])
def test_what_can_be_no_id_is_not_shown(page: Page, token: str, identifier: str) -> None:
    page.visit(token).keep(dataset_id=identifier, pending_dataset_id=identifier, run_id=identifier)
    visit = page.visit(token)
    assert (visit.dataset, visit.run) == (None, None)


def test_an_import_that_waits_is_shown_in_place_of_what_is_in_use(
    page: Page, token: str, dataset: Dataset
) -> None:
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    copy = replace(dataset, held_out_share=0.5)
    page.workspace.library.save(copy)
    page.visit(token).keep(pending_dataset_id=dataset.dataset_id, dataset_id=None)
    visit = page.visit(token)
    assert (visit.accepted_dataset, visit.dataset) == (None, copy)
    assert visit.train_count == len(copy.split.train)
    assert visit.can_begin


def test_runs_that_are_over_and_have_learned_come_newest_first(
    page: Page, token: str, owner: str, dataset: Dataset, run_id: str, steps: StepTraining
) -> None:
    stopped = page.workspace.trainings.start(owner, dataset, TrainConfig())
    page.workspace.trainings.stop(stopped)  # before it has learned anything
    assert page.workspace.trainings.wait(stopped, PATIENCE_SECONDS)
    later = page.workspace.trainings.start(owner, dataset, TrainConfig())
    assert [record.run_id for record in page.visit(token).learned_runs] == [run_id]
    steps.step()
    wait_until(page.workspace, later, lambda live: live.record.epochs)
    page.workspace.trainings.stop(later)
    assert page.workspace.trainings.wait(later, PATIENCE_SECONDS)
    assert [record.run_id for record in page.visit(token).learned_runs] == [later, run_id]


# --- settings --------------------------------------------------------------------------------


def test_settings_that_were_touched_go_before_those_of_the_run(
    page: Page, token: str, run_id: str
) -> None:
    page.visit(token).keep(run_id=run_id)
    assert page.visit(token).config == LEARNED
    page.visit(token).keep(config=TOUCHED)
    assert page.visit(token).config == TOUCHED


def test_settings_that_another_version_kept_give_way_to_those_of_the_run(
    page: Page, token: str, run_id: str
) -> None:
    page.visit(token).keep(run_id=run_id, config=replace(TOUCHED, freeze="a stage of old"))
    assert page.visit(token).config == LEARNED
    page.visit(token).keep(run_id=None)
    assert page.visit(token).config == TrainConfig()


@pytest.mark.parametrize(
    "config",
    [
        {"freeze": "a stage of old"},
        {"backbone": "no-network"},
        {"seed": -1},
    ],
)
def test_a_run_of_another_version_leaves_the_defaults(
    page: Page, token: str, run_id: str, config: dict[str, Any]
) -> None:
    run_of_another_version(page, token, run_id, **config)
    visit = page.visit(token)
    assert visit.run is not None
    assert visit.config == TrainConfig()


def test_the_phase_of_the_head_before_a_fine_tuning_counts_as_its_epochs() -> None:
    tuned = {"backbone": "resnet18", "freeze": "last:2", "epochs": 4}
    record = make_record(config=tuned, earlier_phases=({"freeze": "head", "epochs": 30},))
    assert config_of(record) == TrainConfig(
        backbone="resnet18", freeze="last:2", epochs=4, head_epochs=30
    )
    alone = replace(record, earlier_phases=())
    assert config_of(alone).head_epochs == TrainConfig(**tuned).head_epochs


# --- what is under way -----------------------------------------------------------------------


def test_nothing_can_begin_while_something_of_the_visitors_is_under_way(
    page: Page, token: str, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    page.visit(token).keep(dataset_id=dataset.dataset_id)
    assert page.visit(token).can_begin
    run_id = page.workspace.trainings.start(owner, dataset, TrainConfig())
    visit = page.visit(token)
    assert (visit.under_way, visit.can_begin) == (TRAINING, False)
    assert page.visit(new_visitor()).under_way == NOTHING
    page.workspace.trainings.stop(run_id)
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    visit = page.visit(token)
    assert (visit.under_way, visit.can_begin) == (NOTHING, True)


@pytest.mark.parametrize(("kind", "name"), [(MISTAKE, "mistake"), (RATE_FINDER, "rate_search")])
def test_an_experiment_is_under_way_and_found_again_under_its_kind(
    page: Page, token: str, owner: str, kind: str, name: str
) -> None:
    def values(should_stop: Callable[[], bool]) -> Iterator[str]:
        while not should_stop():
            yield kind

    experiment_id = page.workspace.experiments.start(owner, kind, values)
    visit = page.visit(token)
    assert visit.under_way
    found = {each: getattr(visit, each) for each in ("mistake", "rate_search")}
    assert found.pop(name).experiment_id == experiment_id
    assert set(found.values()) == {None}
    page.workspace.experiments.stop(experiment_id)
    assert page.workspace.experiments.wait(experiment_id, PATIENCE_SECONDS)
    assert page.visit(token).under_way == NOTHING


# --- keys ------------------------------------------------------------------------------------


def test_another_version_of_a_data_set_has_another_key_and_an_equal_one_the_same(
    page: Page, dataset: Dataset
) -> None:
    images = dataset.images
    renamed = replace(images, class_names=("dots", "lines"))
    others = [
        None,
        replace(dataset, dataset_id="another"),
        replace(dataset, images=renamed),
        replace(dataset, held_out_share=0.5),
        replace(dataset, split_seed=dataset.split_seed + 1),
        dataset.with_edit(renamed),
        dataset.with_edit(renamed).without_edit(),
    ]
    keys = [dataset_key(each) for each in (*others[:-1], dataset)]
    assert len(set(keys)) == len(keys)
    assert dataset_key(others[-1]) == dataset_key(dataset)
    assert dataset_key(page.workspace.dataset(dataset.dataset_id)) == dataset_key(dataset)
    assert len(repr(dataset_key(dataset))) < SMALL_BYTES


def test_a_run_that_goes_on_has_another_key_at_each_step() -> None:
    live = LiveRun(record=make_record(state="running"), phase="training", batch=1)
    assert run_key(live) == run_key(replace(live))
    assert run_key(live) != run_key(replace(live, batch=2))
    assert run_key(live) != run_key(replace(live, seconds_left=3.0))
    assert run_key(None) is None


def test_the_key_of_a_run_that_is_over_is_small_and_tells_what_is_shown() -> None:
    rows = tuple(make_row(epoch) for epoch in range(1, 201))
    record = make_record(state="stopped", epochs=rows)
    live = LiveRun(record=record, phase="done")
    others = [
        LiveRun(record=replace(record, name="Mine"), phase="done"),
        LiveRun(record=replace(record, state="finished"), phase="done"),
        LiveRun(record=record.with_best(3), phase="done"),
        LiveRun(record=make_record(state="stopped", epochs=rows), phase="done"),
        replace(live, can_go_on=True),
    ]
    keys = [run_key(each) for each in (live, *others)]
    assert len(set(keys)) == len(keys)
    assert all(len(repr(key)) < SMALL_BYTES for key in keys)


def test_the_key_of_an_experiment_that_is_over_holds_nothing_of_its_value() -> None:
    going = Experiment(experiment_id="e", kind=MISTAKE, state="running", value=1)
    assert experiment_key(None) is None
    assert experiment_key(going) == experiment_key(replace(going))
    assert experiment_key(going) != experiment_key(replace(going, value=2))
    over = replace(going, state="finished", value="x" * SMALL_BYTES)
    keys = [
        experiment_key(each)
        for each in (over, replace(over, state="stopped"), replace(over, experiment_id="f"))
    ]
    assert len(set(keys)) == len(keys)
    assert all(len(repr(key)) < SMALL_BYTES for key in keys)
