"""Curves as files: drawings without process-wide state, tables that no spreadsheet executes."""

import csv
import io
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from tests.runs.examples import make_record, make_row
from tlapp.errors import RunError
from tlapp.messages import PSEUDO
from tlapp.runs.curves import curves

EPOCHS = tuple(make_row(epoch) for epoch in (1, 2, 3))


def test_png_and_svg_are_pictures() -> None:
    record = make_record(epochs=EPOCHS, best_epoch=2)
    assert Image.open(io.BytesIO(curves(record, "png"))).size[0] > 1000
    assert b"<svg" in curves(record, "svg")[:1000]


def test_a_drawing_is_labelled_in_the_language_of_who_asks() -> None:
    drawn = curves(make_record(epochs=EPOCHS), "svg", PSEUDO).decode()
    labels = re.findall(r"<!-- (\[.*\]) -->", drawn)
    assert len(labels) == 8  # title, axis and two lines of each of both plots


def test_without_held_out_pictures_the_other_line_is_drawn() -> None:
    rows = tuple(make_row(epoch, valid_loss=None, valid_accuracy=None) for epoch in (1, 2))
    assert curves(make_record(epochs=rows), "png")


def test_the_table_holds_every_epoch() -> None:
    text = curves(make_record(epochs=EPOCHS), "csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[0]["valid_loss"]) == pytest.approx(1.1)


@pytest.mark.parametrize("name", ["=cmd|'/C calc'!A0", "+1", "-1", "@x", "\tx", "\rx"])
def test_names_that_a_spreadsheet_would_execute_are_text(name: str) -> None:
    record = make_record(epochs=EPOCHS, name=name, dataset_name=name)
    text = curves(record, "csv").decode("utf-8-sig")
    row = next(csv.DictReader(io.StringIO(text, newline="")))
    assert row["run"] == f"'{name}"
    assert row["data_set"] == f"'{name}"


def test_before_the_first_epoch_there_are_no_curves() -> None:
    with pytest.raises(RunError, match="no finished epoch"):
        curves(make_record(), "png")


def test_many_threads_draw_at_once_and_leave_no_figure_behind() -> None:
    record = make_record(epochs=EPOCHS)
    with ThreadPoolExecutor(4) as pool:
        drawings = list(pool.map(lambda _: curves(record, "png"), range(8)))
    assert len(set(drawings)) == 1
    pyplot = sys.modules.get("matplotlib.pyplot")  # another test may have loaded it
    assert pyplot is None or not pyplot.get_fignums()
