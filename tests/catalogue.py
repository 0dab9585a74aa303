"""`python -m tests.catalogue` collects every message of tlapp into `tlapp/locale/tlapp.pot`.

A message is a call of `message` or `counted_message` whose templates are written out.
"""

import ast
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from tlapp.messages import CATALOGUE

REPOSITORY = Path(__file__).parents[1]
TEMPLATES = {"message": 1, "counted_message": 2}  # how many of the first arguments are templates


def collect() -> Catalog:
    """All messages, each with the files that it stands in.

    Raises ValueError for a call whose templates are not written out: nobody could translate them.
    """
    catalogue = Catalog(project="tlapp", charset="utf-8", fuzzy=False)
    for path in sorted((REPOSITORY / "tlapp").rglob("*.py")):
        place = path.relative_to(REPOSITORY).as_posix()
        for entry in _entries(path):
            catalogue.add(entry, locations=[(place, 0)])
    return catalogue


def _entries(path: Path) -> Iterator[str | tuple[str, ...]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            wanted = TEMPLATES.get(node.func.id, 0)
            given = node.args[:wanted]
            templates = [
                each.value
                for each in given
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            if len(templates) < wanted:
                raise ValueError(f"{path.name}:{node.lineno} does not write out its template.")
            if wanted:
                yield templates[0] if wanted == 1 else tuple(templates)


def as_text(catalogue: Catalog) -> str:
    """The catalogue as it is kept: without dates and line numbers, which change for no reason."""
    written = BytesIO()
    write_po(written, catalogue, width=100, omit_header=True, include_lineno=False)
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    return header + written.getvalue().decode("utf-8")


def main() -> int:
    """Write the catalogue anew."""
    CATALOGUE.parent.mkdir(exist_ok=True)
    CATALOGUE.write_text(as_text(collect()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
