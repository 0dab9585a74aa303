"""The real server for tests: `python app.py` in a process and a home folder of its own."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from tests.guard.outside import OUTSIDE_LOG
from tests.patience import PATIENCE_SECONDS
from tests.programs import Program, start_program

SPEED = 100.0  # pictures a second
GUARD_FOLDER = Path(__file__).parent / "guard"
# How to ask servers of this machine: patiently, without proxies, and without the certificates that
# nobody shows, whose reading takes 50 ms a client.
LOCAL_HTTP: Mapping[str, Any] = MappingProxyType(
    {"trust_env": False, "verify": False, "timeout": PATIENCE_SECONDS}
)


@dataclass(frozen=True)
class AppServer:
    """A running server and what it leaves behind."""

    url: str  # without a slash at the end
    process: Program
    home: Path
    log_path: Path
    outside_path: Path

    @property
    def log(self) -> str:
        """Everything it printed so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    @property
    def outside_calls(self) -> tuple[str, ...]:
        """Connections and name look-ups that left this machine, e.g. "socket.connect 1.2.3.4"."""
        if not self.outside_path.exists():
            return ()
        return tuple(self.outside_path.read_text(encoding="utf-8").splitlines())

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def terminate(self) -> int:
        """Ask it to end, as a host does before a restart; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE_SECONDS)

    def kill(self) -> None:
        """End it as a power cut would (kill -9)."""
        self.process.kill()
        self.process.wait(timeout=PATIENCE_SECONDS)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def guarded_path(environment: Mapping[str, str]) -> str:
    """A PYTHONPATH with which a process watches itself for calls to other machines."""
    parts = environment.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join([str(GUARD_FOLDER), *(p for p in parts if p and p != str(GUARD_FOLDER))])


def server_environment(folder: Path, port: int) -> dict[str, str]:
    """This process's environment, with every place that the server writes to inside `folder`."""
    unwanted = ("TLAPP_HOME", "SPACE_ID", "GRADIO_ANALYTICS_ENABLED")
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    return {
        **environment,
        "TLAPP_HOME": str(folder / "home"),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "PYTHONPATH": guarded_path(environment),
        "PYTHONUNBUFFERED": "1",
        OUTSIDE_LOG: str(folder / "outside.log"),
    }


@contextmanager
def running_server(
    folder: Path,
    *,
    arguments: Sequence[str] = ("app.py",),
    environment: Mapping[str, str] | None = None,
    port: int | None = None,
    is_cold: bool = False,
) -> Iterator[AppServer]:
    """A server that answers; it has ended when the block is left.

    Started again with the same `folder` it finds what it kept there. `environment` adds to or
    replaces variables; `port` is a free one by default; `is_cold`: see `start_program`. It takes
    the speeds of all backbones for measured, unless its home says something else.

    AssertionError with the server's log when it does not start.
    """
    (folder / "home").mkdir(parents=True, exist_ok=True)
    speeds = folder / "home" / "speeds.json"
    if not speeds.exists():  # or it measures all backbones meanwhile, which takes a minute
        from tlapp.backbones.catalog import (
            CARDS,
        )  # loads torch, which most who import this need not

        speeds.write_text(json.dumps(dict.fromkeys((card.name for card in CARDS), SPEED)))
    port = port or free_port()
    log_path = folder / "server.log"
    with log_path.open("ab") as log:
        process = start_program(
            arguments,
            {**server_environment(folder, port), **(environment or {})},
            log,
            is_cold=is_cold,
        )
    server = AppServer(
        url=f"http://127.0.0.1:{port}",
        process=process,
        home=folder / "home",
        log_path=log_path,
        outside_path=folder / "outside.log",
    )
    try:
        wait_until_it_answers(server)
        yield server
    finally:
        _end(process)


def wait_until_it_answers(server: AppServer) -> None:
    """Returns when the page answers with 200; AssertionError with the log otherwise."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with httpx.Client(**LOCAL_HTTP) as client:
        while time.monotonic() < deadline:
            assert server.is_alive(), f"The server ended while starting:\n{server.log}"
            with suppress(httpx.TransportError):
                if client.get(server.url + "/").status_code == 200:
                    return
            time.sleep(0.1)
    raise AssertionError(f"The server did not answer in {PATIENCE_SECONDS} s:\n{server.log}")


def _end(process: Program) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
