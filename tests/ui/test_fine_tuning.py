"""Fine-tune on the page: what it says beforehand is what it does, and the ladder shows it."""

from dataclasses import replace

import pytest

from tests.ui.test_rate_finder import TOKEN, panel, values_of  # noqa: F401  # a fixture is found by its name
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining
from tlapp.data.dataset import Dataset
from tlapp.runs.record import RunRecord
from tlapp.training.config import TrainConfig
from tlapp.ui.panels import train, trying, tuning
from tlapp.ui.panels.choices import chosen_config, remember
from tlapp.ui.panels.form import field_values
from tlapp.ui.panels.train_panel import TrainPanel
from tlapp.ui.session import Page
from tlapp.ui.text.trying import NOTHING_TRIED, NOTHING_TRIED_YET
from tlapp.ui.text.tuning import FINE_TUNED, GO_ON, HEAD_KEPT, fine_tuned_name
from tlapp.workspace import VisitorState


@pytest.fixture
def owner(page: Page, token: str) -> str:
    return page.owner_of(token)


def head(page: Page, owner: str, dataset: Dataset, config: TrainConfig) -> RunRecord:
    """A finished run of the head, shown on the page."""
    run_id = page.workspace.trainings.start(owner, dataset, config)
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    page.workspace.visitors.change(owner, lambda _: VisitorState(run_id=run_id))
    return page.workspace.run(run_id)


def tune(page: Page, panel: TrainPanel, token: str, shown: TrainConfig) -> RunRecord:  # noqa: F811
    """Press Fine-tune with these settings on the page; the run that it begins, stopped again."""
    filled = train.fine_tune(page, panel, TOKEN, values_of(page, panel, token, shown))
    after = chosen_config(page, page.owner_of(token))
    fields = filled[len(panel.buttons()) + 2 :]
    assert tuple(update["value"] for update in fields) == field_values(panel.form, after)
    run_id = page.workspace.of(page.owner_of(token)).state().run_id
    assert run_id is not None
    page.workspace.trainings.stop(run_id)
    assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
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
    said = tuning.next_step(page, owner)
    assert said.startswith("Fine-tune goes on from this head and opens the last 2 stages (")
    assert "default settings" in said
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
    first = head(page, owner, dataset, TrainConfig(epochs=2))
    shown = TrainConfig(freeze="last:1", epochs=3, learning_rate=2e-4)
    remember(page, owner, shown)
    assert "with what is open above (" in tuning.next_step(page, owner)
    record = tune(page, panel, token, shown)
    assert (record.config["freeze"], record.config["epochs"]) == ("last:1", 3)
    assert chosen_config(page, owner) == shown
    assert record.continues == first.run_id


@pytest.mark.parametrize(
    "shown",
    [
        TrainConfig(freeze="none", pretrained=False, epochs=3),
        TrainConfig(backbone="resnet18", freeze="last:1", epochs=3),
    ],
    ids=["from scratch", "another backbone"],
)
def test_what_is_open_for_another_network_is_not_taken_and_that_is_said(
    page: Page,
    panel: TrainPanel,  # noqa: F811  # a fixture as above
    token: str,
    owner: str,
    dataset: Dataset,
    shown: TrainConfig,
) -> None:
    head(page, owner, dataset, TrainConfig(epochs=2))
    remember(page, owner, shown)
    said = tuning.next_step(page, owner)
    assert "on EfficientNet-Lite0 and opens its last 2 stages" in said
    assert "for another network" in said
    record = tune(page, panel, token, shown)
    assert (record.config["freeze"], record.config["pretrained"]) == ("last:2", True)
    assert chosen_config(page, owner).backbone == "efficientnet_lite0"


def test_when_the_pictures_have_changed_nothing_is_offered(
    page: Page, owner: str, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = head(page, owner, dataset, TrainConfig(epochs=1))
    live = replace(page.workspace.live(record.run_id), can_go_on=True)
    monkeypatch.setattr(page.workspace.trainings, "live", lambda run_id: live)
    assert tuning.next_step(page, owner)
    page.workspace.library.save(replace(dataset, split_seed=dataset.split_seed + 1))
    assert tuning.next_step(page, owner) == ""
    page.workspace.library.delete(page.workspace.dataset(dataset.dataset_id))
    assert tuning.next_step(page, owner) == ""


def test_a_run_that_is_fine_tuned_says_so_and_one_that_was_stopped_that_it_can_go_on(
    page: Page, owner: str, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = head(page, owner, dataset, TrainConfig(epochs=1))
    rows = (record.epochs[0], replace(record.epochs[0], epoch=2, phase=2))
    tuned = replace(
        record,
        epochs=rows,
        earlier_phases=(record.config,),
        config={**record.config, "freeze": "last:2"},
    )
    live = replace(page.workspace.live(record.run_id), record=tuned)
    monkeypatch.setattr(page.workspace.trainings, "live", lambda run_id: live)
    assert tuning.next_step(page, owner) == FINE_TUNED  # the head is no run of its own
    after_head = replace(live, record=replace(tuned, continues=record.run_id))
    monkeypatch.setattr(page.workspace.trainings, "live", lambda run_id: after_head)
    assert tuning.next_step(page, owner) == f"{FINE_TUNED} {HEAD_KEPT}"
    better = replace(tuned, epochs=(rows[0], replace(rows[1], valid_loss=0.0)))
    live = replace(live, record=better)
    monkeypatch.setattr(page.workspace.trainings, "live", lambda run_id: live)
    assert tuning.next_step(page, owner) == FINE_TUNED
    monkeypatch.setattr(
        page.workspace.trainings, "live", lambda run_id: replace(live, can_go_on=True)
    )
    assert tuning.next_step(page, owner) == f"{GO_ON} {FINE_TUNED}"


def test_without_a_run_or_while_it_goes_on_there_is_no_next_step(
    page: Page, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    assert tuning.next_step(page, owner) == ""
    run_id = page.workspace.trainings.start(owner, dataset, TrainConfig())
    page.workspace.visitors.change(owner, lambda _: VisitorState(run_id=run_id))
    assert tuning.next_step(page, owner) == ""


def test_while_something_else_is_under_way_nothing_can_be_begun_and_the_page_says_why(
    page: Page,
    panel: TrainPanel,  # noqa: F811  # a fixture as above
    token: str,
    owner: str,
    dataset: Dataset,
    steps: StepTraining,
) -> None:
    page.workspace.visitors.change(
        owner, lambda _: VisitorState(dataset_id=dataset.dataset_id, run_id=None)
    )

    def refreshed() -> tuple[str, set[bool]]:
        said, _, *buttons = tuning.refresh(page, token)
        assert len(buttons) == len(panel.starts())
        return said, {button["interactive"] for button in buttons}

    assert refreshed() == ("", {True})
    run_ids = page.workspace.experiments.start_race(owner, dataset, "efficientnet_lite0")
    said, can_begin = refreshed()
    assert "Your freeze race is under way" in said
    assert can_begin == {False}
    page.workspace.trainings.stop(run_ids[0])
    for run_id in run_ids:
        assert page.workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    assert refreshed() == ("", {True})


def test_while_fine_tuning_waits_try_knows_that_there_is_a_head(
    page: Page,
    owner: str,
    dataset: Dataset,
    steps: StepTraining,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_id = page.workspace.trainings.start(owner, dataset, TrainConfig())
    page.workspace.visitors.change(owner, lambda _: VisitorState(run_id=run_id))
    assert trying.show(page, owner).empty == NOTHING_TRIED
    tuning_run = replace(page.workspace.run(run_id), continues="the head's run")
    monkeypatch.setattr(page.workspace.trainings, "record", lambda run_id: tuning_run)
    assert trying.show(page, owner).empty == NOTHING_TRIED_YET


def test_a_name_says_once_that_it_is_fine_tuned() -> None:
    assert fine_tuned_name(fine_tuned_name("Pets")) == "Pets, fine-tuned"
