"""Train on the page: begun and shown, or not begun at all."""

from dataclasses import replace
from typing import Any

import pytest

from tests.ui.test_rate_finder import TOKEN, panel, values_of  # noqa: F401  # a fixture is found by its name
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining
from tlapp.data.dataset import Dataset
from tlapp.errors import ServerError
from tlapp.training.config import TrainConfig
from tlapp.ui.panels import train
from tlapp.ui.panels.train_panel import TrainPanel
from tlapp.ui.session import Page


def test_a_training_that_the_page_cannot_keep_is_stopped_again(
    page: Page,
    panel: TrainPanel,  # noqa: F811  # a fixture as above
    token: str,
    dataset: Dataset,
    steps: StepTraining,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = page.owner_of(token)
    theirs = replace(dataset, owner=owner)
    page.workspace.library.save(theirs)
    page.workspace.visitors.change(
        owner, lambda state: replace(state, dataset_id=theirs.dataset_id)
    )

    def refuse(*arguments: Any) -> None:
        raise ServerError("The disk of this machine is full.", hint="Remove something.")

    monkeypatch.setattr(train, "accept_pending", refuse)
    with pytest.raises(ServerError):
        train.start(page, panel, TOKEN, values_of(page, panel, token, TrainConfig()))
    (record,) = page.workspace.of(owner).runs()
    assert page.workspace.trainings.wait(record.run_id, PATIENCE_SECONDS)
    assert page.workspace.run(record.run_id).state == "stopped"
