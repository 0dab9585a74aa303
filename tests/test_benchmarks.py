"""The benchmarks' frame: every name has its module, and goals are judged by the right figure."""

from pathlib import Path

import pytest

from tests.benchmarks.__main__ import NAMES, main
from tests.benchmarks.rows import Row, table

FOLDER = Path(__file__).parent / "benchmarks"


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_can_measure(name: str) -> None:
    source = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    assert "def measure(folder: Path) -> tuple[Row, ...]:" in source


def test_a_goal_is_judged_by_the_ratio_when_there_is_one() -> None:
    assert Row("run", 9.0, "s", ratio=1.2, goal="<= 1.25").is_met() is True
    assert Row("run", 0.1, "s", ratio=1.3, goal="<= 1.25").is_met() is False


def test_a_goal_is_judged_by_the_value_when_there_is_no_ratio() -> None:
    assert Row("again", 0.4, "s", goal="<= 1").is_met() is True
    assert Row("share", 0.7, "", goal=">= 0.8").is_met() is False


def test_the_table_says_which_goals_are_missed() -> None:
    shown = table((Row("start", 5.0, "s", ratio=1.6, goal="<= 1.4"), Row("bare", 3.0, "s")))
    start, bare = shown.splitlines()[1:]
    assert start.endswith("NOT MET")
    assert "MET" not in bare


def test_an_unknown_name_is_refused_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["warp"]) == 2
    assert "startup" in capsys.readouterr().out
