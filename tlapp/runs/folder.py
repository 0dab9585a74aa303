"""One run's folder, readable by itself wherever it is copied to.

    run.json            the record, without its epochs; replaced in one step
    epochs.jsonl        one line an epoch, appended; a torn last line is not read
    models/epoch-0012/  the classifier of epoch 12 (`save_classifier`); appears in one step
    state.safetensors   what going on after an epoch takes; replaced in one step

During a run the newest and the best epoch are kept; afterwards the best alone. The state stays with
a run that was stopped.
"""

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as write_tensors

from tlapp.classifier import Classifier, save_classifier
from tlapp.errors import RunError
from tlapp.files import sync_folder, temporary_path, write_atomically
from tlapp.runs.record import EpochRow, RunRecord, record_from_json, row_from_json
from tlapp.training.state import State

RECORD_NAME = "run.json"
EPOCHS_NAME = "epochs.jsonl"
MODELS_NAME = "models"
STATE_NAME = "state.safetensors"
_EPOCH = "epoch"
MODEL_PATTERN = re.compile(r"epoch-(\d{4,})")


class RunFolder:
    """Reads and writes one run. One writer at a time; any number of readers."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self) -> RunRecord:
        """The record with every finished epoch. Raises RunError when there is none here."""
        try:
            values = json.loads((self.path / RECORD_NAME).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(
                f'"{self.path.name}" holds no run of tlapp.',
                hint="Name the folder that a training has written; it contains run.json.",
            ) from error
        return replace(record_from_json(values), epochs=self.epochs())

    def write(self, record: RunRecord, *, durable: bool = False) -> None:
        """Keep `record` (its epochs are kept by `append`)."""
        text = json.dumps(record.to_json(with_epochs=False), indent=1, allow_nan=False)
        self.path.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path / RECORD_NAME, text.encode(), durable=durable)

    def append(self, row: EpochRow) -> None:
        """Add one epoch to the log."""
        line = json.dumps(row.to_json(), allow_nan=False) + "\n"
        with (self.path / EPOCHS_NAME).open("ab") as file:  # one write: whole or torn, never mixed
            file.write(line.encode())

    def epochs(self) -> tuple[EpochRow, ...]:
        """The epochs in the log, in order, up to the first damaged line."""
        rows: list[EpochRow] = []
        try:
            lines = (self.path / EPOCHS_NAME).read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            return ()
        for line in lines:
            if not line.endswith(b"\n"):
                break
            try:
                rows.append(row_from_json(json.loads(line)))
            except (ValueError, RunError):
                break
        return tuple(rows)

    def save_model(self, epoch: int, classifier: Classifier, *, durable: bool = False) -> None:
        """Keep the classifier of this epoch."""
        target = self._model_path(epoch)
        target.parent.mkdir(exist_ok=True)
        temporary = temporary_path(target)
        try:
            save_classifier(classifier, temporary)
            if not target.exists():
                temporary.replace(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        if durable:
            _sync_tree(target)

    def save_state(self, epoch: int, state: State, *, durable: bool = False) -> None:
        """Keep what going on after this epoch takes, in place of what was kept before."""
        content = write_tensors(dict(state), {_EPOCH: str(epoch)})
        write_atomically(self.path / STATE_NAME, content, durable=durable)

    def state(self) -> tuple[int, State] | None:
        """The epoch after which the training can go on, and how; None: it cannot."""
        path = self.path / STATE_NAME
        try:
            with safe_open(path, framework="pt") as file:
                epoch = int(file.metadata()[_EPOCH])
                return epoch, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, ValueError, KeyError):
            return None

    def has_state(self) -> bool:
        """Whether there may be a state, without reading it."""
        return (self.path / STATE_NAME).is_file()

    def drop_state(self) -> None:
        """The training will not go on."""
        (self.path / STATE_NAME).unlink(missing_ok=True)

    def model_epochs(self) -> tuple[int, ...]:
        """The epochs whose classifiers are here, in order."""
        models = self.path / MODELS_NAME
        if not models.is_dir():
            return ()
        matches = (MODEL_PATTERN.fullmatch(path.name) for path in models.iterdir())
        return tuple(sorted(int(match[1]) for match in matches if match))

    def keep_models(self, epochs: frozenset[int]) -> None:
        """Remove the classifiers of all other epochs."""
        for epoch in self.model_epochs():
            if epoch not in epochs:
                shutil.rmtree(self._model_path(epoch), ignore_errors=True)

    def best_model_epoch(self) -> int | None:
        """The best epoch among those kept here; None when there is none.

        The newest one that was the best of its time; when none is marked, the newest.
        """
        kept = self.model_epochs()
        best = {row.epoch for row in self.epochs() if row.is_best}
        return max((epoch for epoch in kept if epoch in best), default=max(kept, default=None))

    def model_path(self, epoch: int | None = None) -> Path:
        """The folder for `load_classifier`: of `epoch`, or of the best. Raises RunError: none."""
        epoch = self.best_model_epoch() if epoch is None else epoch
        if epoch is None or not self._model_path(epoch).is_dir():
            raise RunError(
                "This run has no trained model: it ended before its first epoch did.",
                hint="Train again and let at least one epoch finish.",
            )
        return self._model_path(epoch)

    def _model_path(self, epoch: int) -> Path:
        return self.path / MODELS_NAME / f"epoch-{epoch:04d}"


def _sync_tree(folder: Path) -> None:
    """Wait until the disk has every file of this folder, and its name."""
    for path in folder.iterdir():
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    sync_folder(folder)
    sync_folder(folder.parent)
