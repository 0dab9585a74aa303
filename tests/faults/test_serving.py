"""Group D, what no other test shows: names and headers without end, and pictures that two share."""

import socket
from pathlib import Path

import pytest

from tests.pictures import class_folder
from tests.server import AppServer
from tests.workspace.conftest import PATIENCE_SECONDS, bring
from tlapp.errors import NotFoundError
from tlapp.training.config import TrainConfig
from tlapp.workspace import Workspace, new_visitor, owner_of

MEGABYTE = 1_000_000
MOST_SENT = 50 * MEGABYTE

FORM = (
    b"POST /gradio_api/upload HTTP/1.1\r\nHost: %b\r\nContent-Length: 60000000\r\n"
    b"Content-Type: multipart/form-data; boundary=xy\r\n\r\n"
    b'--xy\r\nContent-Disposition: form-data; name="files"; filename="'
)
ENDLESS = {
    "path": b"GET /",
    "header": b"GET / HTTP/1.1\r\nHost: %b\r\nX: ",
    "file name": FORM,
    "chunk": b"POST /config HTTP/1.1\r\nHost: %b\r\nTransfer-Encoding: chunked\r\n\r\n1;",
}


@pytest.mark.parametrize("kind", sorted(ENDLESS))
def test_a_name_or_header_without_end_is_refused_before_it_is_kept(
    app_server: AppServer, kind: str
) -> None:
    host, _, port = app_server.url.removeprefix("http://").partition(":")
    sent = 0
    with socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS) as line:
        try:
            start = ENDLESS[kind]
            line.sendall(start % f"{host}:{port}".encode() if b"%b" in start else start)
            while sent < MOST_SENT:
                line.sendall(b"x" * MEGABYTE)
                sent += MEGABYTE
        except OSError:
            pass  # hung up on while still sending: refused as well
    assert sent < MOST_SENT
    assert app_server.is_alive()


def test_who_removes_pictures_leaves_the_same_ones_of_somebody_else(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = class_folder(tmp_path / "same", per_class=4, width=40, height=36)
    anna, ben = owner_of(new_visitor()), owner_of(new_visitor())
    hers, his = bring(workspace, anna, folder), bring(workspace, ben, folder)
    assert [image.image_id for image in hers.images.images] == [
        image.image_id for image in his.images.images
    ]
    workspace.library.delete(workspace.of(anna).dataset(hers.dataset_id))
    with pytest.raises(NotFoundError):
        workspace.dataset(hers.dataset_id)
    assert workspace.of(ben).dataset(his.dataset_id) == his
    for image in his.images.images:
        assert workspace.library.thumbnail(his.dataset_id, image.image_id)
    run_id = workspace.trainings.start(ben, his, TrainConfig(epochs=1, freeze="none"))
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    assert workspace.run(run_id).state == "finished"
