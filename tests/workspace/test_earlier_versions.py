"""What an earlier version has written opens, is found, and goes on working.

`tests/homes/before_13.zip` is a home folder of the version before issue 13, made by its workspace
and nothing else. One visitor imported 2 classes of 8 drawn pictures of 48 x 40 (beside them a torn
one and an empty folder), renamed the class "stripes" to "lines", and trained heads on
EfficientNet-Lite0, so that models stay small:

- a run to its end (4 epochs), then renamed and pinned,
- a run of 6 epochs, stopped after the third, with the state that resuming takes,
- a run with a learning rate of a million, which failed,
- a race, stopped after the second step of its first lane.

Then they kept three test pictures (one torn) and settings of their own. Features of all pictures
are in the cache, and one measured speed. The page was closed, the program ended, and the folder
packed without its locks. `before_13.json` is what the same program said of all this.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.homes.opened import OpenedHome, as_json, opened_home, unpack_home
from tlapp.training.config import TrainConfig

HOMES = Path(__file__).parents[1] / "homes"
LARGEST_DIFFERENCE = 2e-3  # of probabilities: other processors and other torches round otherwise


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """What the version that made it said of the home."""
    return json.loads((HOMES / "before_13.json").read_text(encoding="utf-8"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The home folder, for this test alone."""
    return unpack_home(HOMES / "before_13.zip", tmp_path / "home")


@pytest.fixture
def home(folder: Path, expected: dict[str, Any]) -> Iterator[OpenedHome]:
    """The home, open for its visitor."""
    with opened_home(folder, expected["token"]) as opened:
        yield opened


def test_nothing_of_it_is_damaged(home: OpenedHome) -> None:
    assert home.damages() == ()


def test_the_page_shows_what_it_showed(home: OpenedHome, expected: dict[str, Any]) -> None:
    state = home.state()
    assert state["dataset_id"] == expected["dataset_id"]
    assert state["run_id"] == expected["finished_run_id"]
    assert as_json(state["config"]).items() >= expected["settings"].items()


def test_the_data_set_is_there_with_its_split_and_what_was_said_of_it(
    home: OpenedHome, expected: dict[str, Any]
) -> None:
    assert home.dataset_ids() == [expected["dataset_id"]]
    dataset = home.dataset(expected["dataset_id"])
    assert list(dataset.images.class_names) == expected["class_names"]
    assert list(dataset.images.counts()) == expected["counts"]
    assert dataset.images.fingerprint == expected["fingerprint"]
    assert as_json(home.split(dataset)) == expected["split"]
    assert home.skipped(dataset) == [(each["name"], each["reason"]) for each in expected["skipped"]]
    findings = [(each["kind"], each["message"]) for each in expected["findings"]]
    assert home.findings(dataset) == findings
    for image in dataset.images.images:
        assert home.thumbnail(dataset.dataset_id, image.image_id).startswith(b"\xff\xd8")


def test_the_last_edit_of_the_classes_is_taken_back_and_kept(
    home: OpenedHome, expected: dict[str, Any]
) -> None:
    dataset = home.dataset(expected["dataset_id"]).without_edit()
    home.save(dataset)
    kept = home.dataset(expected["dataset_id"])
    assert list(kept.images.class_names) == expected["class_names_before_edit"]


def test_every_run_is_there_with_its_epochs(home: OpenedHome, expected: dict[str, Any]) -> None:
    records = home.records()
    assert [record.run_id for record in records] == [each["run_id"] for each in expected["runs"]]
    for record, wanted in zip(records, expected["runs"], strict=True):
        figures = dict(wanted)
        assert home.said(record) == (figures.pop("message"), figures.pop("hint"))
        assert home.can_resume(record.run_id) == figures.pop("can_resume")
        config, epochs = figures.pop("config"), figures.pop("epochs")
        assert as_json(dict(record.config)).items() >= config.items()
        assert {name: as_json(getattr(record, name)) for name in figures} == figures
        assert len(record.epochs) == len(epochs)
        for row, figures_of_row in zip(record.epochs, epochs, strict=True):
            assert as_json(row.to_json()).items() >= figures_of_row.items()


def test_a_renamed_run_is_found_under_its_name_after_a_restart(
    folder: Path, expected: dict[str, Any]
) -> None:
    run_id = expected["finished_run_id"]
    with opened_home(folder, expected["token"]) as home:
        before = home.record(run_id)
        home.rename_run(run_id, "Another name")
    with opened_home(folder, expected["token"]) as home:
        assert home.record(run_id) == replace(before, name="Another name")


def test_the_race_is_found_again(home: OpenedHome, expected: dict[str, Any]) -> None:
    assert home.newest_race() == expected["race_run_ids"]


def test_the_test_pictures_get_the_answers_they_got(
    home: OpenedHome, expected: dict[str, Any]
) -> None:
    for run_id, key in ((expected["finished_run_id"], "answers"), (None, "imagenet_answers")):
        for answer, wanted in zip(home.answers(run_id), expected[key], strict=True):
            assert (answer["name"], answer["error"]) == (wanted["name"], wanted["error"])
            shares = dict(answer["ranked"])
            assert bool(shares) == bool(wanted["ranked"])
            for name, share in wanted["ranked"]:
                assert shares[name] == pytest.approx(share, abs=LARGEST_DIFFERENCE)


def test_a_stopped_run_goes_on_where_it_was_stopped(
    home: OpenedHome, expected: dict[str, Any]
) -> None:
    stopped = home.record(expected["stopped_run_id"])
    record = home.resume(stopped.run_id)
    assert (record.state, record.continues) == ("finished", stopped.run_id)
    assert [row.epoch for row in record.epochs] == [1, 2, 3, 4, 5, 6]
    assert record.epochs[:3] == stopped.epochs
    assert record.found_features  # no picture passed the backbone again: the cache is of use


def test_a_training_begins_on_the_data_set(home: OpenedHome, expected: dict[str, Any]) -> None:
    record = home.train(expected["dataset_id"], TrainConfig(epochs=4, seed=1))
    assert record.state == "finished"
    assert record.found_features
    earlier = home.record(expected["finished_run_id"])
    assert record.data_fingerprint == earlier.data_fingerprint


def test_measured_speeds_are_known(home: OpenedHome, expected: dict[str, Any]) -> None:
    speeds = home.speeds()
    assert {name: speeds[name] for name in expected["speeds"]} == expected["speeds"]
