"""What visitors of the API do, in one call each."""

import time
from pathlib import Path
from typing import Any

from gradio_client import Client, handle_file

from tests.patience import PATIENCE_SECONDS
from tests.server import AppServer

LOOK_SECONDS = 0.2  # from one look to the next: each takes the server from what it is waited for


def client_of(server: AppServer) -> Client:
    """A program that visits the server."""
    return Client(
        server.url,
        verbose=False,
        analytics_enabled=False,
        ssl_verify=False,  # reading the certificates that nobody shows takes 50 ms a request
        httpx_kwargs={"timeout": PATIENCE_SECONDS},
    )


def bring(client: Client, archive: Path) -> dict[str, Any]:
    """Upload a zip as a data set."""
    answer: dict[str, Any] = client.predict(handle_file(archive), api_name="/create_dataset")
    return answer


def start(client: Client, dataset_id: str, **options: Any) -> str:
    """Start a training; its run id."""
    answer: dict[str, Any] = client.predict(dataset_id, **options, api_name="/train")
    return str(answer["run_id"])


def look(client: Client, run_id: str) -> dict[str, Any]:
    """The run as it is."""
    answer: dict[str, Any] = client.predict(run_id, api_name="/run")
    return answer


def wait_until_over(client: Client, run_id: str) -> dict[str, Any]:
    """The run when nothing changes any more."""
    return wait_for_state(client, run_id, ("finished", "stopped", "failed"))


def wait_for_state(client: Client, run_id: str, states: tuple[str, ...]) -> dict[str, Any]:
    """The run once it is in one of `states`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        run = look(client, run_id)
        if run["state"] in states:
            return run
        time.sleep(LOOK_SECONDS)
    raise AssertionError(f"The run is not {' or '.join(states)} after {PATIENCE_SECONDS} s: {run}")


def wait_for_epochs(client: Client, run_id: str, epochs: int) -> dict[str, Any]:
    """The run once it has finished this many epochs."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        run = look(client, run_id)
        if len(run["record"]["epochs"]) >= epochs:
            return run
        assert run["state"] in ("waiting", "running"), run
        time.sleep(LOOK_SECONDS)
    raise AssertionError(f"Not {epochs} epochs after {PATIENCE_SECONDS} s: {run}")


def ask(client: Client, run_id: str, pictures: list[Path]) -> list[dict[str, Any]]:
    """What the run's classifier says of these pictures."""
    answer: list[dict[str, Any]] = client.predict(
        run_id, [handle_file(path) for path in pictures], api_name="/predict"
    )
    return answer


def wait_for_experiment(client: Client, experiment_id: str) -> dict[str, Any]:
    """The experiment when nothing changes any more."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        seen: dict[str, Any] = client.predict(experiment_id, api_name="/experiment")
        if seen["state"] not in ("waiting", "running"):
            return seen
        time.sleep(LOOK_SECONDS)
    raise AssertionError(f"The experiment is not over after {PATIENCE_SECONDS} s: {seen}")
