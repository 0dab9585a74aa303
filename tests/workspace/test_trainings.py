"""Trainings as page and API see them: live, stoppable, found again, one at a time."""

import errno
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.pictures import class_folder, jpeg
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining, bring, wait_until
from tlapp.bounds import PHASES
from tlapp.data.dataset import Dataset
from tlapp.errors import (
    JobError,
    NotFoundError,
    RunError,
    ServerError,
    TrainingError,
)
from tlapp.messages import NOTHING, Message, joined, verbatim
from tlapp.runs.store import RunStore
from tlapp.settings import Limits, Settings
from tlapp.stopping import ShouldStop
from tlapp.training.config import TrainConfig
from tlapp.workspace import RATE_FINDER, TRAINING, Workspace, new_visitor, owner_of
from tlapp.workspace.estimates import Estimates
from tlapp.workspace.experiments import WHAT


def test_a_real_training_is_recorded_kept_and_answers(
    workspace: Workspace, owner: str, dataset: Dataset, settings: Settings
) -> None:
    config = TrainConfig(epochs=12, seed=3)
    run_id = workspace.trainings.start(owner, dataset, config, name="Mine")
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    record = workspace.run(run_id)
    assert (record.state, record.message) == ("finished", NOTHING)
    assert [row.epoch for row in record.epochs] == list(range(1, 13))
    assert record.train_count + record.valid_count == 12
    assert record.valid_accuracy is not None
    assert sum(result.total for result in record.class_results) == record.valid_count
    assert sum(result.correct for result in record.class_results) == record.valid_correct
    assert record.replaced_layer
    assert record.versions["torch"]
    json.dumps(record.to_json(), allow_nan=False)
    answer = workspace.visitors.answers(
        workspace.visitors.prepare([("new.jpg", jpeg(0, 500))]),
        workspace.trainings.classifier(run_id),
    )[0]
    assert {item.name for item in answer.ranked} == {"dots", "stripes"}
    workspace.close()

    later = Workspace(settings)
    assert later.run(run_id) == record
    again = later.visitors.answers(
        later.visitors.prepare([("new.jpg", jpeg(0, 500))]), later.trainings.classifier(run_id)
    )[0]
    assert again.ranked == answer.ranked
    later.close()


def test_the_same_seed_gives_the_same_weights_while_others_work(
    workspace: Workspace, owner: str, dataset: Dataset
) -> None:
    heads = []
    for _ in range(2):
        run_id = workspace.trainings.start(owner, dataset, TrainConfig(epochs=5, seed=7))
        torch.manual_seed(len(heads))  # what somebody else might do meanwhile
        torch.rand(100)
        assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
        heads.append(workspace.trainings.classifier(run_id).head.weight)
    assert torch.equal(heads[0], heads[1])


def test_a_run_is_seen_live_epoch_by_epoch(
    workspace: Workspace, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    run_id = workspace.trainings.start(owner, dataset, TrainConfig(epochs=4))
    with pytest.raises(RunError, match="first epoch"):
        workspace.trainings.classifier(run_id)
    steps.step(2)
    live = wait_until(workspace, run_id, lambda live: len(live.record.epochs) == 2)
    assert (live.phase, live.epoch, live.epochs, live.classifier_epoch) == ("training", 2, 4, 2)
    assert live.seconds_left is not None
    assert float(workspace.trainings.classifier(run_id).head.bias[0]) == 2.0
    steps.finish()
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    live = workspace.live(run_id)
    assert (live.phase, live.state, live.classifier_epoch) == ("done", "finished", 2)


def test_stopping_keeps_the_best_epoch_so_far(
    workspace: Workspace, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    run_id = workspace.trainings.start(owner, dataset, TrainConfig(epochs=30))
    steps.step(3)
    wait_until(workspace, run_id, lambda live: live.epoch == 3)
    workspace.trainings.stop(workspace.of(owner).run(run_id).run_id)
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    record = workspace.run(run_id)
    assert (record.state, record.best_epoch) == ("stopped", 3)
    assert str(record.message) == "Stopped after 3 of 30 epochs. The best one (3) is kept."
    assert float(workspace.trainings.classifier(run_id).head.bias[0]) == 3.0
    workspace.trainings.stop(run_id)


def test_a_second_press_is_refused_and_the_first_run_goes_on(
    workspace: Workspace, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    run_id = workspace.trainings.start(owner, dataset, TrainConfig())
    with pytest.raises(JobError, match=r"is (waiting|running) already"):
        workspace.trainings.start(owner, dataset, TrainConfig())
    assert [record.run_id for record in workspace.of(owner).runs()] == [run_id]
    steps.step()
    wait_until(workspace, run_id, lambda live: live.epoch == 1)


def test_the_next_visitor_waits_and_sees_the_place_in_the_queue(
    workspace: Workspace, owner: str, dataset: Dataset, steps: StepTraining, small_folder: Path
) -> None:
    workspace.trainings.start(owner, dataset, TrainConfig())
    other = owner_of(new_visitor())
    theirs = bring(workspace, other, small_folder)
    run_id = workspace.trainings.start(other, theirs, TrainConfig())
    live = workspace.of(other).live(run_id)
    assert (live.state, live.phase, live.queue_position) == ("waiting", "waiting", 1)
    workspace.trainings.stop(workspace.of(other).run(run_id).run_id)
    assert workspace.live(run_id).state == "stopped"


def test_a_training_that_fails_says_why_and_the_next_one_runs(
    workspace: Workspace, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    what, hint = verbatim("Learning rate too high."), verbatim("Try 0.001.")
    steps.error = TrainingError(what, hint=hint)
    run_id = workspace.trainings.start(owner, dataset, TrainConfig())
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    record = workspace.run(run_id)
    assert (record.state, record.message, record.hint) == (
        "failed",
        what,
        hint,
    )
    steps.error = None
    steps.step()
    second = workspace.trainings.start(owner, dataset, TrainConfig())
    wait_until(workspace, second, lambda live: live.epoch == 1)


def test_the_time_limit_keeps_the_best_epoch_and_says_so(
    settings: Settings,
    small_folder: Path,
    steps: StepTraining,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passed = [0.0]  # seconds
    monkeypatch.setattr("tlapp.jobs.job.Job.seconds", lambda _: passed[0])
    limits = replace(settings.limits, training_seconds=60.0)
    workspace = Workspace(replace(settings, limits=limits))
    owner = owner_of(new_visitor())
    dataset = bring(workspace, owner, small_folder)
    steps.step()
    run_id = workspace.trainings.start(owner, dataset, TrainConfig(epochs=30))
    wait_until(workspace, run_id, lambda live: live.epoch == 1)
    passed[0] = 61.0
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    record = workspace.run(run_id)
    workspace.close()
    assert (record.state, record.best_epoch) == ("stopped", 1)
    assert "a training may take 1 min here" in str(record.message)


def test_other_visitors_see_nothing_of_it(
    workspace: Workspace, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    run_id = workspace.trainings.start(owner, dataset, TrainConfig())
    stranger = owner_of(new_visitor())
    with pytest.raises(NotFoundError):
        workspace.of(stranger).dataset(dataset.dataset_id)
    for ask in (workspace.of(stranger).run, workspace.of(stranger).live):
        with pytest.raises(NotFoundError):
            ask(run_id)
    assert workspace.run(run_id).state in ("waiting", "running")
    assert workspace.of(stranger).runs() == ()


def test_what_a_training_uses_cannot_be_removed_meanwhile(
    workspace: Workspace, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    run_id = workspace.trainings.start(owner, dataset, TrainConfig())
    with pytest.raises(RunError, match="using these pictures"):
        workspace.library.delete(workspace.of(owner).dataset(dataset.dataset_id))
    with pytest.raises(RunError, match="not over yet"):
        workspace.trainings.delete(workspace.of(owner).run(run_id).run_id)
    workspace.trainings.stop(run_id)
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    workspace.library.delete(workspace.of(owner).dataset(dataset.dataset_id))
    workspace.trainings.delete(workspace.of(owner).run(run_id).run_id)
    with pytest.raises(NotFoundError):
        workspace.live(run_id)


def test_the_oldest_runs_make_room(
    settings: Settings, small_folder: Path, steps: StepTraining
) -> None:
    workspace = Workspace(replace(settings, limits=replace(settings.limits, runs=2)))
    owner = owner_of(new_visitor())
    dataset = bring(workspace, owner, small_folder)
    run_ids = []
    for _ in range(3):
        run_id = workspace.trainings.start(owner, dataset, TrainConfig())
        workspace.trainings.stop(run_id)
        assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
        run_ids.append(run_id)
    assert [record.run_id for record in workspace.of(owner).runs()] == run_ids[:0:-1]
    workspace.close()


def test_one_class_alone_is_refused_at_once(
    workspace: Workspace, owner: str, tmp_path: Path
) -> None:
    dataset = bring(workspace, owner, class_folder(tmp_path / "one", ("dots",), per_class=4))
    with pytest.raises(TrainingError) as refused:
        workspace.trainings.start(owner, dataset, TrainConfig())
    assert refused.value.hint


def test_more_epochs_than_allowed_are_refused(
    settings: Settings, public_limits: Limits, small_folder: Path
) -> None:
    workspace = Workspace(replace(settings, limits=public_limits))
    owner = owner_of(new_visitor())
    dataset = bring(workspace, owner, small_folder)
    with pytest.raises(TrainingError, match="201 epochs"):
        workspace.trainings.start(owner, dataset, TrainConfig(epochs=201))
    assert workspace.of(owner).runs() == ()
    workspace.close()


def test_a_run_has_curves_as_soon_as_its_first_epoch_is_finished(
    workspace: Workspace, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    run_id = workspace.trainings.start(owner, dataset, TrainConfig())
    with pytest.raises(RunError, match="no finished epoch"):
        workspace.trainings.curves(run_id, "csv")
    steps.step()
    wait_until(workspace, run_id, lambda live: live.epoch == 1)
    assert len(workspace.trainings.curves(run_id, "csv").splitlines()) == 2  # names, then the epoch


def test_a_backbone_that_is_not_here_is_downloaded_first_and_offline_says_what_to_do(
    workspace: Workspace, owner: str, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*arguments: object, **options: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr("socket.create_connection", unreachable)
    monkeypatch.setattr("socket.getaddrinfo", unreachable)
    run_id = workspace.trainings.start(owner, dataset, TrainConfig(backbone="resnet18"))
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    record = workspace.run(run_id)
    assert record.state == "failed"
    assert "EfficientNet-Lite0" in str(joined(record.message, record.hint))
    assert "fetch" in str(joined(record.message, record.hint))


@pytest.mark.parametrize(
    "place", ["tlapp.runs.store.write_atomically", "tlapp.runs.folder.RunFolder.write"]
)
def test_a_full_disk_at_the_start_of_a_training_is_called_so_and_leaves_nothing(
    workspace: Workspace,
    owner: str,
    dataset: Dataset,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def kept() -> set[str]:
        return {path.name for path in (settings.home / "runs").iterdir()}

    before = kept()
    with monkeypatch.context() as disk:
        disk.setattr(place, full)
        with pytest.raises(ServerError, match="disk of this machine is full") as refusal:
            workspace.trainings.start(owner, dataset, TrainConfig(epochs=1))
        with pytest.raises(ServerError, match="disk of this machine is full"):
            workspace.experiments.start_race(owner, dataset, "efficientnet_lite0")
    assert refusal.value.hint
    assert kept() == before
    assert workspace.of(owner).runs() == ()
    assert workspace.trainings.under_way(owner) == NOTHING
    run_id = workspace.trainings.start(owner, dataset, TrainConfig(epochs=1))
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    assert workspace.run(run_id).state == "finished"


def test_what_cannot_be_trained_is_refused_before_its_time_is_estimated(
    workspace: Workspace,
    owner: str,
    dataset: Dataset,
    steps: StepTraining,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estimated: list[object] = []
    original = Estimates.seconds

    def counted(*arguments: Any, **options: Any) -> float | None:
        estimated.append(arguments)
        return original(*arguments, **options)

    monkeypatch.setattr(Estimates, "seconds", counted)
    head = TrainConfig(epochs=1)
    for phases in (
        [head] * (PHASES + 1),
        [head] * 5_000,
        [replace(head, epochs=workspace.settings.limits.epochs), head],
        [TrainConfig(freeze="no such stage")],
    ):
        with pytest.raises(TrainingError):
            workspace.trainings.start(owner, dataset, *phases)
    with pytest.raises(TrainingError):
        config = TrainConfig(freeze="no such stage")
        workspace.experiments.start_rate_finder(owner, dataset, config)
    assert estimated == []
    run_id = workspace.trainings.start(owner, dataset, head)
    assert len(estimated) == 1  # the count can count
    with pytest.raises(JobError):  # one after the other
        workspace.trainings.start(owner, dataset, head)
    with pytest.raises(JobError):
        workspace.experiments.start_race(owner, dataset, "efficientnet_lite0")
    with pytest.raises(JobError):
        workspace.experiments.start_rate_finder(owner, dataset, head)
    assert len(estimated) == 1
    workspace.trainings.stop(run_id)


def test_what_is_under_way_is_told_without_reading_a_record(
    workspace: Workspace,
    owner: str,
    dataset: Dataset,
    steps: StepTraining,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = threading.Event()

    def values(should_stop: ShouldStop) -> Iterator[int]:
        assert gate.wait(PATIENCE_SECONDS)
        yield 1

    def told() -> Message:
        with monkeypatch.context() as disk:
            for name in ("record", "list", "folder", "all_records"):
                disk.setattr(RunStore, name, None)  # calling it would fail
            return workspace.trainings.under_way(owner)

    assert told() == NOTHING
    run_id = workspace.trainings.start(owner, dataset, TrainConfig())
    assert told() == TRAINING
    workspace.trainings.stop(run_id)
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    assert told() == NOTHING
    experiment_id = workspace.experiments.start(owner, RATE_FINDER, values)
    assert told() == WHAT[RATE_FINDER]
    gate.set()
    assert workspace.experiments.wait(experiment_id, PATIENCE_SECONDS)
    assert told() == NOTHING


def test_an_unknown_run_is_not_found(workspace: Workspace) -> None:
    for run_id in ("", "../..", "r_" + "A" * 32):
        for ask in (workspace.run, workspace.live, workspace.trainings.classifier):
            with pytest.raises(NotFoundError):
                ask(run_id)


def test_the_classifiers_of_one_backbone_share_what_it_has_seen_of_test_pictures(
    workspace: Workspace,
    owner: str,
    dataset: Dataset,
    steps: StepTraining,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    visitors = workspace.visitors
    pictures = visitors.prepare([("a.jpg", jpeg())])
    visitors.imagenet_answers(pictures, workspace.models.backbone("efficientnet_lite0"))
    monkeypatch.setattr("tlapp.evaluation.test_pictures.features_of", None)  # a call would fail
    run_id = workspace.trainings.start(owner, dataset, TrainConfig())
    steps.step()
    wait_until(workspace, run_id, lambda live: live.epoch == 1)
    assert visitors.answers(pictures, workspace.trainings.classifier(run_id))[0].ranked
    steps.finish()
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    assert visitors.answers(pictures, workspace.trainings.classifier(run_id))[0].ranked
