"""From handler to listener: the signature that Gradio reads, and errors as words."""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import gradio as gr
import pytest

from tlapp.errors import DataError
from tlapp.messages import verbatim
from tlapp.ui.handling import bind

SECRET = "/srv/home/secret.db"


def _plain(context: str, what: str, event: gr.EventData) -> str:
    """Say it."""
    return f"{context} {what}"


def _raise(error: Exception) -> None:
    raise error


def _raise_in_steps(error: Exception) -> Iterator[int]:
    yield 1
    raise error


async def _raise_in_awaited_steps(error: Exception) -> AsyncIterator[int]:
    yield 1
    raise error


async def _raise_awaited(error: Exception) -> None:
    raise error


def _call(listener: Callable[..., Any]) -> list[Any]:
    """Everything the listener gives, whatever kind of function it is."""
    if inspect.isasyncgenfunction(listener):

        async def collect() -> list[Any]:
            return [item async for item in listener()]

        return asyncio.run(collect())
    given = asyncio.run(listener()) if inspect.iscoroutinefunction(listener) else listener()
    return list(given) if inspect.isgenerator(given) else [given]


HANDLERS = pytest.mark.parametrize(
    "handler", [_raise, _raise_in_steps, _raise_awaited, _raise_in_awaited_steps]
)


def test_a_listener_has_the_handlers_signature_less_what_is_bound() -> None:
    listener = bind(_plain, "hello")
    assert list(inspect.signature(listener).parameters) == ["what", "event"]
    assert inspect.get_annotations(listener)["event"] is gr.EventData
    assert "context" not in inspect.get_annotations(listener)
    assert (listener.__name__, listener.__doc__) == ("_plain", "Say it.")
    assert listener("you", None) == "hello you"


@HANDLERS
def test_a_listener_is_the_same_kind_of_function_as_its_handler(handler: Any) -> None:
    listener = bind(handler, ValueError())
    for is_kind in (
        inspect.isgeneratorfunction,
        inspect.iscoroutinefunction,
        inspect.isasyncgenfunction,
    ):
        assert is_kind(listener) == is_kind(handler)


@HANDLERS
def test_an_error_of_ours_becomes_its_sentence_and_hint_escaped(handler: Any) -> None:
    error = DataError(
        verbatim('"<b>cat</b>" is empty.'), hint=verbatim("Add a picture & try again.")
    )
    with pytest.raises(gr.Error) as shown:
        _call(bind(handler, error))
    assert shown.value.message == (
        "&quot;&lt;b&gt;cat&lt;/b&gt;&quot; is empty. Add a picture &amp; try again."
    )
    assert shown.value.__cause__ is error


def test_a_command_in_an_error_stands_out() -> None:
    error = DataError(verbatim("It is not here."), hint=verbatim("Run `tlapp fetch <name>` first."))
    with pytest.raises(gr.Error) as shown:
        bind(_raise, error)()
    assert shown.value.message.endswith("Run <code>tlapp fetch &lt;name&gt;</code> first.")


@HANDLERS
def test_a_defect_is_named_by_an_incident_and_tells_no_detail(
    handler: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(gr.Error) as shown:
        _call(bind(handler, OSError(SECRET)))
    assert SECRET not in shown.value.message
    incident = caplog.records[-1].getMessage().removeprefix("Incident ")
    assert len(incident) == 8
    assert incident in shown.value.message
    assert SECRET in caplog.text


def test_a_message_for_the_visitor_is_left_as_it_is() -> None:
    message = gr.Error("Read this.")
    with pytest.raises(gr.Error) as shown:
        _call(bind(_raise, message))
    assert shown.value is message


def test_a_listener_that_is_closed_early_closes_its_handler() -> None:
    ended = []

    def handler(context: str) -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            ended.append(context)

    listening = bind(handler, "x")()
    assert next(listening) == 1
    listening.close()
    assert ended == ["x"]


def test_an_async_listener_that_is_closed_early_closes_its_handler() -> None:
    ended = []

    async def handler(context: str) -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            ended.append(context)

    async def close_early() -> None:
        listening = bind(handler, "x")()
        assert await anext(listening) == 1
        await listening.aclose()
        assert ended == ["x"]

    asyncio.run(close_early())
