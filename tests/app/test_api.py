"""The public endpoints on the real server, as programs use them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from gradio_client.exceptions import AppError

from tests.app.conftest import NewClient
from tests.app.visits import (
    ask,
    bring,
    look,
    start,
    wait_for_epochs,
    wait_for_experiment,
    wait_until_over,
)
from tests.pictures import BROKEN, class_folder, jpeg, zip_entries, zip_folder
from tests.server import AppServer

QUICK = {"epochs": 8}
ENDLESS = {"epochs": 1000, "learning_rate": 1e-6}  # goes on until it is stopped


def _test_pictures(folder: Path) -> list[Path]:
    """One picture of each of the three classes, none of which was learned from."""
    names = []
    for class_index in range(3):
        path = folder / f"test-{class_index}.jpg"
        path.write_bytes(jpeg(class_index, 900 + class_index))
        names.append(path)
    return names


def test_a_zip_becomes_a_data_set_then_a_run_then_answers(
    new_client: NewClient, pictures_zip: Path, tmp_path: Path
) -> None:
    client = new_client()
    dataset = bring(client, pictures_zip)
    assert dataset["classes"] == {"checks": 8, "dots": 8, "stripes": 8}
    assert dataset["skipped"] == []
    run_id = start(client, dataset["dataset_id"], **QUICK)
    run = wait_until_over(client, run_id)
    assert run["state"] == "finished", run
    record = run["record"]
    assert [row["epoch"] for row in record["epochs"]] == list(range(1, 9))
    assert record["train_count"] + record["valid_count"] == 24
    assert record["valid_accuracy"] >= 0.8
    assert "owner" not in record
    answers = ask(client, run_id, _test_pictures(tmp_path))
    assert [answer["file"] for answer in answers] == ["test-0.jpg", "test-1.jpg", "test-2.jpg"]
    best = [answer["classes"][0]["name"] for answer in answers]
    assert best == ["stripes", "dots", "checks"]
    for answer in answers:
        probabilities = [one["probability"] for one in answer["classes"]]
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) == pytest.approx(1, abs=1e-5)


def test_phases_and_any_other_setting_can_be_asked_for(
    new_client: NewClient, pictures_zip: Path
) -> None:
    client = new_client()
    dataset_id = bring(client, pictures_zip)["dataset_id"]
    wish = {"phases": "head:3,last:1:1", "scratch": True}
    run_id = client.predict(dataset_id, wish, api_name="/train_with")["run_id"]
    run = wait_until_over(client, run_id)
    assert run["state"] == "finished", run
    record = run["record"]
    assert [row["phase"] for row in record["epochs"]] == [1, 1, 1, 2]
    assert record["config"]["pretrained"] is False
    wish = {"label_smoothing": 0.1, "head_epochs": 0, "epochs": 1}
    run_id = client.predict(dataset_id, wish, api_name="/train_with")["run_id"]
    run = wait_until_over(client, run_id)
    assert run["record"]["config"]["label_smoothing"] == 0.1


def test_a_race_is_five_runs(new_client: NewClient, tmp_path: Path) -> None:
    client = new_client()
    path = zip_folder(class_folder(tmp_path / "few", ("a", "b"), per_class=2), tmp_path / "few.zip")
    dataset_id = bring(client, path)["dataset_id"]
    run_ids = client.predict(dataset_id, api_name="/race")["run_ids"]
    assert list(run_ids) == ["head", "last", "slower_below", "one_rate", "scratch"]
    for lane, run_id in run_ids.items():
        run = wait_until_over(client, run_id)
        assert run["state"] == "finished", run
        assert run["record"]["lane"] == lane


def test_a_learning_rate_is_found_for_a_data_set(new_client: NewClient, pictures_zip: Path) -> None:
    client = new_client()
    dataset_id = bring(client, pictures_zip)["dataset_id"]
    experiment_id = client.predict(dataset_id, api_name="/lr_find")["experiment_id"]
    seen = wait_for_experiment(client, experiment_id)
    assert seen["state"] == "finished", seen
    value = seen["value"]
    assert len(value["rates"]) == len(value["losses"]) == value["done"]
    assert value["rates"][0] < value["suggested_rate"] < value["rates"][-1]
    assert value["reason"]["lowest_rate"] in value["rates"]
    with pytest.raises(AppError, match="not here any more"):
        client.predict("x" * 32, api_name="/experiment")
    with pytest.raises(AppError, match="nowhere"):
        client.predict(dataset_id, "efficientnet_lite0", "nowhere", api_name="/lr_find")


def test_two_visitors_at_once_get_their_own_answers(new_client: NewClient, tmp_path: Path) -> None:
    sets = {
        "first": ("stripes", "dots", "checks"),
        "second": ("ants", "bees", "cows"),
    }

    def visit(name: str) -> list[list[str]]:
        client = new_client()
        folder = class_folder(tmp_path / name / "pictures", sets[name])
        archive = zip_folder(folder, tmp_path / name / "pictures.zip")
        run_id = start(client, bring(client, archive)["dataset_id"], **QUICK)
        run = wait_until_over(client, run_id)
        assert run["state"] == "finished", run
        answers = ask(client, run_id, _test_pictures(tmp_path / name))
        return [[one["name"] for one in answer["classes"]] for answer in answers]

    with ThreadPoolExecutor(2) as pool:
        results = dict(zip(sets, pool.map(visit, sets), strict=True))
    for name, ranked in results.items():
        assert [names[0] for names in ranked] == list(sets[name])
        assert all(set(names) == set(sets[name]) for names in ranked)


def test_the_same_pictures_of_two_visitors_are_two_data_sets(
    new_client: NewClient, pictures_zip: Path, app_server: AppServer
) -> None:
    first, second = (bring(new_client(), pictures_zip) for _ in range(2))
    assert first["dataset_id"] != second["dataset_id"]
    folders = [
        path
        for dataset in (first, second)
        for path in app_server.home.rglob(dataset["dataset_id"])
        if path.is_dir()
    ]
    assert len(folders) == 2


def test_stopping_keeps_the_best_epoch_and_its_classifier_answers(
    new_client: NewClient, pictures_zip: Path, tmp_path: Path
) -> None:
    client = new_client()
    run_id = start(client, bring(client, pictures_zip)["dataset_id"], **ENDLESS)
    wait_for_epochs(client, run_id, 3)
    client.predict(run_id, api_name="/stop")
    run = wait_until_over(client, run_id)
    assert run["state"] == "stopped"
    assert run["record"]["best_epoch"] >= 1
    assert len(run["record"]["epochs"]) < 1000
    assert len(ask(client, run_id, _test_pictures(tmp_path))) == 3


def test_a_running_run_already_answers(
    new_client: NewClient, pictures_zip: Path, tmp_path: Path
) -> None:
    client = new_client()
    run_id = start(client, bring(client, pictures_zip)["dataset_id"], **ENDLESS)
    wait_for_epochs(client, run_id, 1)
    answers = ask(client, run_id, _test_pictures(tmp_path))
    assert look(client, run_id)["state"] == "running"
    client.predict(run_id, api_name="/stop")
    wait_until_over(client, run_id)
    assert {one["name"] for one in answers[0]["classes"]} == {"stripes", "dots", "checks"}


def test_a_picture_that_cannot_be_read_is_named_among_the_answers(
    new_client: NewClient, pictures_zip: Path, tmp_path: Path
) -> None:
    client = new_client()
    run_id = start(client, bring(client, pictures_zip)["dataset_id"], epochs=1)
    wait_until_over(client, run_id)
    half = tmp_path / "half.jpg"
    half.write_bytes(BROKEN["half.jpg"]())
    good, bad = ask(client, run_id, [_test_pictures(tmp_path)[0], half])
    assert good["classes"]
    assert bad["file"] == "half.jpg"
    assert bad["classes"] == []
    assert "half.jpg" in bad["error"]


def _refusal(error: BaseException, server: AppServer) -> str:
    """The message of a refusal, once it is sure that it holds no inner detail."""
    message = str(error)
    assert "Traceback" not in message
    assert str(server.home) not in message
    assert "/tmp" not in message
    return message


@pytest.mark.parametrize("unknown", ["", "../../etc/passwd", "x" * 32, "<img src=x>", "\x00", "é"])
def test_a_guessed_id_finds_nothing(
    unknown: str, new_client: NewClient, app_server: AppServer
) -> None:
    client = new_client()
    for api_name in ("/run", "/stop", "/train"):
        with pytest.raises(AppError) as refusal:
            client.predict(unknown, api_name=api_name)
        assert "on our side" not in _refusal(refusal.value, app_server)


def test_ids_have_at_least_128_random_bits(new_client: NewClient, pictures_zip: Path) -> None:
    client = new_client()
    dataset_id = bring(client, pictures_zip)["dataset_id"]
    run_id = start(client, dataset_id, epochs=1)
    wait_until_over(client, run_id)
    assert len(dataset_id) >= 22  # 6 bits a letter
    assert len(run_id) >= 22


@pytest.mark.parametrize(
    "options",
    [
        {"backbone": "no-such-net"},
        {"freeze": "everything"},
        {"epochs": 0},
        {"epochs": -3},
        {"epochs": 10**6},
        {"epochs": 1.5},
        {"learning_rate": -1.0},
        {"learning_rate": 0.0},
        {"seed": 1.5},
    ],
    ids=str,
)
def test_a_setting_that_makes_no_sense_is_refused_in_words(
    options: dict[str, object],
    new_client: NewClient,
    pictures_zip: Path,
    app_server: AppServer,
) -> None:
    client = new_client()
    dataset_id = bring(client, pictures_zip)["dataset_id"]
    with pytest.raises(AppError) as refusal:
        start(client, dataset_id, **options)
    assert "on our side" not in _refusal(refusal.value, app_server)


@pytest.mark.parametrize(
    "settings",
    [
        {"colour": "red"},
        {"dropout": "much"},
        {"phases": "head:lots"},
        {"stage_rates": 3},
        {"stage_rates": [["top", "fast"]]},
        {"pretrained": "perhaps"},
        {"backbone": 3},
        {"freeze": None},
        [1, 2],
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused_in_words(
    settings: object, new_client: NewClient, pictures_zip: Path, app_server: AppServer
) -> None:
    client = new_client()
    dataset_id = bring(client, pictures_zip)["dataset_id"]
    with pytest.raises(AppError) as refusal:
        client.predict(dataset_id, settings, api_name="/train_with")
    assert "on our side" not in _refusal(refusal.value, app_server)


def test_a_rate_that_is_far_too_high_fails_in_words(
    new_client: NewClient, pictures_zip: Path
) -> None:
    client = new_client()
    run_id = start(client, bring(client, pictures_zip)["dataset_id"], learning_rate=1e30)
    run = wait_until_over(client, run_id)
    assert run["state"] == "failed"
    assert "learning rate" in run["record"]["message"].lower()
    assert run["record"]["hint"]


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([], "No pictures"),
        ([("cats/readme.txt", b"no picture")], "No pictures"),
        ([("cats/a.jpg", BROKEN["text.jpg"]())], "No pictures"),
    ],
    ids=["empty", "only text", "only broken"],
)
def test_a_zip_without_pictures_is_refused_in_words(
    entries: list[tuple[str, bytes]],
    words: str,
    new_client: NewClient,
    tmp_path: Path,
    app_server: AppServer,
) -> None:
    archive = zip_entries(tmp_path / "nothing.zip", entries)
    with pytest.raises(AppError) as refusal:
        bring(new_client(), archive)
    assert words.lower() in _refusal(refusal.value, app_server).lower()


def test_what_is_no_zip_is_refused_in_words(
    new_client: NewClient, tmp_path: Path, app_server: AppServer
) -> None:
    wrong = tmp_path / "pictures.zip"
    wrong.write_bytes(b"Rar!\x1a\x07\x00" + b"x" * 500)
    with pytest.raises(AppError) as refusal:
        bring(new_client(), wrong)
    assert "not a zip" in _refusal(refusal.value, app_server)


def test_damaged_pictures_are_listed_and_the_others_are_kept(
    new_client: NewClient, tmp_path: Path
) -> None:
    entries = [(f"cats/{number}.jpg", jpeg(0, number)) for number in range(5)]
    entries += [(f"dogs/{number}.jpg", jpeg(1, number)) for number in range(5)]
    entries += [(f"cats/{name}", make()) for name, make in BROKEN.items()]
    answer = bring(new_client(), zip_entries(tmp_path / "mixed.zip", entries))
    assert answer["classes"] == {"cats": 5, "dogs": 5}
    listed = {skipped["name"].rsplit("/", 1)[-1] for skipped in answer["skipped"]}
    assert listed == set(BROKEN)
