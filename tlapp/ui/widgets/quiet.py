"""Component classes that leave the source folder alone.

Gradio's own metaclass writes a ``.pyi`` file beside every module that defines a component, as soon
as it is imported. The file would hide the module from the type checker, and importing would write.
"""

from abc import ABCMeta
from typing import Any

from gradio.component_meta import ComponentMeta, updateable


class QuietComponentMeta(ComponentMeta):
    """Makes a subclass of a component that adds no events, without writing a file."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]
    ) -> "QuietComponentMeta":
        if "__init__" in namespace:  # records the arguments: `gr.update` and `gr.skip` need them
            namespace["__init__"] = updateable(namespace["__init__"])
        return ABCMeta.__new__(cls, name, bases, namespace)
