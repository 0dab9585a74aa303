"""Fine-tune on the page: what it says beforehand is what it does, and the ladder shows it."""

from dataclasses import replace

import pytest

from tests.ui.test_rate_finder import TOKEN, panel, values_of  # noqa: F401  # a fixture is found by its name
from tests.workspace.conftest import PATIENCE_SECONDS
from tlapp.data.dataset import Dataset
from tlapp.runs.record import RunRecord
from tlapp.training.config import TrainConfig
from tlapp.ui import widget_values
from tlapp.ui.panels import train
from tlapp.ui.panels.choices import chosen_config
from tlapp.ui.panels.form import field_values
from tlapp.ui.panels.train_panel import TrainPanel
from tlapp.ui.session import Page
from tlapp.ui.text.status import FINE_TUNED, fine_tuned_name
from tlapp.workspace import VisitorState


@pytest.fixture
def owner(page: Page, token: str) -> str:
    return page.owner_of(token)


def head(page: Page, owner: str, dataset: Dataset, config: TrainConfig) -> RunRecord:
    """A finished run of the head, shown on the page."""
    run_id = page.workspace.start_training(owner, dataset.dataset_id, config)
    assert page.workspace.wait(run_id, PATIENCE_SECONDS)
    page.workspace.change_visitor_state(owner, lambda _: VisitorState(run_id=run_id))
    return page.workspace.run(run_id)


def tune(page: Page, panel: TrainPanel, token: str, shown: TrainConfig) -> RunRecord:  # noqa: F811
    """Press Fine-tune with these settings on the page; the run that it begins, stopped again."""
    filled = train.fine_tune(page, panel, TOKEN, values_of(page, panel, token, shown))
    after = chosen_config(page, page.owner_of(token))
    fields = filled[len(panel.buttons()) + 2 :]
    assert tuple(update["value"] for update in fields) == field_values(panel.form, after)
    run_id = page.workspace.visitor_state(page.owner_of(token)).run_id
    assert run_id is not None
    page.workspace.stop(run_id)
    assert page.workspace.wait(run_id, PATIENCE_SECONDS)
    return page.workspace.run(run_id)


@pytest.mark.parametrize("pretrained", [True, False])
def test_by_itself_it_opens_what_it_said_and_the_page_shows_what_learns(
    page: Page,
    panel: TrainPanel,  # noqa: F811  # a fixture as above
    token: str,
    owner: str,
    dataset: Dataset,
    pretrained: bool,
) -> None:
    first = head(page, owner, dataset, TrainConfig(epochs=2, pretrained=pretrained))
    said = widget_values.next_step(page.workspace, first)
    assert said.startswith("Fine-tune goes on from this head and opens the last 2 stages (")
    record = tune(page, panel, token, TrainConfig())
    kept = chosen_config(page, owner)
    assert record.config["freeze"] == kept.freeze == "last:2"
    assert record.config["pretrained"] == kept.pretrained == pretrained
    assert record.name == f"{first.name}, fine-tuned"


def test_it_opens_what_the_ladder_opens(
    page: Page,
    panel: TrainPanel,  # noqa: F811  # a fixture as above
    token: str,
    owner: str,
    dataset: Dataset,
) -> None:
    head(page, owner, dataset, TrainConfig(epochs=2))
    shown = TrainConfig(freeze="last:1", epochs=3, learning_rate=2e-4)
    record = tune(page, panel, token, shown)
    assert (record.config["freeze"], record.config["epochs"]) == ("last:1", 3)
    assert chosen_config(page, owner) == shown


def test_what_cannot_be_fine_tuned_gets_no_offer(page: Page, owner: str, dataset: Dataset) -> None:
    record = head(page, owner, dataset, TrainConfig(epochs=1))
    assert widget_values.next_step(page.workspace, replace(record, best_epoch=None)) == ""
    assert widget_values.next_step(page.workspace, replace(record, config={"epochs": -1})) == ""
    page.workspace.save_dataset(replace(dataset, split_seed=dataset.split_seed + 1))
    assert widget_values.next_step(page.workspace, record) == ""
    page.workspace.delete_dataset(dataset.dataset_id)
    assert widget_values.next_step(page.workspace, record) == ""


def test_a_fine_tuned_run_says_why_it_is_not_offered_again(
    page: Page, owner: str, dataset: Dataset
) -> None:
    record = head(page, owner, dataset, TrainConfig(epochs=1))
    rows = (record.epochs[0], replace(record.epochs[0], epoch=2, phase=2))
    tuned = replace(
        record,
        epochs=rows,
        earlier_phases=(record.config,),
        config={**record.config, "freeze": "last:2"},
    )
    assert widget_values.next_step(page.workspace, tuned) == FINE_TUNED


def test_a_name_says_once_that_it_is_fine_tuned() -> None:
    assert fine_tuned_name(fine_tuned_name("Pets")) == "Pets, fine-tuned"
