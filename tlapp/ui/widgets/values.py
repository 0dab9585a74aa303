"""From a widget's frozen value, and its words, to the JSON object that its script reads."""

import base64
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from tlapp.messages import Message
from tlapp.ui.later import later, later_forms


def to_json(value: Any) -> Any:
    """`value` as plain dictionaries, lists and numbers; a plain object or None is kept as it is."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value


def picture_address(encoded: bytes) -> str:
    """A small JPEG as an address that needs no request (a data URI)."""
    return f"data:image/jpeg;base64,{base64.b64encode(encoded).decode('ascii')}"


def words_to_json(table: Mapping[str, Message | str]) -> dict[str, str | dict[str, str]]:
    """The words that a script says by itself, for a component that is built. A counted message
    becomes its forms, from which numbers.js takes the one for the number."""
    return {name: said if isinstance(said, str) else _word(said) for name, said in table.items()}


def _word(said: Message) -> str | dict[str, str]:
    return later_forms(said) if said.plural else later(said)
