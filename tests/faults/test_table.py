"""The table of all cases, `cases.md`: complete, and what it names is there."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CASES = 114
REASONS = ("not built yet: issue ", "cannot be tested here: ")
PROOF = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    number: int
    what: str
    proofs: tuple[tuple[str, str], ...]  # (file, function)
    note: str


def read_cases() -> Iterator[Case]:
    for line in (Path(__file__).parent / "cases.md").read_text("utf-8").splitlines():
        if re.match(r"\| \d", line):
            number, what, proofs, note = (cell.strip() for cell in line.strip("|").split("|"))
            named = PROOF.findall(proofs)
            assert len(named) == len([each for each in proofs.split("<br>") if each]), line
            yield Case(int(number), what, tuple(named), note)


TABLE = tuple(read_cases())


@lru_cache(maxsize=100)
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((REPOSITORY / file).read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, functions))


def test_every_case_is_there_once_and_in_order() -> None:
    assert [case.number for case in TABLE] == list(range(1, CASES + 1))
    assert all(case.what for case in TABLE)


@pytest.mark.parametrize("case", TABLE, ids=lambda case: str(case.number))
def test_what_proves_a_case_exists_or_the_reason_is_given(case: Case) -> None:
    for file, function in case.proofs:
        assert function in functions_of(file)
    assert case.proofs or case.note.startswith(REASONS)
