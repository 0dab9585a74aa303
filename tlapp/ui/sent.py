"""What the page has sent with an event, and how an action's form is read from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gradio.components import Component

Form = TypeVar("Form")


@dataclass(frozen=True, eq=False)
class Sent:
    """What came with one event: any browser may have sent anything."""

    values: Mapping[Component, Any]
    event: Mapping[str, Any]  # what the widget says of its event
    cookie: str = ""


@dataclass(frozen=True)
class Reads(Generic[Form]):
    """Which components an event sends, and the form that they make."""

    components: tuple[Component, ...]
    make: Callable[[Sent], Form]  # raises TlappError for what cannot be


NOTHING: Reads[None] = Reads((), lambda sent: None)
