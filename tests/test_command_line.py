"""The command line as a person or a script meets it: in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.pictures import class_folder, jpeg, zip_folder
from tests.programs import start_program
from tlapp.__main__ import main
from tlapp.backbones.weights import WeightsStore
from tlapp.classifier import load_classifier
from tlapp.commands import language_of_environment
from tlapp.experiments.race import LANES
from tlapp.runs.folder import RunFolder
from tlapp.runs.store import RunStore

REPOSITORY = Path(__file__).parents[1]
TRAIN_KEYS = {
    "classes",
    "train_count",
    "valid_count",
    "valid_accuracy",
    "valid_interval",
    "seconds",
    "feature_seconds",
    "head_seconds",
    "images_per_second",
    "trainable_parameters",
    "run_dir",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("TLAPP_HOME", str(home))
    monkeypatch.delenv("SPACE_ID", raising=False)
    return home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return class_folder(tmp_path / "pictures", ("dots", "stripes"), per_class=6)


class _Command:
    """`python -m tlapp ...` under way, and what it has printed by now."""

    def __init__(self, folder: Path, arguments: Sequence[str | Path]) -> None:
        self._said = folder / "said"
        with self._said.open("wb") as output:
            self.program = start_program(["-m", "tlapp", *map(str, arguments)], os.environ, output)

    def said(self) -> str:
        return self._said.read_text("utf-8")

    def wait_for_training(self) -> None:
        """Until the first epoch has been told."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "Training" not in map(str.strip, self.said().splitlines()):
            assert self.program.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.02)


def _last_json(output: str) -> Any:
    return json.loads(output.strip().splitlines()[-1])


def _check(result: Mapping[str, Any], home: Path) -> None:
    assert set(result) >= TRAIN_KEYS
    assert result["classes"] == ["dots", "stripes"]
    assert result["train_count"] + result["valid_count"] == 12
    assert 0 <= result["valid_accuracy"] <= 1
    low, high = result["valid_interval"]
    assert low <= result["valid_accuracy"] <= high
    assert result["seconds"] >= result["feature_seconds"] + result["head_seconds"]
    assert Path(result["run_dir"]).parent == home / "runs"
    assert not any((home / "imports").iterdir())


def test_train_and_predict_from_folder_to_answers(
    home: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(folder), "--epochs", "5", "--seed", "1", "--json"]) == 0
    printed = capsys.readouterr()
    first = _last_json(printed.out)
    _check(first, home)
    assert printed.err.splitlines()[0] == "Reading pictures"

    assert main(["train", str(folder), "--epochs", "5", "--seed", "1", "--json"]) == 0
    second = _last_json(capsys.readouterr().out)
    assert second["images_per_second"] == 0  # every feature was in the cache
    assert second["valid_accuracy"] == first["valid_accuracy"]

    picture = tmp_path / "new picture.jpg"
    picture.write_bytes(jpeg(0, 500))
    assert main(["predict", first["run_dir"], str(picture), "--json"]) == 0
    answer = _last_json(capsys.readouterr().out)
    assert [entry["file"] for entry in answer] == [str(picture)]
    probabilities = [item["probability"] for item in answer[0]["classes"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1.0)
    assert {item["name"] for item in answer[0]["classes"]} == {"dots", "stripes"}

    assert main(["predict", first["run_dir"], str(picture)]) == 0
    assert capsys.readouterr().out.startswith(f"{picture}: ")


def test_out_names_the_run_folder_and_takes_the_place_of_an_earlier_run(
    home: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "models" / "mine"
    for _ in range(2):
        arguments = ["train", str(folder), "--epochs", "2", "--out", str(target)]
        assert main(arguments) == 0
        assert f"predict {target}" in capsys.readouterr().out
    assert RunFolder(target).record().state == "finished"
    assert not list((home / "runs").glob("r_*"))
    assert [path.name for path in target.parent.iterdir()] == ["mine"]


def test_a_folder_with_train_and_val_keeps_that_split(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class_folder(tmp_path / "set" / "train", ("a", "b"), per_class=5)
    class_folder(tmp_path / "set" / "val", ("a", "b"), per_class=2, first_seed=50)
    assert main(["train", str(tmp_path / "set"), "--epochs", "1", "--json"]) == 0
    result = _last_json(capsys.readouterr().out)
    assert (result["train_count"], result["valid_count"]) == (10, 4)


def test_a_zip_is_as_good_as_a_folder_and_damaged_pictures_are_named(
    home: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "dots" / "empty.jpg").write_bytes(b"")
    archive = zip_folder(folder, tmp_path / "pictures.zip")
    assert main(["train", str(archive), "--epochs", "1", "--json"]) == 0
    printed = capsys.readouterr()
    assert "dots/empty.jpg is empty" in printed.err
    assert _last_json(printed.out)["classes"] == ["dots", "stripes"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "nowhere"], "nowhere"),
        (["train", "FOLDER", "--backbone", "resnet999"], "resnet999"),
        (["train", "FOLDER", "--epochs", "0"], "epochs"),
        (["train", "FOLDER", "--lr", "nan"], "learning rate"),
        (["train", "FOLDER", "--seed", "-1"], "seed"),
        (["train", "FOLDER", "--freeze", "last:99"], "99"),
        (["train", "FOLDER", "--freeze", "roof"], "roof"),
        (["train", "FOLDER", "--phases", "head:5,fine"], "fine"),
        (["train", "FOLDER", "--phases", "head:5", "--epochs", "3"], "--phases"),
        (["race", "nowhere"], "nowhere"),
        (["train", "FOLDER", "--out", "FOLDER"], "--out"),
        (["train", "FOLDER/dots"], ""),
        (["lr-find", "FOLDER", "--freeze", "nowhere"], "nowhere"),
        (["lr-find", "FOLDER/dots"], ""),
        (["predict", "FOLDER", "x.jpg"], "no run"),
        (["predict", "nowhere", "x.jpg"], "nowhere"),
        (["fetch", "resnet999"], "resnet999"),
    ],
)
def test_mistakes_are_told_with_the_next_step_and_end_with_2(
    home: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    assert main([argument.replace("FOLDER", str(folder)) for argument in arguments]) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert len(printed.err.strip().splitlines()) >= 2
    assert "Traceback" not in printed.err
    assert printed.out == ""


def test_predict_answers_for_the_good_pictures_and_ends_with_2_for_a_bad_one(
    home: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "run"
    assert main(["train", str(folder), "--epochs", "1", "--out", str(target)]) == 0
    capsys.readouterr()
    good, empty = tmp_path / "good.jpg", tmp_path / "empty.jpg"
    good.write_bytes(jpeg())
    empty.write_bytes(b"")
    missing = tmp_path / "missing.jpg"
    code = main(["predict", str(target), *map(str, (empty, good, missing)), "--json"])
    printed = capsys.readouterr()
    assert code == 2
    answers = _last_json(printed.out)
    assert [bool(answer["classes"]) for answer in answers] == [False, True, False]
    assert "is empty" in answers[0]["error"]
    assert "No such file" in answers[2]["error"]
    assert "Traceback" not in printed.err


def test_fetch_says_that_packaged_backbones_are_ready(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", "efficientnet_lite0"]) == 0
    assert "efficientnet_lite0: ready" in capsys.readouterr().out


def test_phases_follow_one_another(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(folder), "--phases", "head:2,last:1:1", "--scratch", "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    record = RunFolder(Path(result["run_dir"])).record()
    assert [row.phase for row in record.epochs] == [1, 1, 2]
    assert record.config["pretrained"] is False


@pytest.mark.slow
def test_a_race_ends_with_its_lanes_and_a_sentence(
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = class_folder(tmp_path / "few", ("dots", "stripes"), per_class=2)
    for name in ("HEAD_EPOCHS", "_FINE_EPOCHS", "_MOST_FINE_EPOCHS"):
        monkeypatch.setattr(f"tlapp.training.presets.{name}", 1)
    assert main(["race", str(folder), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [lane["lane"] for lane in result["lanes"]] == list(LANES)
    assert all(lane["state"] == "finished" for lane in result["lanes"])
    assert result["winner"] in LANES
    assert "is in front" in result["verdict"][0] or "are level" in result["verdict"][0]


def test_lr_find_ends_with_a_rate_and_its_reason(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lr-find", str(folder), "--json"]) == 0
    found = _last_json(capsys.readouterr().out)
    assert len(found["rates"]) == len(found["losses"]) == found["done"]
    assert found["rates"][0] < found["suggested_rate"] < found["rates"][-1]
    assert found["reason"]["lowest_loss"] == min(found["losses"])
    assert found["config"]["freeze"] == "head"
    assert not list((home / "runs").glob("r_*"))
    assert not any((home / "imports").iterdir())

    assert main(["lr-find", str(folder), "--backbone", "efficientnet_lite0"]) == 0
    said = capsys.readouterr().out
    assert f"Take {found['suggested_rate']:.2g}." in said
    assert "*" not in said


def test_app_py_takes_the_options_of_serve() -> None:
    command = [sys.executable, "app.py", "--help"]
    said = subprocess.check_output(command, cwd=REPOSITORY, text=True, timeout=PATIENCE_SECONDS)
    assert "--port" in said


def test_without_a_command_the_usage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "serve" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "xx_AT.UTF-8@euro"}, "xx"),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "xx"}, "xx"),
        ({"LC_MESSAGES": "xx", "LC_ALL": "en_US"}, "en"),
        ({"LC_ALL": "en_US", "LANGUAGE": "no:xx:en"}, "xx"),
    ],
)
def test_the_language_is_the_first_that_the_terminal_names_and_tlapp_speaks(
    environment: Mapping[str, str], language: str
) -> None:
    assert language_of_environment(environment) == language


def test_help_and_refusals_are_in_the_language_of_the_terminal(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANGUAGE", "xx")
    assert main([]) == 2
    assert "[show the page in a browser ~" in capsys.readouterr().err
    assert main(["predict", str(home), "a.jpg"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line[0] for line in said] == ["[", "["]  # what happened, and what to do


@pytest.mark.server
@pytest.mark.parametrize(("asked", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_keep_the_best_epoch(
    asked: signal.Signals, code: int, home: Path, folder: Path, tmp_path: Path
) -> None:
    command = _Command(tmp_path, ["train", folder, "--epochs", "10000", "--json"])
    command.wait_for_training()
    command.program.send_signal(asked)
    assert command.program.wait(timeout=PATIENCE_SECONDS) == code
    assert "Traceback" not in command.said()
    result = _last_json(command.said())
    assert result["state"] == "stopped"
    run = RunFolder(Path(result["run_dir"]))
    assert run.record().best_epoch == run.best_model_epoch()
    assert not any((home / "imports").iterdir())


@pytest.mark.server
def test_kill_9_loses_at_most_the_running_epoch_and_the_model_is_usable(
    home: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = _Command(tmp_path, ["train", folder, "--epochs", "10000"])
    command.wait_for_training()
    command.program.kill()
    command.program.wait(timeout=PATIENCE_SECONDS)
    store = RunStore(home / "runs")
    (record,) = store.all_records()
    store.close()
    assert record.state == "stopped"
    assert "program ended" in record.message.template
    assert [row.epoch for row in record.epochs] == list(range(1, len(record.epochs) + 1))
    assert record.epochs
    run = store.folder(record.run_id)
    classifier = load_classifier(run.model_path(), WeightsStore(home / "weights"))
    assert classifier.class_names == ("dots", "stripes")

    # The next command finds everything in order and removes what the killed one left behind.
    assert main(["train", str(folder), "--epochs", "2", "--json"]) == 0
    assert not any((home / "imports").iterdir())
    assert _last_json(capsys.readouterr().out)["state"] == "finished"
