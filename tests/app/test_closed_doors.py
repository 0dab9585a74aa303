"""What nobody may reach from outside: the disk, other visitors' things, endless bodies."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from gradio_client.exceptions import AppError

from tests.app.conftest import NewClient
from tests.app.visits import bring, look, start, wait_until_over
from tests.patience import PATIENCE_SECONDS
from tests.programs import REPOSITORY
from tests.server import LOCAL_HTTP, AppServer, running_server
from tlapp.workspace import new_visitor

MEGABYTE = 1_000_000


def _get(server: AppServer, path: str) -> httpx.Response:
    """A GET whose path goes out exactly as written: no client tidies up `..` on the way."""
    parts = urlsplit(server.url)
    with socket.create_connection(
        (parts.hostname or "", parts.port or 0), timeout=PATIENCE_SECONDS
    ) as line:
        request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
        line.sendall(request.encode("latin-1"))
        raw = b"".join(iter(lambda: line.recv(65536), b""))
    head, _, body = raw.partition(b"\r\n\r\n")
    return httpx.Response(int(head.split()[1]), content=body)


def _paths_to_files(server: AppServer) -> list[str]:
    own = (REPOSITORY / "app.py").as_posix()
    return [
        "/etc/passwd",
        "/etc/hostname",
        "../../../../../../etc/passwd",
        "..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "%252e%252e%252f%252e%252e%252fetc%252fpasswd",
        "....//....//....//etc/passwd",
        "/proc/self/environ",
        "/proc/self/cmdline",
        "file:///etc/passwd",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost:1/",
        "//etc/passwd",
        own,
        "app.py",
        ".env",
        "README.md",
        str(Path.home() / ".cache/huggingface/token"),
        server.home.as_posix(),
        (server.home / "visitors").as_posix(),
    ]


@pytest.fixture(scope="module")
def besieged_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """A server of its own: Gradio looks up the addresses that attackers hand it to judge them,
    and the other tests' server must look up none."""
    with running_server(tmp_path_factory.mktemp("besieged")) as server:
        yield server
        assert server.is_alive(), server.log


def test_no_route_serves_files_of_the_server(besieged_server: AppServer) -> None:
    opened = [
        (path, route, answer.status_code)
        for path in _paths_to_files(besieged_server)
        for route in ("/gradio_api/file=", "/file=", "/curves/", "/static/", "/assets/")
        if (answer := _get(besieged_server, route + path)).status_code
        not in (400, 403, 404, 405, 422)
    ]
    assert not opened


def test_what_is_kept_of_a_data_set_cannot_be_fetched_by_its_path(
    new_client: NewClient, pictures_zip: Path, app_server: AppServer
) -> None:
    bring(new_client(), pictures_zip)
    kept = [path for path in app_server.home.rglob("*") if path.is_file()]
    assert kept
    for path in kept[:20]:
        answer = _get(app_server, f"/gradio_api/file={path.as_posix()}")
        assert answer.status_code in (403, 404), path


def test_a_program_cannot_name_a_file_that_it_did_not_upload(
    new_client: NewClient, app_server: AppServer, pictures_zip: Path
) -> None:
    dataset_id = bring(new_client(), pictures_zip)["dataset_id"]
    others = next(app_server.home.rglob(dataset_id))
    for path in ("/etc/passwd", str(pictures_zip), str(REPOSITORY / "app.py"), str(others)):
        data = [{"path": path, "meta": {"_type": "gradio.FileData"}}]
        answer = httpx.post(
            f"{app_server.url}/gradio_api/run/create_dataset",
            json={"data": data},
            **LOCAL_HTTP,
        )
        assert answer.status_code >= 400, (path, answer.text)
        assert "root:" not in answer.text
    assert pictures_zip.exists()
    assert others.exists()


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/x.zip", "http://localhost:1/x.zip", "file:///etc/passwd"]
)
def test_the_server_fetches_no_address_for_a_visitor(
    address: str, besieged_server: AppServer
) -> None:
    data = [{"path": address, "url": address, "meta": {"_type": "gradio.FileData"}}]
    answer = httpx.post(
        f"{besieged_server.url}/gradio_api/run/create_dataset",
        json={"data": data},
        **LOCAL_HTTP,
    )
    assert answer.status_code >= 400
    assert "root:" not in answer.text
    assert "socket.connect 169.254.169.254" not in besieged_server.outside_calls


def test_a_stranger_cannot_use_the_page_events_of_another_visitor(
    new_client: NewClient, pictures_zip: Path, app_server: AppServer
) -> None:
    """The page's own events go by the visitor's token; one that is guessed finds an empty page."""
    client = new_client()
    run_id = start(client, bring(client, pictures_zip)["dataset_id"], epochs=1)
    wait_until_over(client, run_id)
    config = httpx.get(f"{app_server.url}/config", **LOCAL_HTTP).json()
    names = [
        event["api_name"]
        for event in config["dependencies"]
        if event.get("api_visibility") == "private" and event.get("api_name")
    ]
    guessed = new_visitor()
    with httpx.Client(base_url=app_server.url, **LOCAL_HTTP) as stranger:
        for name in names:
            data = [guessed, *[None] * 30]
            answer = stranger.post(f"/gradio_api/run/{name}", json={"data": data})
            assert run_id not in answer.text
            assert str(app_server.home) not in answer.text
            assert "Traceback" not in answer.text
    assert look(client, run_id)["state"] == "finished"


def test_a_text_of_300_megabytes_is_refused_and_costs_no_memory(app_server: AppServer) -> None:
    process = psutil.Process(app_server.process.pid)
    before = process.memory_info().rss
    most = before
    chunk = b"x" * MEGABYTE

    def body() -> object:
        nonlocal most
        yield b'{"data": ["'
        for _ in range(300):
            most = max(most, process.memory_info().rss)
            yield chunk
        yield b'"]}'

    url = f"{app_server.url}/gradio_api/run/run"
    declared = {"content-length": str(300 * MEGABYTE), "content-type": "application/json"}
    for headers in (declared, {"content-type": "application/json"}):  # the second comes in chunks
        try:
            answer = httpx.post(url, content=body(), headers=headers, **LOCAL_HTTP)
        except httpx.TransportError:
            continue  # hung up on while still sending: refused as well
        assert answer.status_code == 413
    assert most - before < 50 * MEGABYTE
    assert app_server.is_alive()


def test_an_answer_to_a_body_that_is_too_large_says_what_the_limit_is(
    app_server: AppServer,
) -> None:
    answer = httpx.post(
        f"{app_server.url}/gradio_api/run/run",
        content=json.dumps({"data": ["x" * 6 * MEGABYTE]}),
        headers={"content-type": "application/json"},
        **LOCAL_HTTP,
    )
    assert answer.status_code == 413
    assert "at most 1 MB" in answer.json()["error"]


def test_a_refused_import_leaves_nothing_behind(
    new_client: NewClient, tmp_path: Path, app_server: AppServer
) -> None:
    wrong = tmp_path / "wrong.zip"
    wrong.write_bytes(b"PK\x03\x04" + b"\x00" * 4000)
    kept = app_server.home / "datasets"
    before = set(kept.rglob("*"))
    with pytest.raises(AppError):
        bring(new_client(), wrong)
    assert set(kept.rglob("*")) == before
