"""The key of one's own machine: from the printed address into a cookie."""

from pathlib import Path

import pytest

from tests.ui.door.asking import Behind, Request, ask
from tlapp.ui.door.key import COOKIE, KeyTaker, address_with_key, has_key, kept_key

KEY = "k" * 32


def test_the_key_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    key = kept_key(tmp_path)
    assert kept_key(tmp_path) == key
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    assert kept_key_of_another(tmp_path) != key


def kept_key_of_another(folder: Path) -> str:
    other = folder / "other"
    other.mkdir()
    return kept_key(other)


@pytest.mark.parametrize(
    "content", [b"", b"short", b"\xff" * 32, b"x; y=1, " + b"a" * 24, b"k" * 2_000]
)
def test_a_damaged_key_is_made_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    assert len(kept_key(tmp_path)) >= 32
    assert kept_key(tmp_path) == kept_key(tmp_path)


def test_a_folder_in_place_of_the_key_costs_only_that_it_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    assert len(kept_key(tmp_path)) == 32
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_the_printed_address_leaves_a_cookie_and_no_key_in_the_address() -> None:
    _, _, query = address_with_key("http://127.0.0.1:7860/", KEY).partition("?")
    answer = ask(KeyTaker(behind := Behind(), KEY), Request(query=query))
    assert answer.status == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert has_key(cookie.partition(";")[0], KEY)
    assert not behind.scopes


def test_a_wrong_key_leaves_nothing() -> None:
    answer = ask(KeyTaker(Behind(), KEY), Request(query="key=guess"))
    assert answer.status == 303
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("query", ["", "page=2", "&" * 200])
def test_other_addresses_go_on(query: str) -> None:
    assert ask(KeyTaker(Behind(), KEY), Request(query=query)).status == 200


def test_a_proxys_path_is_kept() -> None:
    taker = KeyTaker(Behind(), KEY, root_path="/lab")
    assert ask(taker, Request(path="/lab/", query="key=x")).headers["location"] == "/lab/"


@pytest.mark.parametrize("cookies", ["", "a=b", f"{COOKIE}=", f"{COOKIE}=guess", "=;;=é", "\x00"])
def test_whoever_has_not_opened_it_has_no_key(cookies: str) -> None:
    assert not has_key(cookies, KEY)
