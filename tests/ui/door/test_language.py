"""The language of each request, and the page that says which language it is in."""

import asyncio

import pytest

from tests.ui.door.asking import Request, ask
from tlapp.messages import ENGLISH, PSEUDO, words
from tlapp.ui.door.asgi import Receive, Scope, Send, refuse
from tlapp.ui.door.language import LanguageTaker, PageLanguage
from tlapp.ui.languages import ASKED_IN
from tlapp.ui.text.door import NOT_HERE

PAGE = b'<!doctype html>\n<html\n\tlang="en"\n>\n\t<head>\n' + b"lang=en " * 1_000


class Page:
    """Answers with a page, and knows in which language it was asked for."""

    def __init__(self, body: bytes = PAGE) -> None:
        self.language = ""
        self.body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.language = await asyncio.to_thread(ASKED_IN.get)
        length = (b"content-length", str(len(self.body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": self.body})


@pytest.mark.parametrize(
    ("request_", "language"),
    [
        (Request(), ENGLISH),
        (Request(query="lang=xx"), PSEUDO),
        (Request(query="lang=xx", path="/gradio_api/run/train", method="POST"), PSEUDO),
        (Request(query="lang=zz"), ENGLISH),
        (Request(query="&".join("a=1" for _ in range(99)) + "&lang=xx"), ENGLISH),
        (Request(headers={"cookie": "tlapp_lang=xx"}), PSEUDO),
        (Request(headers={"accept-language": "de, en"}), ENGLISH),
    ],
)
def test_all_behind_know_the_language_of_a_request(request_: Request, language: str) -> None:
    page = Page()
    ask(LanguageTaker(page), request_)
    assert page.language == language
    assert ASKED_IN.get() == ENGLISH


def test_refusals_are_in_the_language_of_the_request() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await refuse(send, 404, NOT_HERE)

    assert ask(LanguageTaker(app), Request(path="/nothing")).error == str(NOT_HERE)
    answer = ask(LanguageTaker(app), Request(path="/nothing", headers={"cookie": "tlapp_lang=xx"}))
    assert answer.error == words(PSEUDO).say(NOT_HERE) != str(NOT_HERE)


def test_the_choice_of_an_address_is_kept_in_a_cookie() -> None:
    answer = ask(LanguageTaker(Page()), Request(query="lang=xx&view=api"))
    assert "tlapp_lang=xx; Path=/; SameSite=Lax" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "request_",
    [
        Request(),
        Request(query="lang="),
        Request(query="lang=zz%0d%0aset-cookie: a=b"),
        Request(query="lang=xx", method="POST"),
        Request(query="lang=xx", path="/config"),
        Request(headers={"cookie": "tlapp_lang=xx"}),
    ],
)
def test_nothing_else_changes_the_choice(request_: Request) -> None:
    assert "set-cookie" not in ask(LanguageTaker(Page()), request_).headers


@pytest.mark.parametrize(("query", "tag"), [("", b"en"), ("lang=xx", b"en-XA")])
def test_the_first_tag_of_a_page_names_its_language(query: str, tag: bytes) -> None:
    answer = ask(LanguageTaker(PageLanguage(Page())), Request(query=query))
    assert b'<html\n\tlang="' + tag + b'"\n>' in answer.body
    assert b"<head>\n<script>" in answer.body
    assert answer.body.endswith(PAGE[-1_000:])
    assert int(answer.headers["content-length"]) == len(answer.body)


def test_other_answers_pass_as_they_are() -> None:
    for request_ in (Request(path="/config"), Request(method="POST")):
        assert ask(PageLanguage(Page()), request_).body == PAGE
    assert ask(PageLanguage(Page(b"")), Request(method="HEAD")).body == b""
