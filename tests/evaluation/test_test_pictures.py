"""Test pictures: one broken one harms no other, and asking again costs only the head."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pictures import BROKEN, jpeg, turned_jpeg
from tests.workspace.conftest import StepTraining, wait_until
from tlapp.data.dataset import Dataset
from tlapp.errors import DataError, NotFoundError
from tlapp.evaluation.test_pictures import TestAnswer
from tlapp.settings import Settings
from tlapp.training.config import TrainConfig
from tlapp.workspace import Workspace


def _imagenet_answers(
    workspace: Workspace, raw: Sequence[tuple[str, bytes]]
) -> tuple[TestAnswer, ...]:
    return workspace.visitors.imagenet_answers(
        workspace.visitors.prepare(raw), workspace.models.backbone("efficientnet_lite0")
    )


def test_a_broken_picture_has_its_reason_and_the_others_their_answers(
    workspace: Workspace,
) -> None:
    raw = [("good.jpg", jpeg()), *((name, make()) for name, make in BROKEN.items())]
    results = _imagenet_answers(workspace, [*raw, ("last.jpg", jpeg(1))])
    assert [result.name for result in results] == [*(name for name, _ in raw), "last.jpg"]
    for result in results:
        if result.name in ("good.jpg", "last.jpg"):
            assert (len(result.ranked), result.error) == (5, "")
            assert result.thumbnail.startswith(b"\xff\xd8")
        else:
            assert (result.ranked, result.thumbnail) == ((), b"")
            assert result.name in result.error


def test_pictures_that_are_all_broken_need_no_backbone_pass(workspace: Workspace) -> None:
    assert [result.ranked for result in _imagenet_answers(workspace, [("empty.jpg", b"")])] == [()]


def test_a_turned_photo_gets_the_answer_of_the_upright_one(workspace: Workspace) -> None:
    raw = [(f"{turn}.jpg", turned_jpeg(turn)) for turn in range(1, 9)]
    names = {result.ranked[0].name for result in _imagenet_answers(workspace, raw)}
    assert len(names) == 1


def test_asking_again_after_an_epoch_runs_no_backbone(
    workspace: Workspace,
    owner: str,
    dataset: Dataset,
    steps: StepTraining,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = workspace.visitors.prepare([("a.jpg", jpeg()), ("b.jpg", jpeg(1))])
    workspace.visitors.imagenet_answers(tried, workspace.models.backbone("efficientnet_lite0"))
    monkeypatch.setattr("tlapp.evaluation.test_pictures.features_of", None)  # calling it would fail
    run_id = workspace.trainings.start(owner, dataset, TrainConfig())
    for epoch in (1, 2):
        steps.step()
        wait_until(workspace, run_id, lambda live, epoch=epoch: live.epoch == epoch)
        answers = workspace.visitors.answers(tried, workspace.trainings.classifier(run_id))
        assert [item.name for item in answers[0].ranked] == ["cat", "dog"]
    steps.finish()
    assert workspace.trainings.wait(run_id, 60.0)
    assert workspace.visitors.answers(tried, workspace.trainings.classifier(run_id))


def test_too_many_pictures_are_refused_with_the_limit(settings: Settings, tmp_path: Path) -> None:
    workspace = Workspace(replace(settings, limits=replace(settings.limits, try_images=2)))
    with pytest.raises(DataError, match="3 test pictures") as refused:
        workspace.visitors.prepare([("a.jpg", jpeg())] * 3)
    assert "2 or fewer" in refused.value.hint
    workspace.close()


def test_an_unknown_run_is_not_found(workspace: Workspace) -> None:
    for run_id in ("", "../..", "r_" + "A" * 32):
        with pytest.raises(NotFoundError):
            workspace.visitors.answers(
                workspace.visitors.prepare([("a.jpg", jpeg())]),
                workspace.trainings.classifier(run_id),
            )
