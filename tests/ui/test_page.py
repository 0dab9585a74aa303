"""Who asks: nothing for nobody."""

from dataclasses import replace

import fastapi
import gradio as gr
import pytest

from tlapp.errors import NotFoundError
from tlapp.ui.page import Page
from tlapp.workspace import owner_of


@pytest.mark.parametrize("token", ["", "a", "x" * 42, "x" * 44, "x" * 42 + "\n", None, 7, ["x"]])
def test_whoever_sends_no_token_of_ours_is_nobody(page: Page, token: object) -> None:
    with pytest.raises(NotFoundError) as refused:
        page.visit(token)
    assert refused.value.hint


def test_a_token_of_ours_stands_for_its_owner(page: Page, token: str) -> None:
    assert page.visit(token).owner == owner_of(token)
    assert token not in page.visit(token).owner


def _request(address: str, session: str | None = None) -> gr.Request:
    scope = {"type": "http", "headers": [], "client": (address, 1), "tlapp.body": {}}
    if session is not None:
        scope["tlapp.body"] = {"session_hash": session}
    return gr.Request(request=fastapi.Request(scope))


def test_a_program_is_one_owner_for_its_session_or_else_its_address(page: Page) -> None:
    owners = [
        page.program_owner(_request(*each))
        for each in (("1.1.1.1", "a"), ("1.1.1.1", "b"), ("2.2.2.2", "a"), ("1.1.1.1",))
    ]
    assert len(set(owners)) == 4
    assert page.program_owner(_request("1.1.1.1", "a")) == owners[0]
    assert page.program_owner(_request("1.1.1.1")) == owners[3]
    assert all(len(owner) == 64 for owner in owners)


def test_a_programs_owner_stays_after_a_restart_and_hides_its_address(page: Page) -> None:
    first, again, elsewhere = (replace(page, key=key) for key in ("secret", "secret", "other"))
    owner = first.program_owner(_request("1.1.1.1"))
    assert again.program_owner(_request("1.1.1.1")) == owner
    assert elsewhere.program_owner(_request("1.1.1.1")) != owner


def test_it_is_known_from_where_a_visitor_and_a_program_come(page: Page, token: str) -> None:
    page.note_client("1.1.1.1", ["", token, 3, [token]])
    assert page.workspace.visitors.address_of(owner_of(token)) == "1.1.1.1"
    program = page.program_owner(_request("2.2.2.2", "a"))
    assert page.workspace.visitors.address_of(program) == "2.2.2.2"
