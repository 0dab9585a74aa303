"""A forked program is what it would be if Python had been started for it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.guard.outside import OUTSIDE_LOG
from tests.patience import PATIENCE_SECONDS
from tests.programs import REPOSITORY, start_program

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="every start is cold here")

TELL = """
import os, signal, sys
print(sys.argv, __name__, os.getcwd(), sorted(os.environ), flush=True)
print("torch" in sys.modules, "gradio" in sys.modules, "pytest" in sys.modules, file=sys.stderr)
sys.exit(7)
"""
WAIT = """
import time
print("waits", flush=True)
time.sleep(600)
"""


def _program(folder: Path, text: str) -> str:
    path = folder / "program.py"
    path.write_text(text)
    return str(path)


def test_it_has_its_own_arguments_environment_output_and_exit_code(tmp_path: Path) -> None:
    path, log = _program(tmp_path, TELL), tmp_path / "log"
    with log.open("wb") as output:
        program = start_program([path, "--one"], {"NAME": "value"}, output)
    assert program.wait(timeout=PATIENCE_SECONDS) == 7
    assert program.poll() == 7
    program.kill()  # nothing happens any more
    first, second = log.read_text().splitlines()
    assert first == f"{[path, '--one']} __main__ {REPOSITORY} ['NAME']"
    assert second == "True False False"  # Gradio reads the environment: it is not loaded ahead


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_can_be_asked_whether_it_runs_and_be_ended(
    tmp_path: Path, number: signal.Signals
) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output:
        program = start_program([_program(tmp_path, WAIT)], {}, output)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while log.read_text() != "waits\n":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert program.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        program.wait(timeout=0.01)
    program.send_signal(number)
    assert program.wait(timeout=PATIENCE_SECONDS) == -number


def test_ctrl_c_reaches_it_and_modules_run_as_with_m(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output:
        program = start_program(["-m", "tlapp", "--no-such-option"], {}, output)
        assert program.wait(timeout=PATIENCE_SECONDS) == 2
        assert "python -m tlapp" in log.read_text()
        program = start_program([_program(tmp_path, WAIT)], {}, output)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not log.read_text().endswith("waits\n"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    program.send_signal(signal.SIGINT)
    assert program.wait(timeout=PATIENCE_SECONDS) == -signal.SIGINT
    assert "KeyboardInterrupt" in log.read_text()


def test_its_calls_to_other_machines_are_refused_and_written_down_for_it(tmp_path: Path) -> None:
    path = _program(tmp_path, "import socket\nsocket.getaddrinfo('elsewhere.invalid', 80)")
    outside = tmp_path / "outside.log"
    with (tmp_path / "log").open("wb") as output:
        environment = {**os.environ, OUTSIDE_LOG: str(outside)}
        assert start_program([path], environment, output).wait(timeout=PATIENCE_SECONDS) == 1
    assert outside.read_text() == "socket.getaddrinfo elsewhere.invalid\n"
