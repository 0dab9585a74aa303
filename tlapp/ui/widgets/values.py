"""From a widget's frozen value to the JSON object that its script reads."""

import base64
from dataclasses import asdict, is_dataclass
from typing import Any


def to_json(value: Any) -> Any:
    """`value` as plain dictionaries, lists and numbers; a plain object or None is kept as it is."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value


def picture_address(encoded: bytes) -> str:
    """A small JPEG as an address that needs no request (a data URI)."""
    return f"data:image/jpeg;base64,{base64.b64encode(encoded).decode('ascii')}"
