"""Which routes are there at all."""

import pytest

from tests.ui.door.asking import Behind, Request, ask
from tlapp.ui.door.routes import RouteCheck

FORM = {"content-type": "multipart/form-data; boundary=x"}


def _ask(method: str, path: str, root_path: str = "", **headers: str) -> tuple[int, object]:
    behind = Behind()
    answer = ask(RouteCheck(behind, root_path=root_path), Request(method, path, headers))
    return answer.status, behind.scopes[0]["tlapp.kind"] if behind.scopes else None


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/", "read"),
        ("GET", "/config", "read"),
        ("GET", "/assets/index.js", "read"),
        ("GET", "/gradio_api/queue/data", "read"),
        ("GET", "/gradio_api/call/train/0a1b", "read"),
        ("GET", "/gradio_api/file=/home/x/.part-1/0/a.zip", "read"),
        ("GET", "/curves/r_x.png", "read"),
        ("POST", "/gradio_api/queue/join", "ask"),
        ("POST", "/gradio_api/run/upload", "ask"),  # an endpoint of this name is no upload
        ("POST", "/gradio_api/call/upload", "ask"),
        ("POST", "/gradio_api/api/upload", "ask"),
        ("POST", "/gradio_api/cancel", "small"),
    ],
)
def test_what_the_page_and_programs_need_is_there(method: str, path: str, kind: str) -> None:
    assert _ask(method, path) == (200, kind)


def test_only_a_form_is_an_upload() -> None:
    check = RouteCheck(behind := Behind())
    assert ask(check, Request("POST", "/gradio_api/upload", FORM)).status == 200
    assert behind.scopes[0]["tlapp.kind"] == "upload"
    as_json = Request("POST", "/gradio_api/upload", {"content-type": "application/json"})
    assert ask(check, as_json).status == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/vibe-edit"),
        ("POST", "/gradio_api/upload/"),
        ("POST", "/upload"),
        ("POST", "/x/gradio_api/upload"),
        ("POST", "/gradio_api/run/a/upload"),
        ("POST", "/gradio_api/call/v2/train"),
        ("GET", "/gradio_api/proxy=http://a.hf.space/x"),
        ("GET", "/gradio_api/upload_progress"),
        ("GET", "/gradio_api/dev/reload"),
        ("GET", "/gradio_api/stream/a/b/1/playlist.m3u8"),
        ("GET", "/gradio_api/deep_link"),
        ("GET", "/monitoring"),
        ("POST", "/login"),
        ("DELETE", "/"),
        ("TRACE", "/"),
        ("OPTIONS", "/gradio_api/queue/join"),
    ],
)
def test_the_rest_of_gradio_is_not_there(method: str, path: str) -> None:
    assert _ask(method, path) == (404, None)


@pytest.mark.parametrize(
    "name", ["http://169.254.169.254/latest", "https://a.example/x.png", "//http://a", "file:///x"]
)
def test_no_address_is_fetched_as_a_file(name: str) -> None:
    assert _ask("GET", f"/gradio_api/file={name}") == (403, None)


def test_a_file_on_a_lettered_disk_is_no_address() -> None:
    assert _ask("GET", "/gradio_api/file=C:\\home\\a.zip") == (200, "read")


def test_what_a_proxy_leaves_before_the_path_is_passed_over() -> None:
    assert _ask("GET", "/lab/config", root_path="/lab/") == (200, "read")
    assert _ask("GET", "/config", root_path="/lab") == (200, "read")
    assert _ask("GET", "/lab", root_path="/lab") == (200, "read")
    assert _ask("GET", "/other/config", root_path="/lab") == (404, None)
