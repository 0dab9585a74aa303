"""The README's examples, run as they stand there, on the real server."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.pictures import jpeg
from tests.programs import REPOSITORY
from tests.server import AppServer

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
WRITTEN_ADDRESS = "http://127.0.0.1:7860"


def _example(language: str, server: AppServer) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    found = [block for block in blocks if WRITTEN_ADDRESS in block]
    assert len(found) == 1
    return found[0].replace(WRITTEN_ADDRESS, server.url)


@pytest.fixture
def work_folder(pictures_zip: Path) -> Path:
    """A folder with the files that the examples name."""
    folder = pictures_zip.parent
    (folder / "test.jpg").write_bytes(jpeg(2, 900))
    return folder


def _output(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_python_example_trains_and_answers(app_server: AppServer, work_folder: Path) -> None:
    output = _output([sys.executable, "-c", _example("python", app_server)], work_folder)
    assert "finished" in output
    assert "'name': 'checks'" in output


@pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("jq")), reason="the example is for who has both"
)
def test_the_curl_example_trains_and_answers(app_server: AppServer, work_folder: Path) -> None:
    output = _output(["bash", "-euc", _example("bash", app_server)], work_folder)
    assert '"name":"checks"' in output
