"""The real server for tests: `python app.py` in a process and a home folder of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

REPOSITORY = Path(__file__).parents[1]
GUARD_FOLDER = Path(__file__).parent / "guard"
START_SECONDS = 90.0  # a busy machine imports torch and Gradio slowly


@dataclass(frozen=True)
class AppServer:
    """A running server and what it leaves behind."""

    url: str  # without a slash at the end
    process: subprocess.Popen[bytes]
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

    def terminate(self, timeout_seconds: float) -> int:
        """Ask it to end, as a host does before a restart; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=timeout_seconds)

    def kill(self) -> None:
        """End it as a power cut would (kill -9)."""
        self.process.kill()
        self.process.wait(timeout=20)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def server_environment(folder: Path, port: int) -> dict[str, str]:
    """This process's environment, with every place that the server writes to inside `folder`."""
    unwanted = ("TLAPP_HOME", "SPACE_ID", "GRADIO_ANALYTICS_ENABLED")
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    python_path = os.pathsep.join(
        part for part in (str(GUARD_FOLDER), environment.get("PYTHONPATH", "")) if part
    )
    return {
        **environment,
        "TLAPP_HOME": str(folder / "home"),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "PYTHONPATH": python_path,
        "PYTHONUNBUFFERED": "1",
        "TLAPP_TEST_OUTSIDE_LOG": str(folder / "outside.log"),
    }


@contextmanager
def running_server(
    folder: Path,
    *,
    arguments: Sequence[str] = ("app.py",),
    environment: Mapping[str, str] | None = None,
    port: int | None = None,
) -> Iterator[AppServer]:
    """A server that answers; it has ended when the block is left.

    Started again with the same `folder` it finds what it kept there. `environment` adds to or
    replaces variables; `port` is a free one by default. AssertionError with the server's log when
    it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    log_path = folder / "server.log"
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=REPOSITORY,
            env={**server_environment(folder, port), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
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


def wait_until_it_answers(server: AppServer, timeout_seconds: float = START_SECONDS) -> None:
    """Returns when the page answers with 200; AssertionError with the log otherwise."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        assert server.is_alive(), f"The server ended while starting:\n{server.log}"
        try:
            if httpx.get(server.url + "/", timeout=10, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"The server did not answer in {timeout_seconds} s:\n{server.log}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)
