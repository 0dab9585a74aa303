"""One run's folder, readable by itself wherever it is copied to.

    run.json            the record, without its epochs; replaced in one step
    run.json.before     the record before it, for when the newest is damaged
    epochs.jsonl        one line an epoch, appended; a torn or changed line is not read
    models/epoch-0012/  the classifier of epoch 12 (`save_classifier`); appears in one step
    state.safetensors   what going on after an epoch takes; replaced in one step

During a run the newest and the best epoch are kept; afterwards the best alone. The state stays with
a run that was stopped.

A sound record, read or written, is answered from memory as long as its files are as they were; what
is damaged is looked at anew each time.
"""

import os
import re
import shutil
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as write_tensors

from tlapp.classifier import Classifier, save_classifier
from tlapp.damages import Damage, DamageKind, Note, short_id
from tlapp.errors import RunError
from tlapp.files import sync_folder, temporary_path, write_atomically
from tlapp.messages import NOTHING, Message, counted_message, joined, message
from tlapp.recent import Recent, Signature, is_numbered, signature_of
from tlapp.runs.record import (
    MOST_EPOCHS,
    EpochRow,
    RunRecord,
    damaged_run,
    record_of,
    row_of,
)
from tlapp.stored import (
    DamagedFileError,
    check_plain_file,
    fault_in,
    keep_earlier,
    parse_json,
    read_content,
    read_generation,
    sealed,
)
from tlapp.training.state import State

RECORD_NAME = "run.json"
EPOCHS_NAME = "epochs.jsonl"
MODELS_NAME = "models"
STATE_NAME = "state.safetensors"
_FILES = (RECORD_NAME, EPOCHS_NAME, MODELS_NAME)  # which a sound record is made of
_LOG = _FILES.index(EPOCHS_NAME)
_NOTHING: Signature = (None,) * len(_FILES)  # of a folder in which nothing is yet
MOST_LOG_BYTES = 300_000_000  # 1,000 epochs with 100,000 held-out pictures take a third
MOST_KNOWN = 10_000  # runs in memory; what they weigh is the limit that matters
_EPOCH_COUNT = "epoch_count"  # in run.json: epochs that were in the log when it was written
_EPOCH = "epoch"
_CHECKSUM = "checksum"
MODEL_PATTERN = re.compile(r"epoch-(\d{4,5})")
_STATE_FAULTS = (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError)
_EARLIER_RECORD: Final = message(
    "The newest record of this run was damaged; this is the one before it."
)


@dataclass(frozen=True, eq=False)
class KnownRun:
    """A sound record in memory, and its files' signature from before they were read."""

    record: RunRecord
    signature: Signature  # of `_FILES`


KnownRuns = Recent[str, KnownRun]  # by the names of their folders


class RunFolder:
    """Reads and writes one run. One writer at a time; any number of readers."""

    def __init__(
        self, path: Path, note: Note | None = None, known: KnownRuns | None = None
    ) -> None:
        """`note` is told what is found damaged; `known` are the runs in memory, None for none."""
        self.path = path
        self._tell = note
        self._known_runs = known

    def record(self) -> RunRecord:
        """The record with every epoch that can be read; its message says what cannot.

        Raises RunError when there is none here, or none that is sound.
        """
        signature = self._signature()
        known = self._known()
        if known is not None and known.signature == signature:
            return known.record
        same_log = known is not None and known.signature[_LOG] == signature[_LOG]
        record, is_sound = self._read(known.record if known is not None and same_log else None)
        if is_sound and self._known_runs is not None:
            self._known_runs.put(self.path.name, KnownRun(record, signature))
        return record

    def _read(self, earlier: RunRecord | None) -> tuple[RunRecord, bool]:
        """The record from disk, and whether nothing of it is damaged; `earlier` is one that was
        read with the same log."""
        try:
            found = read_generation(self.path / RECORD_NAME, _written_of)
        except FileNotFoundError as error:
            raise RunError(
                message('"{name}" holds no run of tlapp.', name=self.path.name),
                hint=message("Name the folder that a training has written; it contains run.json."),
            ) from error
        except DamagedFileError as error:
            self.note("run", error.fault)
            raise damaged_run(error.fault) from error
        record, written_epochs = found.value
        if found.fault:
            self.note("run", found.fault, record.owner, is_replaced=True)
            record = _with_message(record, _EARLIER_RECORD)
        # Before the log, which a living training writes first: what is told here is in it.
        newest = self._newest_epoch(record, written_epochs)
        if earlier is not None and len(earlier.phases) <= len(record.phases):
            rows, fault = earlier.epochs, NOTHING
        else:
            rows, fault = _read_rows(self.path / EPOCHS_NAME, phases=len(record.phases))
        lost = _lost_epochs(rows, newest)
        if fault or lost:
            self.note("epochs", fault or message("it is shorter than it was"), record.owner)
        if lost:
            record = _with_message(record, _lost_message(lost))
        return replace(record, epochs=rows), not (found.fault or fault or lost)

    def write(self, record: RunRecord, *, durable: bool = False) -> None:
        """Keep `record` (its epochs are kept by `append`). Raises OSError: the disk refuses."""
        before, known = self._signature(), self._known()
        sound = known if known is not None and known.signature == before else None
        values = record.to_json(with_epochs=False) | {_EPOCH_COUNT: len(record.epochs)}
        content = sealed(values, indent=1)
        self.path.mkdir(parents=True, exist_ok=True)
        path = self.path / RECORD_NAME
        keep_earlier(path, is_sound=sound is not None)
        number = write_atomically(path, content, durable=durable)
        after = self._signature()
        if not is_numbered(after, number) or after[1:] != before[1:]:
            return  # somebody else has written meanwhile
        if sound is not None or before == _NOTHING:
            self._take_in(content, () if sound is None else sound.record.epochs, after)

    def _take_in(self, content: bytes, rows: tuple[EpochRow, ...], signature: Signature) -> None:
        """Keep in memory what a reader would make of this `run.json` and of the log's rows."""
        if self._known_runs is None:
            return
        with suppress(DamagedFileError):  # whoever reads it next tells it
            record, written_epochs = _written_of(parse_json(content))
            if not _lost_epochs(rows, self._newest_epoch(record, written_epochs)):
                known = KnownRun(replace(record, epochs=rows), signature)
                self._known_runs.put(self.path.name, known)

    def append(self, row: EpochRow) -> None:
        """Add one epoch to the log."""
        line = sealed(row.to_json()) + b"\n"
        with (self.path / EPOCHS_NAME).open("ab") as file:  # one write: whole or torn, never mixed
            file.write(line)

    def epochs(self) -> tuple[EpochRow, ...]:
        """The epochs in the log, in order, without damaged lines."""
        signature, known = self._signature(), self._known()
        if known is not None and known.signature[_LOG] == signature[_LOG]:
            return known.record.epochs
        return _read_rows(self.path / EPOCHS_NAME)[0]

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
        about = {_EPOCH: str(epoch), _CHECKSUM: _checksum(state)}
        content = write_tensors(dict(state), about)
        write_atomically(self.path / STATE_NAME, content, durable=durable)

    def state(self) -> tuple[int, State] | None:
        """The epoch after which the training can go on, and how; None: it cannot."""
        path = self.path / STATE_NAME
        if not path.is_symlink() and not path.exists():
            return None
        try:
            check_plain_file(path)
            with safe_open(path, framework="pt") as file:
                about = file.metadata()
                state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if about.get(_CHECKSUM) not in (None, _checksum(state)):  # earlier versions' have none
                raise ValueError("another checksum")
            return int(about[_EPOCH]), state
        except (*_STATE_FAULTS, DamagedFileError):
            self.note("state", message("it is torn or changed"))
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
                message("This run has no trained model: it ended before its first epoch did."),
                hint=message("Train again and let at least one epoch finish."),
            )
        return self._model_path(epoch)

    def note(
        self, kind: DamageKind, fault: Message, owner: str = "", *, is_replaced: bool = False
    ) -> None:
        """Something of this run is damaged."""
        if self._tell is not None:
            item = short_id(self.path.name)
            self._tell(
                Damage(kind=kind, item=item, fault=fault, owner=owner, is_replaced=is_replaced)
            )

    def note_model(self, epoch: int, error: RunError, owner: str = "") -> None:
        """The classifier of this epoch is damaged: `error` says how."""
        fault = message("epoch {epoch}: {fault}", epoch=epoch, fault=fault_in(error))
        self.note("model", fault, owner)

    def _newest_epoch(self, record: RunRecord, written_epochs: int) -> int:
        """The newest epoch that is known of without the log."""
        return max(written_epochs, record.best_epoch or 0, *self.model_epochs()[-1:])

    def _known(self) -> KnownRun | None:
        """This run as it was read or written last; its files may have changed since."""
        return None if self._known_runs is None else self._known_runs.get(self.path.name)

    def _signature(self) -> Signature:
        return signature_of(*(f"{self.path}/{name}" for name in _FILES))

    def _model_path(self, epoch: int) -> Path:
        return self.path / MODELS_NAME / f"epoch-{epoch:04d}"


def known_runs(most_bytes: int) -> KnownRuns:
    """An empty memory of runs that together take no more than this, as reckoned."""
    return Recent(MOST_KNOWN, most_weight=most_bytes, weigh=lambda known: known.record.weight_bytes)


def _sync_tree(folder: Path) -> None:
    """Wait until the disk has every file of this folder, and its name."""
    for path in folder.iterdir():
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    sync_folder(folder)
    sync_folder(folder.parent)


def _written_of(values: object) -> tuple[RunRecord, int]:
    """What `write` wrote: the record, and how many epochs it had."""
    record = record_of(values)
    count = values.get(_EPOCH_COUNT, 0) if isinstance(values, dict) else 0
    if type(count) is not int or not 0 <= count <= MOST_EPOCHS:
        raise DamagedFileError(message("its number of epochs is not possible"))
    return record, count


def _read_rows(path: Path, phases: int | None = None) -> tuple[tuple[EpochRow, ...], Message]:
    """The rows in a log, and what is the matter with the first line that is damaged, or NOTHING.

    A last line without its end is what a killed process leaves, and no damage.
    """
    try:
        lines = read_content(path, MOST_LOG_BYTES).splitlines(keepends=True)
    except FileNotFoundError:
        return (), NOTHING
    except DamagedFileError as error:
        return (), error.fault
    rows: list[EpochRow] = []
    first_fault = NOTHING
    for line in lines:
        if not line.endswith(b"\n"):
            break
        try:
            row = row_of(parse_json(line.rstrip()))
            if rows and row.epoch <= rows[-1].epoch:
                raise DamagedFileError(message("an epoch is told twice"))
            if phases is not None and row.phase > phases:
                raise DamagedFileError(message("an epoch is of a phase that the run has not"))
            rows.append(row)
        except DamagedFileError as error:
            first_fault = first_fault or message(
                "a line of it is damaged: {fault}", fault=error.fault
            )
    return tuple(rows), first_fault


def _lost_epochs(rows: Sequence[EpochRow], newest: int) -> tuple[int, ...]:
    """Epochs that are not in the log, up to the newest that is known of and to the newest row."""
    known = {row.epoch for row in rows}
    newest = max(newest, *known, 0)
    if newest == len(known):
        return ()
    return tuple(epoch for epoch in range(1, newest + 1) if epoch not in known)


def _with_message(record: RunRecord, also: Message) -> RunRecord:
    """The record whose message also says this."""
    if _says(record.message, also):
        return record
    return replace(
        record,
        message=joined(record.message, also),
        hint=record.hint or message("Train again where something is missing."),
    )


def _says(said: Message, part: Message) -> bool:
    """Whether one message is the other, or has it among its values."""
    inner = (value for _, value in said.values if isinstance(value, Message))
    return said == part or any(_says(each, part) for each in inner)


def _lost_message(lost: Sequence[int]) -> Message:
    first, last = lost[0], lost[-1]
    if first == last:
        return message(
            "The figures of epoch {epoch} are lost: its log was damaged.", epoch=str(first)
        )
    if last - first + 1 == len(lost):
        return message(
            "The figures of epochs {first} to {last} are lost: their log was damaged.",
            first=str(first),
            last=str(last),
        )
    return counted_message(
        "The figures of {count} epoch are lost: its log was damaged.",
        "The figures of {count} epochs are lost: their log was damaged.",
        count=len(lost),
    )


def _checksum(state: State) -> str:
    """CRC-32 over the bytes of all tensors, in the order of their names."""
    checksum = 0
    for _, tensor in sorted(state.items()):
        flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        checksum = zlib.crc32(flat.numpy().data, checksum)
    return str(checksum)
