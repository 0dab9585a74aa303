"""A run's curves as a picture (PNG, SVG) or a table (CSV).

Drawn with a `Figure` of its own each time: pyplot keeps figures in process-wide state, which
threads would share.
"""

import csv
import io
from typing import TYPE_CHECKING, Literal

from tlapp.errors import RunError
from tlapp.messages import ENGLISH, Words, message, words
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


def curves(record: RunRecord, kind: CurvesKind, language: str = ENGLISH) -> bytes:
    """The content of a file of this kind; a picture has words of this language. Raises RunError
    when no epoch is finished."""
    if not record.epochs:
        raise RunError(
            message("This run has no finished epoch yet, so there are no curves."),
            hint=message("Wait for the first epoch, or train again."),
        )
    return _table(record) if kind == "csv" else _drawing(record, kind, words(language))


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


def _drawing(record: RunRecord, kind: Literal["png", "svg"], speaker: Words) -> bytes:
    from matplotlib.figure import Figure  # half a second that most starts need not pay

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    rows = record.epochs
    _draw_lines(loss, rows, speaker, ("train_eval_loss", "valid_loss"), scale=1.0)
    loss.set_title(speaker.say(message("Loss (lower is better)")), fontsize=10, loc="left")
    loss.set_ylim(bottom=0)
    shares = ("train_eval_accuracy", "valid_accuracy")
    _draw_lines(accuracy, rows, speaker, shares, scale=100.0)
    title = speaker.say(message("Accuracy in % (higher is better)"))
    accuracy.set_title(title, fontsize=10, loc="left")
    accuracy.set_ylim(0, 103)
    if record.best_epoch is not None:
        for axes in (loss, accuracy):
            axes.axvline(record.best_epoch, color=VALID_COLOUR, alpha=0.3, linewidth=1)
    file = io.BytesIO()
    figure.savefig(file, format=kind, dpi=150, metadata=None if kind == "png" else {"Date": None})
    return file.getvalue()


def _draw_lines(
    axes: "Axes",
    rows: tuple[EpochRow, ...],
    speaker: Words,
    names: tuple[str, str],
    *,
    scale: float,
) -> None:
    """A line each of two fields of the rows, times `scale`: of what is learned from, and of what is
    held out."""
    train, valid = names
    epochs = [row.epoch for row in rows]
    marker = "o" if len(rows) == 1 else ""  # a line through one point is invisible
    for field, label, colour, dashes in (
        (train, message("learned from"), TRAIN_COLOUR, "--"),
        (valid, message("held out"), VALID_COLOUR, "-"),
    ):
        values = [getattr(row, field) for row in rows]
        if any(value is None for value in values):
            continue
        scaled = [value * scale for value in values]
        name = speaker.say(label)
        axes.plot(epochs, scaled, dashes, color=colour, label=name, marker=marker)
    axes.set_xlabel(speaker.say(message("epoch")))
    axes.locator_params(axis="x", integer=True)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
