"""`python -m tests`: everything that must hold, in one command.

Finds or installs Chromium, then checks format, lint and types, then runs pytest. Every step runs,
whatever the ones before it said; the exit code is 0 only when all of them passed. Arguments go to
pytest (`python -m tests -k journey`).
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chromium import NO_CHROMIUM, find_or_install_chromium

REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True)
class Step:
    """One check and its command, run by this Python."""

    name: str
    module_arguments: tuple[str, ...]  # after `python -m`


@dataclass(frozen=True)
class Outcome:
    """How a step ended."""

    name: str
    exit_code: int
    seconds: float


def steps(pytest_arguments: Sequence[str]) -> tuple[Step, ...]:
    """In the order in which they run: the quick ones first."""
    return (
        Step("format", ("ruff", "format", "--check", ".")),
        Step("lint", ("ruff", "check", ".")),
        # Torch returns Any nearly everywhere. (--strict on the command line beats pyproject.toml.)
        Step("types", ("mypy", "--strict", "--no-warn-return-any", "tlapp", "app.py")),
        Step("tests", ("pytest", *pytest_arguments)),
    )


def run_step(step: Step) -> Outcome:
    """The step's output goes to the screen as it comes."""
    print(f"\n== {step.name}: python -m {' '.join(step.module_arguments)}", flush=True)
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", *step.module_arguments],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return Outcome(step.name, done.returncode, time.monotonic() - started)


def main(arguments: Sequence[str]) -> int:
    """Run everything; 0 when all is well."""
    started = time.monotonic()
    chromium = find_or_install_chromium()
    print(f"Chromium: {chromium or NO_CHROMIUM}", flush=True)
    outcomes = [
        Outcome("browser", 0 if chromium else 1, time.monotonic() - started),
        *(run_step(step) for step in steps(arguments)),
    ]
    print()
    for outcome in outcomes:
        word = "ok" if outcome.exit_code == 0 else f"FAILED (exit {outcome.exit_code})"
        print(f"{outcome.name:8} {word:16} {outcome.seconds:6.1f} s")
    return 0 if all(outcome.exit_code == 0 for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
