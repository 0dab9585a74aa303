"""`python -m tests.benchmarks [NAME...]`: measure, and print figures beside what they should be.

Each benchmark is a module here with `measure(folder) -> tuple[Row, ...]`; it runs in a process of
its own, so that its memory and its imports are its own. Run them on a machine that does nothing
else. The exit code says whether all of them ran, not whether goals were met: figures depend on
the machine.
"""

import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.rows import Row, table

REPOSITORY = Path(__file__).parents[2]
NAMES = (
    "startup",
    "keystroke",
    "features",
    "frozen_run",
    "cached_run",
    "tutorial",
    "accuracy",
    "learning",
    "fine_tuning",
    "memory",
    "preset_memory",
    "soak",
)
MEASURE_HERE = "--measure-here"  # the word with which this module calls itself for one benchmark


def measure_here(name: str, folder: Path) -> None:
    """Measure in this process and leave the rows as JSON in `folder`."""
    rows = importlib.import_module(f"tests.benchmarks.{name}").measure(folder)
    (folder / "rows.json").write_text(json.dumps([asdict(row) for row in rows]))


def measure_elsewhere(name: str) -> tuple[Row, ...] | None:
    """Measure in a fresh process and a fresh folder; None when that failed (it has said why)."""
    with tempfile.TemporaryDirectory(prefix="tlapp-benchmark-") as temporary:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks", MEASURE_HERE, name, temporary],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode != 0:
            return None
        rows = json.loads((Path(temporary) / "rows.json").read_text())
    return tuple(Row(**row) for row in rows)


def main(arguments: Sequence[str]) -> int:
    """0 when every benchmark could be measured."""
    if arguments[:1] == [MEASURE_HERE]:
        measure_here(arguments[1], Path(arguments[2]))
        return 0
    unknown = [name for name in arguments if name not in NAMES]
    if unknown:
        print(f"No benchmark is called {', '.join(unknown)}. There are: {', '.join(NAMES)}.")
        return 2
    rows: list[Row] = []
    failed = []
    for name in arguments or NAMES:
        started = time.monotonic()
        print(f"{name} ...", file=sys.stderr, flush=True)
        measured = measure_elsewhere(name)
        if measured is None:
            failed.append(name)
        rows += measured or ()
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    print(table(tuple(rows)))
    if failed:
        print(f"Could not be measured: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
