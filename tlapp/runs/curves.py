"""A run's curves as a picture (PNG, SVG) or a table (CSV).

Drawn with a `Figure` of its own each time: pyplot keeps figures in process-wide state, which
threads would share.
"""

import csv
import io
from typing import TYPE_CHECKING, Literal

from tlapp.errors import RunError
from tlapp.runs.record import EpochRow, RunRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CurvesKind = Literal["png", "svg", "csv"]
COLUMNS = (
    "epoch",
    "train_loss",
    "train_eval_loss",
    "train_eval_accuracy",
    "valid_loss",
    "valid_accuracy",
    "agreement",
    "seconds",
    "elapsed_seconds",
    "is_best",
)
TRAIN_COLOUR = "#64748b"
VALID_COLOUR = "#1d4ed8"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run such a cell


def curves(record: RunRecord, kind: CurvesKind) -> bytes:
    """The content of a file of this kind. Raises RunError when no epoch is finished."""
    if not record.epochs:
        raise RunError(
            "This run has no finished epoch yet, so there are no curves.",
            hint="Wait for the first epoch, or train again.",
        )
    return _table(record) if kind == "csv" else _drawing(record, kind)


def guard_cell(text: str) -> str:
    """`text` as a CSV cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _table(record: RunRecord) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(("run", "data_set", "backbone", *COLUMNS))
    fixed = [
        guard_cell(str(value))
        for value in (record.name, record.dataset_name, record.config.get("backbone", ""))
    ]
    for row in record.epochs:
        values = (getattr(row, column) for column in COLUMNS)
        writer.writerow((*fixed, *("" if value is None else value for value in values)))
    return file.getvalue().encode("utf-8-sig", "replace")  # the mark makes Excel read it as UTF-8


def _drawing(record: RunRecord, kind: Literal["png", "svg"]) -> bytes:
    from matplotlib.figure import Figure  # half a second that most starts need not pay

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    rows = record.epochs
    _draw_lines(loss, rows, "Loss (lower is better)", "train_eval_loss", "valid_loss", 1.0)
    title = "Accuracy in % (higher is better)"
    _draw_lines(accuracy, rows, title, "train_eval_accuracy", "valid_accuracy", 100.0)
    accuracy.set_ylim(0, 103)
    loss.set_ylim(bottom=0)
    if record.best_epoch is not None:
        for axes in (loss, accuracy):
            axes.axvline(record.best_epoch, color=VALID_COLOUR, alpha=0.3, linewidth=1)
    file = io.BytesIO()
    figure.savefig(file, format=kind, dpi=150, metadata=None if kind == "png" else {"Date": None})
    return file.getvalue()


def _draw_lines(
    axes: "Axes", rows: tuple[EpochRow, ...], title: str, train: str, valid: str, scale: float
) -> None:
    epochs = [row.epoch for row in rows]
    marker = "o" if len(rows) == 1 else ""  # a line through one point is invisible
    for field, label, colour, dashes in (
        (train, "learned from", TRAIN_COLOUR, "--"),
        (valid, "held out", VALID_COLOUR, "-"),
    ):
        values = [getattr(row, field) for row in rows]
        if any(value is None for value in values):
            continue
        scaled = [value * scale for value in values]
        axes.plot(epochs, scaled, dashes, color=colour, label=label, marker=marker)
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel("epoch")
    axes.locator_params(axis="x", integer=True)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
