"""`python -m tests`: everything that must hold, in one command.

    python -m tests              browser, format, lint, types, all tests
    python -m tests coverage     the same, and what of tlapp/ the tests pass through (slower)
    python -m tests quick        format, lint, types, and the tests without a server or a browser
                                 that do not take seconds (marks `server` and `slow`)
    python -m tests -k journey   what follows goes to pytest
    python -m tests quick tests/data

Every step runs, whatever the ones before it said; the exit code is 0 only when all of them passed.
Two pytest processes share the tests, each with one thread for PyTorch: `-n 0` takes one process
(for a debugger), `-n 4` four. pytest's own options: `python -m pytest --help`.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chromium import NO_CHROMIUM, find_or_install_chromium

REPOSITORY = Path(__file__).parents[1]
QUICK, COVERAGE = "quick", "coverage"
# A worker that has nothing left takes over half of what the other still has, so that files mostly
# stay together with their servers and browsers.
TWO_WORKERS = ("-n", "2", "--dist", "worksteal")
QUICK_TESTS = ("-m", "not server and not slow")


@dataclass(frozen=True)
class Step:
    """One check and its commands, run by this Python."""

    name: str
    commands: tuple[tuple[str, ...], ...]  # each what follows `python -m`


@dataclass(frozen=True)
class Outcome:
    """How a step ended."""

    name: str
    exit_code: int
    seconds: float


def steps(arguments: Sequence[str]) -> tuple[Step, ...]:
    """In the order in which they run: the quick ones first."""
    word = arguments[0] if arguments and arguments[0] in (QUICK, COVERAGE) else ""
    is_quick = word == QUICK
    wanted = tuple(arguments[1:] if word else arguments)
    tests = ("pytest", *TWO_WORKERS, *(QUICK_TESTS if is_quick else ()), *wanted)
    checks = (
        Step("format", (("ruff", "format", "--check", "."),)),
        Step("lint", (("ruff", "check", "."),)),
        # Torch returns Any nearly everywhere. (--strict on the command line beats pyproject.toml.)
        Step("types", (("mypy", "--strict", "--no-warn-return-any", "tlapp", "app.py"),)),
    )
    if word != COVERAGE:
        return (*checks, Step("tests", (tests,)))
    return (
        *checks,
        Step("tests", (("coverage", "erase"), ("coverage", "run", "-m", *tests))),
        Step("coverage", (("coverage", "combine", "--quiet"), ("coverage", "report"))),
    )


def run_step(step: Step) -> Outcome:
    """The step's output goes to the screen as it comes; its commands end with the first failure."""
    started = time.monotonic()
    exit_code = 0
    for command in step.commands:
        print(f"\n== {step.name}: python -m {' '.join(command)}", flush=True)
        exit_code = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=REPOSITORY,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            check=False,
        ).returncode
        if exit_code != 0:
            break
    return Outcome(step.name, exit_code, time.monotonic() - started)


def find_browser() -> Outcome:
    """Says where Chromium is; installs it when it is nowhere."""
    started = time.monotonic()
    chromium = find_or_install_chromium()
    print(f"Chromium: {chromium or NO_CHROMIUM}", flush=True)
    return Outcome("browser", 0 if chromium else 1, time.monotonic() - started)


def main(arguments: Sequence[str]) -> int:
    """Run everything; 0 when all is well."""
    if "--help" in arguments or "-h" in arguments:
        print(__doc__)
        return 0
    started = time.monotonic()
    outcomes = [] if arguments[:1] == [QUICK] else [find_browser()]
    outcomes += [run_step(step) for step in steps(arguments)]
    print()
    for outcome in outcomes:
        word = "ok" if outcome.exit_code == 0 else f"FAILED (exit {outcome.exit_code})"
        print(f"{outcome.name:8} {word:16} {outcome.seconds:6.1f} s")
    print(f"{'in all':25} {time.monotonic() - started:6.1f} s")
    return 0 if all(outcome.exit_code == 0 for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
