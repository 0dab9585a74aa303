"""From a widget's frozen value, and its words, to the JSON object that its script reads."""

import base64
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from tlapp.messages import Message
from tlapp.ui.later import later
from tlapp.ui.text.widgets import NUMBER_WORDS


def to_json(value: Any) -> Any:
    """`value` as plain dictionaries, lists and numbers; a plain object or None is kept as it is."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value


def picture_address(encoded: bytes) -> str:
    """A small JPEG as an address that needs no request (a data URI)."""
    return f"data:image/jpeg;base64,{base64.b64encode(encoded).decode('ascii')}"


def words_to_json(table: Mapping[str, Message]) -> dict[str, object]:
    """What the script of a component that is built says by itself, and the words of its numbers.
    A counted message becomes its forms, of which numbers.js takes that of the number."""
    numbers = {name: later(said) for name, said in NUMBER_WORDS.items()}
    return {"numbers": numbers, **{name: later(said) for name, said in table.items()}}
