"""The scripts and style sheets that stand beside the widgets, read as text.

A widget is a ``gr.HTML`` whose template holds no placeholder: Gradio runs the filled template as
JavaScript, so nothing of a visitor may ever pass through it. The script builds nodes with
``textContent`` instead, from the value.
"""

from functools import cache
from importlib import resources


def read_script(*names: str) -> str:
    """The scripts one after the other for ``js_on_load``, preceded by those in ``nodes.js``."""
    return "\n".join(_read(name) for name in ("nodes.js", *names))


def widget_css() -> str:
    """The rules of every widget, in order of their file names."""
    folder = resources.files("tlapp.ui.widgets")
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".css"))
    return "\n".join(_read(name) for name in names)


@cache
def _read(name: str) -> str:
    return resources.files("tlapp.ui.widgets").joinpath(name).read_text("utf-8")
