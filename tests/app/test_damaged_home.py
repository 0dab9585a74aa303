"""The real server on a home folder in which much is damaged at once."""

import errno
import os
import shutil
import time
from pathlib import Path

import httpx
import pytest

from tests.damage import fill, flip, folder_instead, mistype, nest, tear
from tests.patience import PATIENCE_SECONDS
from tests.server import LOCAL_HTTP, running_server
from tests.workspace.homes import make_home
from tlapp.__main__ import main
from tlapp.commands import EXIT_PROBLEM


def test_the_server_starts_names_each_damage_once_and_answers(tmp_path: Path) -> None:
    home = make_home(tmp_path / "made")
    shutil.copytree(home.folder, tmp_path / "server" / "home")
    home = home.at(tmp_path / "server" / "home")
    nest(home.run_path("run.json"))
    nest(home.run_path("run.json.before"))
    tear(home.folder / "datasets" / home.dataset_ids[0] / "dataset.json")
    mistype(home.folder / "visitors" / f"{home.owners[0]}.json")
    flip(home.folder / "tried" / f"{home.owners[0]}.zip")
    tear(home.folder / "tried" / f"{home.owners[1]}.zip")
    fill(home.folder / "speeds.json")
    folder_instead(home.only("weights/*.json"))
    tear(home.only("features/*.safetensors"))
    (home.folder / "logs").write_text("a file where the folder should be")
    names = (
        f"run {home.run_ids[0][:8]}",
        f"dataset {home.dataset_ids[0][:8]}",
        f"visitor {home.owners[0][:8]}",
        f"tried {home.owners[1][:8]}",
        "speeds",
        "weights resnet18",
        "features",
    )
    with running_server(tmp_path / "server") as server:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not all(f"Damaged {name}" in server.log for name in names):
            assert time.monotonic() < deadline, server.log
            assert server.is_alive(), server.log
            time.sleep(0.05)
        assert httpx.get(server.url + "/", **LOCAL_HTTP).status_code == 200
        log = server.log
    assert "The folder for logs cannot be written" in log
    assert "Traceback" not in log
    assert "Incident" not in log
    assert "secret-name" not in log
    for name in names:
        assert log.count(f"Damaged {name}") == 1


def test_a_home_that_is_a_file_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "home").write_text("not a folder")
    monkeypatch.setenv("TLAPP_HOME", str(tmp_path / "home"))
    assert main(["serve"]) == EXIT_PROBLEM
    said = capsys.readouterr().err
    assert "cannot be used" in said
    assert "TLAPP_HOME" in said
    assert str(tmp_path) not in said


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_home_that_cannot_be_written_is_said_in_words(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: int,
) -> None:
    def refuse(*_args: object, **_values: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setenv("TLAPP_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(Path, "touch", refuse)
    assert main(["serve"]) == EXIT_PROBLEM
    assert os.strerror(number) in capsys.readouterr().err
