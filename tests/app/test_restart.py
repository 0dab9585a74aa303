"""A power cut: the server is killed and started again on the same home folder."""

from pathlib import Path

from gradio_client import Client

from tests.app.visits import ask, bring, look, start, wait_for_epochs, wait_until_over
from tests.pictures import class_folder, jpeg, zip_folder
from tests.server import AppServer, running_server

ENDLESS = {"epochs": 1000, "learning_rate": 1e-6}


def _client(server: AppServer) -> Client:
    return Client(server.url, verbose=False, analytics_enabled=False)


def test_kill_9_loses_at_most_the_running_epoch(tmp_path: Path) -> None:
    archive = zip_folder(class_folder(tmp_path / "pictures"), tmp_path / "pictures.zip")
    picture = tmp_path / "test.jpg"
    picture.write_bytes(jpeg(1, 777))
    with running_server(tmp_path / "server") as server:
        client = _client(server)
        dataset_id = bring(client, archive)["dataset_id"]
        finished_id = start(client, dataset_id, epochs=5)
        finished = wait_until_over(client, finished_id)
        answers = ask(client, finished_id, [picture])
        running_id = start(client, dataset_id, **ENDLESS)
        running = wait_for_epochs(client, running_id, 3)
        server.kill()
    with running_server(tmp_path / "server") as server:
        client = _client(server)
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
