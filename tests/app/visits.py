"""What visitors of the API do, in one call each."""

import time
from pathlib import Path
from typing import Any

from gradio_client import Client, handle_file

RUN_SECONDS = 120.0  # far more than a small frozen run takes, even behind other jobs


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
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        run = look(client, run_id)
        if run["state"] in states:
            return run
        time.sleep(0.05)
    raise AssertionError(f"The run is not {' or '.join(states)} after {RUN_SECONDS} s: {run}")


def wait_for_epochs(client: Client, run_id: str, epochs: int) -> dict[str, Any]:
    """The run once it has finished this many epochs."""
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        run = look(client, run_id)
        if len(run["record"]["epochs"]) >= epochs:
            return run
        assert run["state"] in ("waiting", "running"), run
        time.sleep(0.05)
    raise AssertionError(f"Not {epochs} epochs after {RUN_SECONDS} s: {run}")


def ask(client: Client, run_id: str, pictures: list[Path]) -> list[dict[str, Any]]:
    """What the run's classifier says of these pictures."""
    answer: list[dict[str, Any]] = client.predict(
        run_id, [handle_file(path) for path in pictures], api_name="/predict"
    )
    return answer


def wait_for_experiment(client: Client, experiment_id: str) -> dict[str, Any]:
    """The experiment when nothing changes any more."""
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        seen: dict[str, Any] = client.predict(experiment_id, api_name="/experiment")
        if seen["state"] not in ("waiting", "running"):
            return seen
        time.sleep(0.05)
    raise AssertionError(f"The experiment is not over after {RUN_SECONDS} s: {seen}")
