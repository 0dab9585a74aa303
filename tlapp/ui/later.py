"""Words of what is built once for everybody, put into a language when the page is served.

A component is built before anybody has asked for the page. In the place of a text it gets a marker
that holds a whole message, and that survives HTML and JSON as it is: a private character, the
message's JSON in hexadecimal digits, and another private character.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from tlapp.messages import Message, Words, verbatim

_OPENS, _CLOSES = "\ue0f0", "\ue0f1"
_MARKER = re.compile(f"{_OPENS}([0-9a-f]+){_CLOSES}")


def later(said: Message) -> str:
    """What stands for a message where a component is built.

    A counted message without its number stands for its forms: an object, for a script of the page.
    """
    return f"{_OPENS}{json.dumps(said.to_json()).encode().hex()}{_CLOSES}" if said else ""


def is_marked(built: str) -> bool:
    """Whether a message stands in this text."""
    return _OPENS in built


def in_words(built: Any, words: Words) -> Any:
    """A JSON value in which every marker is put into words; what has none stays the same object."""
    if isinstance(built, str):
        return _text_in_words(built, words) if is_marked(built) else built
    if isinstance(built, Mapping):
        return {name: in_words(each, words) for name, each in built.items()}
    if isinstance(built, list | tuple):
        return [in_words(each, words) for each in built]
    return built


def message_of(built: str) -> Message:
    """The message of a component's text; one that is no marker is a proper name."""
    alone = _MARKER.fullmatch(built)
    return _read(alone[1]) if alone else verbatim(built)


def _text_in_words(built: str, words: Words) -> str | dict[str, str]:
    alone = _MARKER.fullmatch(built)
    if alone and (said := _read(alone[1])).is_for_scripts:
        return words.forms(said)
    return _MARKER.sub(lambda found: words.say(_read(found[1])), built)


def _read(digits: str) -> Message:
    return Message.from_json(json.loads(bytes.fromhex(digits)))
