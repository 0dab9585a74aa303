"""From the rooms' values to the widgets': each moment of a run, each card, each class."""

from dataclasses import replace
from typing import Any

import pytest

from tests.runs.examples import make_record, make_row
from tlapp.data.dataset import Dataset
from tlapp.errors import TrainingError
from tlapp.evaluation.predict import ClassProbability
from tlapp.evaluation.test_pictures import TestAnswer
from tlapp.runs.live import LiveRun
from tlapp.training.config import TrainConfig
from tlapp.training.presets import fine_tuning
from tlapp.ui import widget_values
from tlapp.workspace import DownloadState, Workspace, split_of


def _live(*, record: dict[str, Any] | None = None, **live: Any) -> LiveRun:
    return LiveRun(record=make_record(**(record or {})), **live)


@pytest.mark.parametrize(
    ("live", "state", "progress"),
    [
        (_live(phase="waiting"), "waiting", None),
        (
            _live(
                record={"state": "running"},
                phase="download",
                download_done_bytes=1,
                download_total_bytes=4,
            ),
            "preparing",
            0.25,
        ),
        (_live(record={"state": "running"}, phase="download"), "preparing", 0.0),
        (
            _live(record={"state": "running"}, phase="features", features_done=3, features_total=4),
            "preparing",
            0.75,
        ),
        (
            _live(
                record={"state": "running", "epochs": (make_row(1),)},
                phase="training",
                epochs=4,
                batch=1,
                batches=2,
            ),
            "running",
            0.375,
        ),
        (_live(record={"state": "finished"}, phase="done"), "finished", None),
        (_live(record={"state": "failed"}, phase="done"), "failed", None),
    ],
)
def test_each_moment_of_a_run_has_its_state_and_progress(
    live: LiveRun, state: str, progress: float | None
) -> None:
    value = widget_values.run(live)
    assert (value.state, value.progress) == (state, progress)


def test_a_run_names_its_pictures_when_the_page_shows_others() -> None:
    live = _live(record={"state": "finished"}, phase="done")
    assert widget_values.run(live, shown_dataset_id=live.record.dataset_id).origin == ""
    assert widget_values.run(live).origin == ""
    assert f'"{live.record.dataset_name}"' in widget_values.run(live, shown_dataset_id="b").origin


def test_progress_never_goes_over_the_end() -> None:
    rows = tuple(make_row(epoch) for epoch in (1, 2))
    record = {"state": "running", "epochs": rows}
    live = _live(record=record, phase="training", epochs=2, batch=5, batches=5)
    assert widget_values.run(live).progress == 1.0


def test_every_series_of_the_curves_has_one_number_an_epoch() -> None:
    rows = (make_row(1), make_row(2, valid_accuracy=None, valid_loss=None, is_best=False))
    value = widget_values.run(
        _live(record={"epochs": rows, "state": "running"}, phase="training", epochs=30)
    )
    assert value.epochs.train == (1.0, 0.5)
    assert value.epochs.valid == (1.1, None)
    assert value.epochs.valid_accuracy == (0.7, None)
    assert (value.best_epoch, value.total_epochs) == (1, 30)


def test_the_interval_of_a_result_stands_beside_its_chart() -> None:
    record = {
        "state": "finished",
        "epochs": (make_row(1),),
        "best_epoch": 1,
        "valid_accuracy": 0.84,
        "valid_interval": (0.78, 0.89),
    }
    value = widget_values.run(_live(record=record, phase="done"))
    assert value.accuracy_note == "held-out 84\u00a0% (78 to 89)"
    assert value.interval == (0.78, 0.89)


def test_before_the_first_training_the_next_step_is_said() -> None:
    assert "Train" in widget_values.no_run(has_pictures=True).status
    assert "bring pictures" in widget_values.no_run(has_pictures=False).status


def test_the_class_list_counts_what_is_learned_from_and_held_out(
    workspace: Workspace, dataset: Dataset
) -> None:
    value = widget_values.class_list(workspace, dataset)
    split = split_of(dataset)
    assert value.summary == (
        f"12 pictures in 2 classes. {len(split.train)} to learn from, {len(split.valid)} held out."
    )
    assert [(row.name, row.count, len(row.thumbnails)) for row in value.classes] == [
        ("dots", 6, 6),
        ("stripes", 6, 6),
    ]
    assert all(
        address.startswith("data:image/jpeg;base64,")
        for row in value.classes
        for address in row.thumbnails
    )
    assert (value.skipped_line, value.skipped, value.skipped_rest) == ("", (), "")


def test_a_folder_with_its_own_split_says_so(workspace: Workspace, dataset: Dataset) -> None:
    assert not widget_values.has_own_split(dataset)
    images = tuple(
        replace(image, part="valid" if index % 6 == 0 else "train")
        for index, image in enumerate(dataset.images.images)
    )
    split = replace(dataset, images=replace(dataset.images, images=images))
    assert widget_values.has_own_split(split)
    assert "own split" in widget_values.class_list(workspace, split).notes[0]


def test_the_ladder_says_what_learns_and_how_fast(workspace: Workspace, dataset: Dataset) -> None:
    value = widget_values.ladder(workspace, dataset, TrainConfig())
    assert {stage.rate for stage in value.stages} == {None}
    assert (value.head.parameters, value.head.rate) == (1280 * 2 + 2, 2e-3)
    assert (value.preset, value.doubts) == ("head", ())
    assert value.sentence.startswith("**2,562** of 3.4 M ")
    assert value.replaced_layer == (
        "Replaced: classifier.1: 1280 -> 1000 becomes 1280 -> 2 (1.3 M parameters go, 2,562 come)."
    )
    top = fine_tuning("last:1", backbone="efficientnet_lite0", train_count=10)
    value = widget_values.ladder(workspace, dataset, top)
    assert [stage.rate for stage in value.stages] == [None] * 8 + [7e-5]
    assert (value.preset, value.head.parameters) == ("last", 2_562)
    other = widget_values.ladder(workspace, dataset, replace(top, backbone_learning_rate=0.1))
    assert other.preset == ""
    everything = widget_values.ladder(workspace, dataset, TrainConfig(freeze="none"))
    assert everything.sentence.startswith("All **3.4 M** parameters learn.")


def test_the_ladder_doubts_locks_that_make_no_sense(workspace: Workspace, dataset: Dataset) -> None:
    config = TrainConfig(freeze="stage 3")
    value = widget_values.ladder(workspace, dataset, config)
    assert "learns below stage 3" in value.doubts[0]
    assert value.preset == ""


def test_settings_that_cannot_work_are_told_on_the_ladder(workspace: Workspace) -> None:
    value = widget_values.ladder(workspace, None, TrainConfig())
    told = widget_values.with_problem(value, TrainingError("No.", hint="Choose 1."))
    assert (told.sentence, told.is_problem) == ("No. Choose 1.", True)


def test_without_pictures_the_ladder_promises_no_number_of_classes(workspace: Workspace) -> None:
    value = widget_values.ladder(workspace, None, TrainConfig())
    assert "-> your classes" in value.replaced_layer
    assert "and a new head" in value.sentence or "A new head" in value.sentence


@pytest.mark.parametrize(
    ("state", "done", "download", "line"),
    [
        ("absent", 0, "offered", "Download "),
        ("waiting", 0, "running", " of "),
        ("running", 5_000_000, "running", "5 MB of "),
        ("failed", 0, "failed", "download failed"),
        ("stopped", 0, "offered", "Download "),
    ],
)
def test_a_card_says_where_its_weights_are(
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    state: Any,
    done: int,
    download: str,
    line: str,
) -> None:
    monkeypatch.setattr(
        workspace.models.downloads,
        "state",
        lambda name: DownloadState(
            backbone_name=name, state=state, done_bytes=done, total_bytes=10_000_000
        ),
    )
    cards = {card.name: card for card in widget_values.cards(workspace, "resnet18").cards}
    assert cards["resnet18"].download == download
    assert line in cards["resnet18"].weights
    assert cards["resnet18"].progress == done / 10_000_000
    ready = cards["efficientnet_lite0"]
    assert (ready.ready, ready.download, ready.weights) == (True, "", "ready offline")


def test_a_picture_shows_its_three_most_probable_classes_or_why_there_are_none() -> None:
    ranked = tuple(ClassProbability(name, 0.25) for name in "abcd")
    results = [
        TestAnswer(name="<b>.jpg", thumbnail=b"jpeg", ranked=ranked),
        TestAnswer(name="<b>.jpg", thumbnail=b"", ranked=(), error="It is empty."),
    ]
    first, second = widget_values.predictions(results, "Heading").pictures
    assert [bar.name for bar in first.classes] == ["a", "b", "c"]
    assert (first.name, second.name) == ("<b>.jpg", "<b>.jpg")  # as text; the widget escapes
    assert first.key != second.key
    assert (second.thumbnail, second.classes, second.error) == ("", (), "It is empty.")


def test_the_ladder_tells_of_the_network_that_is_kept(workspace: Workspace) -> None:
    stages = workspace.models.sketch("efficientnet_lite0").stages
    rows = (
        make_row(1, valid_accuracy=0.9),
        make_row(2, phase=2, valid_accuracy=0.5, agreement=0.8, drift=(0.1,) * len(stages)),
    )
    record = make_record(epochs=rows, state="running")
    assert widget_values.moved(workspace, record).stages
    assert not widget_values.moved(workspace, replace(record, state="finished")).stages
