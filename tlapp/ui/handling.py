"""From handler to event listener: its context bound in, and every error turned into words.

Gradio reads a listener's signature, so `bind` keeps it, less what is bound.
This is the one place of the page that catches every exception.
"""

import html
import inspect
import logging
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from types import MappingProxyType
from typing import Any, Final

import gradio as gr

from tlapp.errors import TlappError
from tlapp.ui import text

logger = logging.getLogger(__name__)

QUIET: Final[Mapping[str, Any]] = MappingProxyType(
    {"show_progress": "hidden", "api_visibility": "private"}
)  # how the page's own events are: no spinner over the widgets, not offered to API clients
_COMMAND = re.compile("`([^`]*)`")
LATEST: Final[Mapping[str, Any]] = MappingProxyType({"trigger_mode": "always_last", **QUIET})
FOLLOWING: Final[Mapping[str, Any]] = MappingProxyType({"concurrency_limit": None, **QUIET})
MESSAGE_SECONDS = 20  # a toast stays long enough to read two sentences and act


def bind(handler: Callable[..., Any], *context: Any) -> Callable[..., Any]:
    """`handler` with `context` as its first arguments, ready to be given to a Gradio event.

    Works for functions and generators, plain and async. A `TlappError` becomes a message
    with its hint; anything else is logged under an id that the message names, and says no more.
    """
    if inspect.isasyncgenfunction(handler):

        async def listen_async(*arguments: Any) -> AsyncIterator[Any]:
            with errors_as_words():
                async with aclosing(handler(*context, *arguments)) as updates:
                    async for update in updates:
                        yield update

        return _with_signature_of(handler, listen_async, len(context))
    if inspect.iscoroutinefunction(handler):

        async def listen_awaited(*arguments: Any) -> Any:
            with errors_as_words():
                return await handler(*context, *arguments)

        return _with_signature_of(handler, listen_awaited, len(context))
    if inspect.isgeneratorfunction(handler):

        def listen_stepwise(*arguments: Any) -> Iterator[Any]:
            with errors_as_words():
                yield from handler(*context, *arguments)

        return _with_signature_of(handler, listen_stepwise, len(context))

    def listen(*arguments: Any) -> Any:
        with errors_as_words():
            return handler(*context, *arguments)

    return _with_signature_of(handler, listen, len(context))


def _with_signature_of(
    handler: Callable[..., Any], listener: Callable[..., Any], bound: int
) -> Callable[..., Any]:
    signature = inspect.signature(handler)
    parameters = list(signature.parameters.values())
    bound_names = {parameter.name for parameter in parameters[:bound]}
    listener.__name__ = handler.__name__
    listener.__doc__ = handler.__doc__
    listener.__module__ = handler.__module__
    listener.__annotations__ = {
        name: kind for name, kind in handler.__annotations__.items() if name not in bound_names
    }
    unbound = signature.replace(parameters=parameters[bound:])
    listener.__signature__ = unbound  # type: ignore[attr-defined]  # functions accept it
    return listener


@contextmanager
def errors_as_words() -> Iterator[None]:
    """Turn whatever is raised inside into a `gr.Error` with escaped text and no inner detail."""
    try:
        yield
    except gr.Error:
        raise
    except TlappError as error:
        message = _COMMAND.sub(r"<code>\1</code>", html.escape(f"{error} {error.hint}".strip()))
        raise gr.Error(message, duration=MESSAGE_SECONDS, print_exception=False) from error
    except Exception as error:
        incident = secrets.token_hex(4)
        logger.exception("Incident %s", incident)
        raise gr.Error(
            text.unexpected_error(incident), duration=MESSAGE_SECONDS, print_exception=False
        ) from error
