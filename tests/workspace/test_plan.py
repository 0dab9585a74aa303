"""Runs that resume earlier ones: fine-tuning after a head, going on after a stop."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining, bring, wait_until
from tlapp.data.dataset import Dataset
from tlapp.errors import RunError
from tlapp.runs.folder import RunFolder
from tlapp.runs.record import RunRecord
from tlapp.settings import Settings
from tlapp.training.config import TrainConfig
from tlapp.workspace import Workspace, new_visitor, owner_of

HEAD = TrainConfig(epochs=4, batch_size=6)
TOP = TrainConfig(freeze="last:1", epochs=2, batch_size=6)


def finished(workspace: Workspace, run_id: str) -> RunRecord:
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    record = workspace.run(run_id)
    assert record.state == "finished", record.message
    return record


def stopped_after(workspace: Workspace, owner: str, dataset: Dataset, epochs: int) -> RunRecord:
    """A run of 40 epochs that was stopped when it had at least so many."""
    run_id = workspace.trainings.start(owner, dataset, replace(HEAD, epochs=40))

    def stop() -> None:
        if len(workspace.run(run_id).epochs) >= epochs:
            workspace.trainings.stop(run_id)

    workspace.trainings.listen(run_id, stop)
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    return workspace.run(run_id)


def test_a_head_run_is_fine_tuned_and_its_curve_goes_on(
    workspace: Workspace, owner: str, dataset: Dataset
) -> None:
    head = finished(workspace, workspace.trainings.start(owner, dataset, HEAD))
    record = finished(
        workspace,
        workspace.trainings.fine_tune(
            workspace.of(owner).run(head.run_id), dataset, TOP, name="Tuned"
        ),
    )
    assert [row.epoch for row in record.epochs] == [1, 2, 3, 4, 5, 6]
    assert [row.phase for row in record.epochs] == [1] * 4 + [2] * 2
    assert record.epochs[:4] == head.epochs
    assert (record.continues, record.planned_epochs) == (head.run_id, 6)
    assert [phase["freeze"] for phase in record.phases] == ["head", "last:1"]
    assert workspace.run(head.run_id) == head
    assert record.name == "Tuned"
    assert record.seconds_before == head.elapsed[-1]
    assert list(record.elapsed) == sorted(record.elapsed)
    assert record.seconds is not None
    assert 0 < record.elapsed[-1] - record.seconds_before <= record.seconds


def test_both_phases_in_one_click_give_the_same_as_one_after_the_other(
    workspace: Workspace, owner: str, dataset: Dataset
) -> None:
    head = finished(workspace, workspace.trainings.start(owner, dataset, HEAD))
    apart = finished(
        workspace, workspace.trainings.fine_tune(workspace.run(head.run_id), dataset, TOP)
    )
    at_once = finished(workspace, workspace.trainings.start(owner, dataset, HEAD, TOP))
    assert [row.valid_loss for row in apart.epochs] == [row.valid_loss for row in at_once.epochs]
    first, second = (workspace.trainings.classifier(run.run_id) for run in (apart, at_once))
    assert torch.equal(first.head.weight, second.head.weight)


def test_a_stopped_run_goes_on_as_if_it_never_had_been_stopped(
    workspace: Workspace, owner: str, dataset: Dataset
) -> None:
    stopped = stopped_after(workspace, owner, dataset, epochs=3)
    assert stopped.state == "stopped"
    record = finished(
        workspace, workspace.trainings.resume(workspace.of(owner).run(stopped.run_id), dataset)
    )
    whole = finished(workspace, workspace.trainings.start(owner, dataset, replace(HEAD, epochs=40)))
    assert [row.valid_loss for row in record.epochs] == [row.valid_loss for row in whole.epochs]
    assert torch.equal(
        workspace.trainings.classifier(record.run_id).head.weight,
        workspace.trainings.classifier(whole.run_id).head.weight,
    )
    assert not RunFolder(workspace.trainings.folder(record.run_id)).has_state()
    assert stopped.seconds is not None
    assert 0 < record.seconds_before <= stopped.seconds
    assert list(record.elapsed) == sorted(record.elapsed)


def test_epochs_that_a_stopped_head_never_had_do_not_count_when_it_is_fine_tuned(
    settings: Settings, owner: str, small_folder: Path
) -> None:
    most = replace(settings.limits, epochs=40)
    workspace = Workspace(replace(settings, limits=most))
    dataset = bring(workspace, owner, small_folder)
    stopped = stopped_after(workspace, owner, dataset, epochs=3)
    assert stopped.config["epochs"] == 40
    record = finished(
        workspace,
        workspace.trainings.fine_tune(workspace.of(owner).run(stopped.run_id), dataset, TOP),
    )
    assert record.state == "finished"
    workspace.close()


def test_what_cannot_be_resumed_is_refused_with_words(
    workspace: Workspace, owner: str, dataset: Dataset
) -> None:
    head = finished(workspace, workspace.trainings.start(owner, dataset, HEAD))
    with pytest.raises(RunError, match="cannot go on"):
        workspace.trainings.resume(workspace.run(head.run_id), dataset)
    changed = replace(dataset, split_seed=dataset.split_seed + 1)
    with pytest.raises(RunError, match="have changed since"):
        workspace.trainings.fine_tune(workspace.run(head.run_id), changed, TOP)


def test_a_torn_state_is_told_and_the_earlier_run_stays(
    workspace: Workspace, owner: str, dataset: Dataset, tmp_path: Path
) -> None:
    stopped = stopped_after(workspace, owner, dataset, epochs=2)
    (workspace.trainings.folder(stopped.run_id) / "state.safetensors").write_bytes(b"torn")
    run_id = workspace.trainings.resume(workspace.run(stopped.run_id), dataset)
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    record = workspace.run(run_id)
    assert record.state == "failed"
    assert "damaged" in record.message.template
    assert workspace.run(stopped.run_id) == stopped


def test_a_run_can_be_renamed_and_pinned_runs_are_kept(
    workspace: Workspace, owner: str, dataset: Dataset
) -> None:
    head = finished(workspace, workspace.trainings.start(owner, dataset, HEAD))
    workspace.trainings.change(
        workspace.of(owner).run(head.run_id).run_id, name="My best", pinned=True
    )
    record = workspace.run(head.run_id)
    assert (record.name, record.is_pinned, record.epochs) == ("My best", True, head.epochs)
    stranger = owner_of(new_visitor())
    with pytest.raises(Exception, match="no run with this id"):
        workspace.trainings.change(workspace.of(stranger).run(head.run_id).run_id, name="Mine")


def test_a_run_is_fine_tuned_on_its_own_backbone_whatever_the_page_shows(
    workspace: Workspace, owner: str, dataset: Dataset
) -> None:
    head = finished(workspace, workspace.trainings.start(owner, dataset, HEAD))
    elsewhere = replace(TOP, backbone="resnet18", pretrained=False)
    record = finished(
        workspace,
        workspace.trainings.fine_tune(workspace.of(owner).run(head.run_id), dataset, elsewhere),
    )
    assert record.config["backbone"] == head.config["backbone"]
    assert record.config["pretrained"] is True
    assert record.epochs[-1].agreement is not None  # held against ImageNet's weights


def test_a_run_that_something_under_way_needs_stays(
    workspace: Workspace, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    run_id = workspace.trainings.start(owner, dataset, HEAD)
    steps.step()
    wait_until(workspace, run_id, lambda live: live.epoch == 1)
    steps.finish()
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    steps.go_on()
    waiting = workspace.trainings.fine_tune(workspace.of(owner).run(run_id), dataset, TOP)
    with pytest.raises(RunError, match="needs this run"):
        workspace.trainings.delete(workspace.of(owner).run(run_id).run_id)
    with pytest.raises(RunError, match="using these pictures"):
        workspace.library.delete(workspace.of(owner).dataset(dataset.dataset_id))
    workspace.trainings.stop(waiting)
    assert workspace.trainings.wait(waiting, PATIENCE_SECONDS)
    workspace.trainings.delete(workspace.of(owner).run(run_id).run_id)
