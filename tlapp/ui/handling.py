"""From handler to event listener: its context bound in, and every error turned into words.

Gradio reads a listener's signature, so `bind` keeps it, less what is bound.
This is the one place of the page that catches every exception; behind it stands `door.answers`.
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

from tlapp.errors import ServerError, TlappError, is_full
from tlapp.messages import Message, message, verbatim, words
from tlapp.ui import text
from tlapp.ui.languages import ASKED_IN

logger = logging.getLogger(__name__)

QUIET: Final[Mapping[str, Any]] = MappingProxyType(
    {"show_progress": "hidden", "api_visibility": "private"}
)  # how the page's own events are: no spinner over the widgets, not offered to API clients
_COMMAND = re.compile("`([^`]*)`")
_MARKED_COMMAND = re.compile("<code>(.*?)</code>")
LATEST: Final[Mapping[str, Any]] = MappingProxyType({"trigger_mode": "always_last", **QUIET})
FOLLOWING: Final[Mapping[str, Any]] = MappingProxyType({"concurrency_limit": None, **QUIET})
REFUSED_TITLE = "Error"  # above a message: what was asked for cannot be
SERVER_TITLE = "Server"  # it could be, but this machine cannot do it now
INCIDENT_TITLE = "Incident"  # a defect of ours
TITLES: Final[Mapping[str, Message]] = MappingProxyType(
    {
        REFUSED_TITLE: message("Error"),
        SERVER_TITLE: message("Server"),
        INCIDENT_TITLE: message("Incident"),
    }
)  # as people read them; programs get the names
MOST_WORDS = 200  # characters of a message of Gradio's: a longer one holds what was sent
MESSAGE_SECONDS = 20  # a toast stays long enough to read two sentences and act


def bind(handler: Callable[..., Any], *context: Any, name: str = "") -> Callable[..., Any]:
    """`handler` with `context` as its first arguments, ready to be given to a Gradio event.

    Works for functions and generators, plain and async. A `TlappError` becomes a message
    with its hint; anything else is logged under an id that the message names, and says no more.
    Both are said in the language of the request, which `AppBlocks` has found.
    `name` is what the log and Gradio call it, if not by the handler's own. The title of the error tells programs whose fault it was.
    """
    name = name or handler.__name__
    if inspect.isasyncgenfunction(handler):

        async def listen_async(*arguments: Any) -> AsyncIterator[Any]:
            with errors_as_words(name):
                async with aclosing(handler(*context, *arguments)) as updates:
                    async for update in updates:
                        yield update

        return _with_signature_of(handler, name, listen_async, len(context))
    if inspect.iscoroutinefunction(handler):

        async def listen_awaited(*arguments: Any) -> Any:
            with errors_as_words(name):
                return await handler(*context, *arguments)

        return _with_signature_of(handler, name, listen_awaited, len(context))
    if inspect.isgeneratorfunction(handler):

        def listen_stepwise(*arguments: Any) -> Iterator[Any]:
            with errors_as_words(name):
                yield from handler(*context, *arguments)

        return _with_signature_of(handler, name, listen_stepwise, len(context))

    def listen(*arguments: Any) -> Any:
        with errors_as_words(name):
            return handler(*context, *arguments)

    return _with_signature_of(handler, name, listen, len(context))


def _with_signature_of(
    handler: Callable[..., Any], name: str, listener: Callable[..., Any], bound: int
) -> Callable[..., Any]:
    signature = inspect.signature(handler)
    parameters = list(signature.parameters.values())
    bound_names = {parameter.name for parameter in parameters[:bound]}
    listener.__name__ = name
    listener.__doc__ = handler.__doc__
    listener.__module__ = handler.__module__
    listener.__annotations__ = {
        name: kind for name, kind in handler.__annotations__.items() if name not in bound_names
    }
    unbound = signature.replace(parameters=parameters[bound:])
    listener.__signature__ = unbound  # type: ignore[attr-defined]  # functions accept it
    return listener


def as_plain_text(message: str) -> str:
    """The words of a message that was made ready for a page."""
    return html.unescape(_MARKED_COMMAND.sub(r"`\1`", message))


@contextmanager
def errors_as_words(event: str) -> Iterator[None]:
    """Turn whatever is raised inside into a `gr.Error` with escaped text and no inner detail.

    `event` is what the log calls it. A refusal costs the log one line, without its words: they may
    name a visitor's file. Anything that is no refusal is an incident, whose number the words tell.
    """
    try:
        yield
    except gr.Error:
        raise
    except TlappError as error:
        raise _refusal(event, error) from error
    except Exception as error:
        incident = secrets.token_hex(4)
        logger.exception("Incident %s", incident)
        raise _error(_incident(error, incident), INCIDENT_TITLE) from error


@contextmanager
def client_faults_as_words(event: str, fault: Message) -> Iterator[None]:
    """The same around Gradio's reading of what a client has sent: what fails there is the client's
    `fault`, unless the machine has no room left."""
    try:
        yield
    except TlappError as error:
        raise _refusal(event, error) from error
    except gr.Error as error:  # Gradio's own words, which may hold all that was sent
        logger.info("Refused %s: Gradio's check", event)
        said = str(error.message)
        told = verbatim(said) if len(said) <= MOST_WORDS else fault
        raise _error(told, REFUSED_TITLE) from error
    except Exception as error:
        cause = error.__cause__ or error  # Gradio wraps what its components raise
        if isinstance(cause, MemoryError) or (isinstance(cause, OSError) and is_full(cause)):
            raise cause from None
        logger.info("Refused %s: %s", event, type(error).__name__)
        raise _error(fault, REFUSED_TITLE) from error


def _refusal(event: str, error: TlappError) -> gr.Error:
    is_ours = isinstance(error, ServerError)
    logger.log(
        logging.WARNING if is_ours else logging.INFO, "Refused %s: %s", event, type(error).__name__
    )
    return _error(error.said, SERVER_TITLE if is_ours else REFUSED_TITLE)


def _incident(error: Exception, incident: str) -> Message:
    if isinstance(error, OSError) and is_full(error):
        return text.disk_is_full(incident)
    return text.unexpected_error(incident)


def _error(said: Message, title: str) -> gr.Error:
    """What a page shows, in the language of the request; `commands` as code."""
    shown = html.escape(words(ASKED_IN.get()).say(said))
    message = _COMMAND.sub(r"<code>\1</code>", shown)
    return gr.Error(message, title=title, duration=MESSAGE_SECONDS, print_exception=False)
