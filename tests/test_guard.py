"""The tests' own watch on outside calls sees what it should; else its silence means nothing."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guard.outside import OUTSIDE_LOG, outside_host
from tests.patience import PATIENCE_SECONDS
from tests.server import free_port, server_environment

CALLS = """
import socket
for host in ("127.0.0.1", "192.0.2.1", "elsewhere.invalid"):
    try:
        socket.create_connection((host, 9), timeout=0.2)
    except OSError as error:
        print(host, "tests" in str(error))
"""
SEEN = """socket.getaddrinfo 192.0.2.1
socket.getaddrinfo elsewhere.invalid
"""


def _refused(environment: dict[str, str]) -> str:
    return subprocess.check_output(
        [sys.executable, "-c", CALLS], env=environment, text=True, timeout=PATIENCE_SECONDS
    )


def test_a_server_s_call_to_another_machine_is_refused_and_written_down(tmp_path: Path) -> None:
    said = _refused(server_environment(tmp_path, free_port()))
    assert said == "127.0.0.1 False\n192.0.2.1 True\nelsewhere.invalid True\n"
    assert (tmp_path / "outside.log").read_text() == SEEN


def test_so_is_one_of_a_command_and_one_of_the_tests_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "outside.log"
    monkeypatch.setenv(OUTSIDE_LOG, str(log))
    _refused(dict(os.environ))
    assert log.read_text() == SEEN
    log.unlink()
    with socket.socket() as line, pytest.raises(ConnectionRefusedError, match="no other machine"):
        line.connect(("192.0.2.1", 9))
    with pytest.raises(socket.gaierror, match="no other machine"):
        socket.getaddrinfo("elsewhere.invalid", 80)
    assert log.read_text() == "socket.connect 192.0.2.1\nsocket.getaddrinfo elsewhere.invalid\n"


def test_this_machine_is_no_other_one() -> None:
    for address in (("127.0.0.2", 80), ("::1", 80, 0, 0), ("localhost", 80), "/tmp/a socket"):
        assert outside_host("socket.connect", (None, address)) == ""
    assert outside_host("socket.getaddrinfo", (None, 80)) == ""
    assert outside_host("socket.getaddrinfo", (b"elsewhere", 80)) == "elsewhere"
    assert outside_host("open", ("elsewhere",)) == ""
