"""The tests' own watch on outside calls sees what it should; else its silence means nothing."""

import subprocess
import sys
from pathlib import Path

from tests.server import free_port, server_environment


def test_a_call_to_another_machine_is_written_down_and_one_to_this_machine_is_not(
    tmp_path: Path,
) -> None:
    code = """
import socket
for host in ("127.0.0.1", "elsewhere.invalid"):
    try:
        socket.create_connection((host, 9), timeout=0.2)
    except OSError:
        pass
"""
    environment = server_environment(tmp_path, free_port())
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=30)
    assert (tmp_path / "outside.log").read_text() == "socket.getaddrinfo elsewhere.invalid\n"
