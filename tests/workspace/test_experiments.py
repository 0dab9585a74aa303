"""Experiments as jobs of a workspace."""

import threading
from collections.abc import Iterator

import pytest

from tests.training.tiny import tiny_backbone
from tests.workspace.conftest import PATIENCE_SECONDS
from tlapp.classifier import Classifier
from tlapp.data.dataset import Dataset
from tlapp.errors import JobError, NotFoundError, RunError, TrainingError
from tlapp.experiments.race import LANES
from tlapp.jobs.job import ShouldStop
from tlapp.messages import NOTHING, verbatim
from tlapp.recent import Recent
from tlapp.runs.record import RunRecord
from tlapp.runs.store import RunStore
from tlapp.training.config import TrainConfig
from tlapp.training.presets import phases_of
from tlapp.workspace import RACE, RATE_FINDER, Experiments, Workspace
from tlapp.workspace.experiments import WHAT


@pytest.fixture
def tiny_backbones(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every backbone is the network of a few hundred weights."""
    kept: Recent[str, Classifier] = Recent(9)  # they cannot be read back from disk
    monkeypatch.setattr(workspace.models, "_classifiers", kept)
    monkeypatch.setattr(workspace.models.estimates, "sketch", lambda name: tiny_backbone())
    monkeypatch.setattr(
        workspace.models.backbones,
        "get",
        lambda name, pretrained=True, seed=0: tiny_backbone(pretrained=pretrained, seed=seed),
    )


@pytest.fixture
def tiny_race(
    workspace: Workspace, owner: str, dataset: Dataset, tiny_backbones: None
) -> tuple[str, ...]:
    return workspace.experiments.start_race(owner, dataset, "efficientnet_lite0")


def test_a_race_is_five_runs_of_one_job(
    workspace: Workspace, owner: str, tiny_race: tuple[str, ...]
) -> None:
    for run_id in tiny_race:
        assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    records = workspace.experiments.newest_race(owner)
    assert [record.run_id for record in records] == list(tiny_race)
    assert [record.lane for record in records] == list(LANES)
    assert {record.state for record in records} == {"finished"}
    assert len({record.race_id for record in records}) == 1
    assert all(len(record.epochs) == record.planned_epochs for record in records)
    assert {record.data_fingerprint for record in records} == {records[0].data_fingerprint}
    assert workspace.trainings.classifier(tiny_race[-1]).class_names == ("dots", "stripes")


def test_stopping_one_lane_stops_the_race(
    workspace: Workspace, owner: str, tiny_race: tuple[str, ...]
) -> None:
    workspace.trainings.stop(tiny_race[0])
    for run_id in tiny_race:
        assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    states = {record.state for record in workspace.experiments.newest_race(owner)}
    assert "stopped" in states
    assert states <= {"finished", "stopped"}


def test_a_visitor_has_one_thing_under_way(
    workspace: Workspace, owner: str, dataset: Dataset, tiny_race: tuple[str, ...]
) -> None:
    assert workspace.trainings.under_way(owner) == RACE
    with pytest.raises(JobError):
        workspace.experiments.start_race(owner, dataset, "efficientnet_lite0")
    assert len(workspace.of(owner).runs()) == len(tiny_race)
    workspace.trainings.stop(tiny_race[0])
    assert workspace.trainings.wait(tiny_race[-1], PATIENCE_SECONDS)
    assert workspace.trainings.under_way(owner) == NOTHING


def test_an_experiment_is_under_way_until_it_is_over(workspace: Workspace, owner: str) -> None:
    goes_on = threading.Event()

    def values(should_stop: ShouldStop) -> Iterator[int]:
        assert goes_on.wait(PATIENCE_SECONDS)
        yield 1

    started = workspace.experiments.start(owner, RATE_FINDER, values)
    assert workspace.trainings.under_way(owner) == WHAT[RATE_FINDER]
    assert workspace.trainings.under_way("somebody else") == NOTHING
    goes_on.set()
    assert workspace.experiments.wait(started, PATIENCE_SECONDS)
    assert workspace.trainings.under_way(owner) == NOTHING


@pytest.fixture
def experiments(workspace: Workspace) -> Experiments:
    return workspace.experiments


def test_the_newest_value_of_an_experiment_is_kept(experiments: Experiments) -> None:
    experiment_id = experiments.start("ada", "count", lambda should_stop: iter(range(3)))
    assert experiments.wait(experiment_id, PATIENCE_SECONDS)
    seen = experiments.look(experiment_id)
    assert (seen.kind, seen.state, seen.value, seen.is_over) == ("count", "finished", 2, True)
    assert experiments.newest("ada", "count") == seen
    assert experiments.newest("ada", "other") is None
    assert experiments.newest("bob", "count") is None


def test_a_later_one_takes_the_place_of_an_earlier_one(experiments: Experiments) -> None:
    first = experiments.start("ada", "count", lambda should_stop: iter([1]))
    assert experiments.wait(first, PATIENCE_SECONDS)
    second = experiments.start("ada", "count", lambda should_stop: iter([2]))
    newest = experiments.newest("ada", "count")
    assert newest is not None
    assert newest.experiment_id == second
    with pytest.raises(NotFoundError):
        experiments.look(first)


def test_a_failure_is_told(experiments: Experiments) -> None:
    what, hint = verbatim("It is gone."), verbatim("Look elsewhere.")

    def values(should_stop: ShouldStop) -> Iterator[int]:
        raise NotFoundError(what, hint=hint)

    experiment_id = experiments.start("ada", "count", values)
    assert experiments.wait(experiment_id, PATIENCE_SECONDS)
    seen = experiments.look(experiment_id)
    assert (seen.state, seen.message, seen.hint) == ("failed", what, hint)


@pytest.mark.parametrize(
    "config", [TrainConfig(), TrainConfig(freeze="last:1", head_epochs=3)], ids=["head", "phases"]
)
def test_a_search_for_a_learning_rate_is_an_experiment(
    workspace: Workspace, owner: str, dataset: Dataset, tiny_backbones: None, config: TrainConfig
) -> None:
    experiment_id = workspace.experiments.start_rate_finder(owner, dataset, config)
    experiments = workspace.experiments
    assert experiments.wait(experiment_id, PATIENCE_SECONDS)
    seen = experiments.look(experiment_id)
    assert experiments.newest(owner, RATE_FINDER) == seen
    assert seen.state == "finished", seen.message
    assert seen.value.is_over
    assert seen.value.config == phases_of(config)[-1]
    assert workspace.of(owner).runs() == ()


def test_what_is_under_way_is_called_by_its_name(
    workspace: Workspace, owner: str, dataset: Dataset
) -> None:
    gate = threading.Event()

    def values(should_stop: ShouldStop) -> Iterator[int]:
        assert gate.wait(PATIENCE_SECONDS)
        yield 1

    workspace.experiments.start(owner, "count of sheep", values)
    with pytest.raises(JobError, match=r"Your count of sheep is (waiting|running) already"):
        workspace.experiments.start_rate_finder(owner, dataset, TrainConfig())
    gate.set()


def test_settings_that_cannot_work_are_refused_before_the_search(
    workspace: Workspace, owner: str, dataset: Dataset
) -> None:
    with pytest.raises(TrainingError, match="nowhere"):
        workspace.experiments.start_rate_finder(owner, dataset, TrainConfig(freeze="nowhere"))
    assert workspace.experiments.newest(owner, RATE_FINDER) is None


def test_the_search_for_a_learning_rate_is_stopped_without_a_suggestion(
    workspace: Workspace, owner: str, dataset: Dataset, tiny_backbones: None
) -> None:
    experiments = workspace.experiments
    experiment_id = workspace.experiments.start_rate_finder(
        owner, dataset, TrainConfig(freeze="none")
    )
    experiments.stop(experiment_id)
    assert experiments.wait(experiment_id, PATIENCE_SECONDS)
    seen = experiments.look(experiment_id)
    assert seen.state == "stopped"
    assert seen.value is None or not seen.value.is_over


def test_what_a_visitor_has_found_goes_with_the_visitor(experiments: Experiments) -> None:
    for owner in ("ada", "bob"):
        experiment_id = experiments.start(owner, "count", lambda should_stop: iter([1]))
        assert experiments.wait(experiment_id, PATIENCE_SECONDS)
    experiments.forget("ada")
    assert experiments.newest("ada", "count") is None
    assert experiments.newest("bob", "count") is not None


def test_a_mistake_of_the_head_is_held_against_the_head(
    workspace: Workspace, owner: str, dataset: Dataset, tiny_backbones: None
) -> None:
    config = TrainConfig(freeze="last:1", head_epochs=2, epochs=1)
    run_id = workspace.trainings.start(owner, dataset, config)
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    record = workspace.run(run_id)
    for name, epochs in (("labels_shuffled", 2), ("bgr", 3)):
        experiment_id = workspace.experiments.start_mistake(record, dataset, name)
        assert workspace.experiments.wait(experiment_id, PATIENCE_SECONDS)
        seen = workspace.experiments.look(experiment_id)
        assert seen.state == "finished", seen.message
        assert len(seen.value.right.accuracies) == epochs


def test_there_is_nothing_to_lose_from_scratch(
    workspace: Workspace, owner: str, dataset: Dataset, tiny_backbones: None
) -> None:
    config = TrainConfig(freeze="none", epochs=1, pretrained=False)
    run_id = workspace.trainings.start(owner, dataset, config)
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    with pytest.raises(RunError, match="from scratch"):
        workspace.experiments.start_mistake(workspace.run(run_id), dataset, "bgr")


def test_the_newest_race_is_found_by_its_own_records_alone(
    workspace: Workspace,
    owner: str,
    tiny_race: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for run_id in tiny_race:
        assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    asked: list[str] = []
    record = RunStore.record

    def counted(store: RunStore, run_id: str) -> RunRecord:
        asked.append(run_id)
        return record(store, run_id)

    with monkeypatch.context() as disk:
        disk.setattr(RunStore, "list", None)  # calling it would fail
        disk.setattr(RunStore, "record", counted)
        lanes = workspace.experiments.newest_race(owner)
    assert [lane.run_id for lane in lanes] == asked == list(tiny_race)


def test_a_lane_that_is_removed_leaves_the_others_and_a_race_that_is_removed_the_one_before(
    workspace: Workspace, owner: str, dataset: Dataset, tiny_race: tuple[str, ...]
) -> None:
    def newest() -> list[str]:
        return [record.run_id for record in workspace.experiments.newest_race(owner)]

    for run_id in tiny_race:
        assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    later = workspace.experiments.start_race(owner, dataset, "efficientnet_lite0")
    assert newest() == list(later)
    for run_id in later:
        assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    workspace.trainings.delete(later[0])
    assert newest() == list(later[1:])
    for run_id in later[1:]:
        workspace.trainings.delete(run_id)
    assert newest() == list(tiny_race)
    for run_id in tiny_race:
        workspace.trainings.delete(run_id)
    assert newest() == newest() == []
