"""Group J: charts for many at once, and names that no font has."""

import io
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest
from PIL import Image

from tests.runs.examples import make_record, make_row
from tlapp.runs.curves import curves
from tlapp.runs.record import RunRecord

pytestmark = pytest.mark.slow

THREADS = 30
NAMES = ("田中さん 🐈‍⬛", "\u202egnp", "$x_1^", "a\x00\ud800b", "﷽" * 50)


def record_of(number: int) -> RunRecord:
    """A run whose chart is unlike any other's."""
    rows = tuple(make_row(epoch, train_loss=1.0 + number) for epoch in range(1, number + 3))
    return make_record(name=f"Run {number}", epochs=rows, best_epoch=1)


def test_thirty_threads_get_the_chart_that_each_has_asked_for() -> None:
    few = [record_of(number) for number in range(3)]
    drawn_alone = [curves(record, "png") for record in few]
    assert len(set(drawn_alone)) == len(few)
    records, expected = few * (THREADS // len(few)), drawn_alone * (THREADS // len(few))
    with ThreadPoolExecutor(THREADS) as pool:
        drawn = list(pool.map(lambda record: curves(record, "png"), records))
    assert drawn == expected
    pyplot = sys.modules.get("matplotlib.pyplot")  # another test may have loaded it
    assert pyplot is None or not pyplot.get_fignums()


@pytest.mark.parametrize("kind", ["png", "svg"])
@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_no_font_has_is_drawn_somehow(name: str, kind: Literal["png", "svg"]) -> None:
    record = make_record(
        name=name, dataset_name=name, class_names=(name, "dog"), epochs=(make_row(1), make_row(2))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of missing glyphs
        drawn = curves(record, kind)
    if kind == "png":
        assert Image.open(io.BytesIO(drawn)).size[0] > 1000
    else:
        assert b"</svg>" in drawn
