"""Importing tlapp costs nothing: heavy libraries come in with the rooms that use them."""

import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE_SECONDS

REPOSITORY = Path(__file__).parents[1]
HEAVY = ("torch", "torchvision", "gradio", "matplotlib", "numpy", "PIL")


def _loaded_after(statement: str, names: tuple[str, ...]) -> str:
    """Those of `names` that a fresh Python has loaded after `statement`."""
    code = f"{statement}\nimport sys\nprint(*[name for name in {names!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_tlapp_loads_no_heavy_library() -> None:
    assert _loaded_after("import tlapp, tlapp.errors, tlapp.settings", HEAVY) == ""


def test_the_command_line_answers_before_the_heavy_libraries_are_loaded() -> None:
    names = ("torch", "torchvision", "gradio", "matplotlib")
    assert _loaded_after("import tlapp.__main__", names) == ""


def test_gradio_and_matplotlib_stay_out_of_the_rooms_and_the_cards_build_no_network() -> None:
    """One after the other in one process: torch takes seconds to load."""
    rooms = (
        "from torch import nn; nn.Conv2d.__init__ = None\n"
        "import tlapp.data.images, tlapp.backbones.catalog, tlapp.training.config\n"
        "assert len(tlapp.backbones.catalog.CARDS) == 16"
    )
    assert _loaded_after(rooms, ("gradio", "matplotlib")) == ""
