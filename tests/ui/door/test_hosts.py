"""Who may ask: pages of this server and programs, under names that are this server's."""

import pytest

from tests.ui.door.asking import Behind, Request, ask
from tlapp.errors import ServerError
from tlapp.ui.door.hosts import HostCheck, known_hosts, read_authority

OWN = "127.0.0.1:7860"


def _status(headers: dict[str, str], bound: str = "127.0.0.1", method: str = "POST") -> int:
    check = HostCheck(Behind(), known_hosts(bound, ("Class.Example", "x-lab.hf.space")))
    return ask(check, Request(method=method, headers=headers)).status


@pytest.mark.parametrize(
    ("host", "local", "everywhere"),
    [
        ("127.0.0.1:7860", 200, 200),
        ("127.0.0.1", 200, 200),
        ("localhost:7860", 200, 200),
        ("LOCALHOST.", 200, 200),
        ("[::1]:7860", 200, 200),
        ("class.example", 200, 200),
        ("x-lab.hf.space", 200, 200),
        ("192.168.1.7:7860", 403, 200),  # in figures: no name that somebody could rebind
        ("[fe80::1]:7860", 403, 200),
        ("evil.example", 403, 403),
        ("evil.example:7860", 403, 403),
        ("127.0.0.1.evil.example", 403, 403),
        ("localhost.evil.example", 403, 403),
        ("evil.class.example", 403, 403),
        ("localhost@evil.example", 403, 403),
        ("localhost evil", 403, 403),
        ("", 403, 403),
    ],
)
def test_only_names_of_this_server_are_answered(host: str, local: int, everywhere: int) -> None:
    assert _status({"host": host}) == local
    assert _status({"host": host}, bound="0.0.0.0") == everywhere


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # a program
        ({"origin": "http://127.0.0.1:7860"}, 200),
        ({"origin": "https://127.0.0.1:7860"}, 200),  # a proxy may speak TLS for us
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:8000"}, 403),  # another program's page on this machine
        ({"origin": "http://127.0.0.1"}, 403),
        ({"origin": "http://localhost:7860"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "file://"}, 403),
        ({"origin": "http://[::1"}, 403),
        ({"origin": "http://127.0.0.1:7860/path"}, 403),
        ({"origin": "http://127.0.0.1:7860@evil.example"}, 403),
        ({"origin": "https://class.example"}, 200),  # a proxy shows the page under this name
        ({"origin": "https://class.example:8443"}, 403),
        ({"x-forwarded-host": "class.example", "origin": "https://class.example"}, 200),
        ({"x-forwarded-host": "class.example:8443", "origin": "https://class.example:8443"}, 200),
        ({"x-forwarded-host": "evil.example"}, 403),
        ({"x-forwarded-host": "evil.example", "origin": "http://evil.example"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 403),
    ],
    ids=str,
)
def test_a_page_from_elsewhere_changes_nothing(headers: dict[str, str], status: int) -> None:
    assert _status({"host": OWN, **headers}) == status


def test_a_link_from_elsewhere_opens_the_page_and_a_script_from_there_reads_nothing() -> None:
    link = {"host": OWN, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert _status(link, method="GET") == 200
    script = {**link, "sec-fetch-mode": "no-cors"}
    assert _status(script, method="GET") == 403


def test_a_preflight_of_a_page_from_elsewhere_is_refused() -> None:
    headers = {
        "host": OWN,
        "origin": "http://evil.example",
        "access-control-request-method": "POST",
    }
    assert _status(headers, method="OPTIONS") == 403


def test_a_refusal_names_the_host_and_the_option_and_echoes_little() -> None:
    check = HostCheck(Behind(), known_hosts("127.0.0.1", ()))
    answer = ask(check, Request(headers={"host": "e" * 5_000}))
    assert "--allow-host" in answer.error
    assert len(answer.error) < 300
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("given", ["https://class.example", "class.example:8443", "", "a b"])
def test_what_is_no_name_of_a_host_cannot_be_allowed(given: str) -> None:
    with pytest.raises(ServerError):
        known_hosts("127.0.0.1", (given,))


def test_the_usual_ports_may_be_left_out() -> None:
    assert read_authority("a.example:443") == read_authority("a.example")
    assert read_authority("a.example:8080") != read_authority("a.example")
