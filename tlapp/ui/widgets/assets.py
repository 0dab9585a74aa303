"""The scripts and style sheets that stand beside the widgets, read as text.

A widget is a ``gr.HTML`` whose template holds no placeholder: Gradio runs the filled template as
JavaScript, so nothing of a visitor may ever pass through it. The script builds nodes with
``textContent`` instead, from the value.

A script's first line names the scripts whose functions it uses, and the values of the widget that it
reads: "// Needs nodes.js, plot.js. Reads value, words."
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources


def read_script(*names: str) -> str:
    """The scripts one after the other for ``js_on_load``, each once and after those that it needs."""
    ordered = dict.fromkeys(each for name in names for each in _with_needs(name))
    return "\n".join(_read(name) for name in ordered)


def needs_of(name: str) -> tuple[str, ...]:
    """The scripts that the first line of this one says it needs."""
    said = _read(name).partition("\n")[0].partition(" Reads ")[0]
    return tuple(re.findall(r"\w+\.js", said))


def _with_needs(name: str) -> Iterator[str]:
    for needed in needs_of(name):
        yield from _with_needs(needed)
    yield name


def widget_css() -> str:
    """The rules of every widget, in order of their file names."""
    folder = resources.files("tlapp.ui.widgets")
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".css"))
    return "\n".join(_read(name) for name in names)


@cache
def _read(name: str) -> str:
    return resources.files("tlapp.ui.widgets").joinpath(name).read_text("utf-8")
