"""Power cuts and restarts: the server ends and is started again on the same home folder."""

import json
import signal
import socket
import time
from pathlib import Path

from gradio_client import handle_file

from tests.app.visits import (
    ask,
    bring,
    client_of,
    look,
    start,
    wait_for_epochs,
    wait_until_over,
)
from tests.patience import PATIENCE_SECONDS
from tests.pictures import class_folder, jpeg, zip_folder
from tests.programs import start_program
from tests.server import running_server, server_environment

ENDLESS = {"epochs": 1000, "learning_rate": 1e-6}


def test_kill_9_loses_at_most_the_running_epoch(tmp_path: Path) -> None:
    archive = zip_folder(class_folder(tmp_path / "pictures"), tmp_path / "pictures.zip")
    picture = tmp_path / "test.jpg"
    picture.write_bytes(jpeg(1, 777))
    with running_server(tmp_path / "server") as server:
        client = client_of(server)
        dataset_id = bring(client, archive)["dataset_id"]
        finished_id = start(client, dataset_id, epochs=5)
        finished = wait_until_over(client, finished_id)
        answers = ask(client, finished_id, [picture])
        running_id = start(client, dataset_id, **ENDLESS)
        running = wait_for_epochs(client, running_id, 3)
        server.kill()
    with running_server(tmp_path / "server") as server:
        client = client_of(server)
        assert look(client, finished_id) == finished
        assert ask(client, finished_id, [picture]) == answers
        interrupted = look(client, running_id)
        assert interrupted["state"] == "stopped"
        known = running["record"]["epochs"]
        assert interrupted["record"]["epochs"][: len(known)] == known
        assert len(ask(client, running_id, [picture])[0]["classes"]) == 3
        again_id = start(client, dataset_id, epochs=5)
        again = wait_until_over(client, again_id)
        assert again["state"] == "finished"
        assert again["record"]["valid_accuracy"] == finished["record"]["valid_accuracy"]


def test_a_restart_by_the_host_keeps_the_best_epoch_and_says_so(tmp_path: Path) -> None:
    archive = zip_folder(class_folder(tmp_path / "pictures"), tmp_path / "pictures.zip")
    picture = tmp_path / "test.jpg"
    picture.write_bytes(jpeg(1, 777))
    with running_server(tmp_path / "server", is_cold=True) as server:
        client = client_of(server)
        run_id = start(client, bring(client, archive)["dataset_id"], **ENDLESS)
        wait_for_epochs(client, run_id, 3)
        assert server.terminate() == 0
        assert "Traceback" not in server.log
        (record,) = (json.loads(path.read_text()) for path in server.home.rglob("run.json"))
        assert record["state"] == "stopped"
    with running_server(tmp_path / "server", arguments=("-m", "tlapp", "serve")) as server:
        client = client_of(server)
        run = look(client, run_id)
        assert run["state"] == "stopped"
        assert "the program was ended" in run["record"]["message"]
        assert run["record"]["best_epoch"] >= 1
        assert len(ask(client, run_id, [picture])[0]["classes"]) == 3
        assert server.terminate() == 0


def test_an_import_under_way_does_not_hold_up_the_end(tmp_path: Path) -> None:
    folder = class_folder(tmp_path / "pictures", per_class=200)
    archive = zip_folder(folder, tmp_path / "pictures.zip")
    with running_server(tmp_path / "server") as server:
        client = client_of(server)
        importing = client.submit(handle_file(archive), api_name="/create_dataset")
        while not any(server.home.glob("datasets/*/*")):
            assert not importing.done(), "The import was over before it was seen."
            time.sleep(0.01)
        # Whatever else this machine does: nothing goes on until the end has been asked for.
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGCONT):
            server.process.send_signal(number)
        assert server.process.wait(timeout=PATIENCE_SECONDS) == 0
        assert not any(server.home.glob("datasets/[!.]*/dataset.json")), "It was waited for."


def test_a_port_that_is_taken_is_told_in_words(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (tmp_path / "said").open("wb") as output:
            program = start_program(
                ["-m", "tlapp", "serve", "--port", str(port)],
                server_environment(tmp_path, port),
                output,
            )
        assert program.wait(timeout=PATIENCE_SECONDS) == 2
    said = (tmp_path / "said").read_text()
    assert f"port {port}" in said
    assert "Choose another port" in said
    assert "Traceback" not in said
    assert not any(
        (tmp_path / "home" / "runs" / ".locks").glob("*.lock")
    )  # the workspace is closed
