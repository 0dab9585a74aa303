"""How long `python app.py` takes until the page answers, over the bare imports it cannot avoid."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.benchmarks.rows import Row
from tests.programs import REPOSITORY
from tests.server import LOCAL_HTTP, free_port, server_environment

ROUNDS = 3
BARE_IMPORTS = "import torch, torchvision, gradio"


def measure(folder: Path) -> tuple[Row, ...]:
    """Both by turns, so that a change of the machine's load meets both; one warm-up of each."""
    _bare_seconds()
    _app_seconds(folder / "warm-up")
    bare, app = [], []
    for number in range(ROUNDS):
        bare.append(_bare_seconds())
        app.append(_app_seconds(folder / str(number)))
    return (
        Row("bare import torch, torchvision, gradio", statistics.median(bare), "s"),
        Row(
            "python app.py until the page answers",
            statistics.median(app),
            "s",
            ratio=statistics.median(app) / statistics.median(bare),
            goal="<= 1.4",
        ),
    )


def _bare_seconds() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", BARE_IMPORTS], cwd=REPOSITORY, check=True)
    return time.perf_counter() - started


def _app_seconds(folder: Path) -> float:
    folder.mkdir(parents=True)
    port = free_port()
    environment = server_environment(folder, port)
    del environment["PYTHONPATH"]  # the watch on outside calls would cost time of its own
    log_path = folder / "server.log"
    started = time.perf_counter()
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        while process.poll() is None:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/", **LOCAL_HTTP).status_code == 200:
                    return time.perf_counter() - started
            except httpx.TransportError:
                time.sleep(0.02)
    finally:
        process.terminate()
        process.wait(timeout=20)
    raise RuntimeError(f"The server ended before its page answered:\n{log_path.read_text()}")
