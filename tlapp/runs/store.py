"""All runs in one folder, by unguessable id.

Opening the store ends the runs that a killed process left "waiting" or "running": they become
"stopped", with their epochs and their newest models.

Records that were read are kept in memory, so a listing looks at the files and reads none of them.
"""

import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tlapp.classifier import check_description, check_saved
from tlapp.damages import Damages
from tlapp.errors import NotFoundError, RunError
from tlapp.files import temporary_path, write_atomically
from tlapp.messages import counted_message, joined, message
from tlapp.owners import Owners
from tlapp.runs.folder import RunFolder, known_runs
from tlapp.runs.keeper import Keeper, is_kept
from tlapp.runs.record import RunRecord, damaged_run
from tlapp.stored import DamagedFileError, read_content

RUN_ID_BYTES = 24  # 192 random bits
RUN_ID_PATTERN = re.compile(r"r_[A-Za-z0-9_-]{32}")
KEEPER_NAME = "keeper"  # in a run's folder while a process works on it: the name of its lock
MOST_NAME_BYTES = 200
LOCKS_NAME = ".locks"
MOST_KNOWN_BYTES = 150_000_000  # of records in memory: 500 of 200 epochs of 300 held-out pictures


def new_run_id() -> str:
    """An id that nobody can guess."""
    return "r_" + secrets.token_urlsafe(RUN_ID_BYTES)


def now() -> str:
    """This moment, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat()


class RunStore:
    """Runs on disk. Safe for several threads, and for several processes with different runs."""

    def __init__(
        self,
        folder: Path,
        damages: Damages | None = None,
        *,
        most_known_bytes: int = MOST_KNOWN_BYTES,
    ) -> None:
        """Raises OSError when the folder cannot be used. `damages` is told what is damaged;
        `most_known_bytes` is what the records in memory may take, as reckoned."""
        self._folder = folder
        self._damages = damages or Damages()
        folder.mkdir(parents=True, exist_ok=True)
        self._owners = Owners()
        self._known = known_runs(most_known_bytes)
        self._keeper = Keeper(folder / LOCKS_NAME)
        self._end_abandoned_runs()

    def create(self, record: RunRecord) -> RunFolder:
        """The folder of a fresh run, kept by this process."""
        run = self._open(record.run_id)
        run.path.mkdir(parents=True)
        write_atomically(run.path / KEEPER_NAME, self._keeper.name.encode())
        run.write(record)
        return run

    def release(self, run_id: str) -> None:
        """This process is done with the run."""
        (self.folder(run_id).path / KEEPER_NAME).unlink(missing_ok=True)

    def folder(self, run_id: str) -> RunFolder:
        """The folder of a run. Raises NotFoundError when the id is unknown or malformed."""
        path = self._path(run_id)
        if not path.is_dir():
            raise unknown_run()
        return self._open(run_id)

    def record(self, run_id: str) -> RunRecord:
        """The record of a run, with its epochs. Raises NotFoundError."""
        return self._settled(self._own_record(self.folder(run_id)))

    def list(self, owner: str) -> tuple[RunRecord, ...]:
        """The owner's runs, newest first; damaged ones are left out."""
        possible = self._read(self._owners.possible(self._run_ids(), owner))
        records = [self._settled(record) for record in possible if record.owner == owner]
        return tuple(sorted(records, key=lambda record: record.created, reverse=True))

    def all_records(self) -> tuple[RunRecord, ...]:
        """Every readable run, in no particular order."""
        return tuple(self._read(self._run_ids()))

    def find_damages(self) -> None:
        """Read every record and the description of every model; the damages are told."""
        for record in self.all_records():
            run = self._open(record.run_id)
            for epoch in run.model_epochs():
                try:
                    check_description(run.model_path(epoch))
                except RunError as error:
                    run.note_model(epoch, error, record.owner)

    def delete(self, run_id: str) -> None:
        """Remove a run and its models; gone in one step. Raises NotFoundError."""
        path = self.folder(run_id).path
        doomed = temporary_path(path)
        path.replace(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
        self._known.forget(run_id)
        self._damages.forget(run_id)

    def close(self) -> None:
        """Let go of this process's runs."""
        self._keeper.close()

    def _run_ids(self) -> frozenset[str]:
        names = (path.name for path in self._folder.iterdir())
        return frozenset(name for name in names if RUN_ID_PATTERN.fullmatch(name))

    def _read(self, run_ids: Iterable[str]) -> Iterator[RunRecord]:
        for run_id in run_ids:
            try:
                record = self._own_record(self._open(run_id))
            except RunError:
                continue  # half deleted or damaged: nothing to show
            self._owners.note(run_id, record.owner)
            yield record

    def _open(self, run_id: str) -> RunFolder:
        return RunFolder(self._path(run_id), self._damages.note, self._known)

    def _own_record(self, run: RunFolder) -> RunRecord:
        """The record in this folder, which must be of the run that the folder is named after."""
        record = run.record()
        if record.run_id != run.path.name:
            fault = message("it is another run's")
            run.note("run", fault)
            raise damaged_run(fault)
        return record

    def _settled(self, record: RunRecord) -> RunRecord:
        """The record; "stopped" when it tells of a training on which nobody works: its newest
        version may be damaged."""
        if record.is_over or self._is_kept(record.run_id):
            return record
        run = self._open(record.run_id)
        again = run.record()  # it may have ended since: the end is written before it is let go
        return again if again.is_over else _abandoned(again, run.best_model_epoch())

    def _end_abandoned_runs(self) -> None:
        for record in self.all_records():
            if record.is_over or self._is_kept(record.run_id):
                continue
            run = self._open(record.run_id)
            with suppress(OSError):  # a full disk: the next start tries it again
                _drop_damaged_models(run)
                run.write(_abandoned(record, run.best_model_epoch()), durable=True)

    def _is_kept(self, run_id: str) -> bool:
        try:
            name = read_content(self._path(run_id) / KEEPER_NAME, MOST_NAME_BYTES).decode()
        except (OSError, ValueError, DamagedFileError):
            return False
        return is_kept(self._folder / LOCKS_NAME, name)

    def _path(self, run_id: str) -> Path:
        if not isinstance(run_id, str) or not RUN_ID_PATTERN.fullmatch(run_id):
            raise unknown_run()
        return self._folder / run_id


def _drop_damaged_models(run: RunFolder) -> None:
    """Remove models that a crash has torn, as long as a sound one is left."""
    sound = set()
    for epoch in run.model_epochs():
        try:
            check_saved(run.model_path(epoch))
            sound.add(epoch)
        except RunError as error:
            run.note_model(epoch, error)
    if sound:
        run.keep_models(frozenset(sound))


def _abandoned(record: RunRecord, best_epoch: int | None) -> RunRecord:
    """The record of a run whose process is gone; what its message said already is kept."""
    ended = replace(record.with_best(best_epoch), state="stopped", finished=now())
    if record.state == "waiting":
        said = message("The program ended while this training waited for its turn.")
        hint = message("Press Train again.")
    elif best_epoch is None:
        said = message("The program ended during this training. Nothing was learned yet.")
        hint = message("Press Train to train again.")
    else:
        said = counted_message(
            "The program ended during this training, after {done} of {planned} epoch. "
            "The model of epoch {epoch} is kept.",
            "The program ended during this training, after {done} of {planned} epochs. "
            "The model of epoch {epoch} is kept.",
            count=record.planned_epochs,
            done=str(len(record.epochs)),  # epochs are not grouped
            planned=str(record.planned_epochs),
            epoch=str(best_epoch),
        )
        hint = message("Use it, or train again.")
    return replace(ended, message=joined(said, record.message), hint=hint)


def unknown_run() -> NotFoundError:
    """The answer to a wrong id and to somebody else's: they cannot be told apart."""
    return NotFoundError(
        message("There is no run with this id."),
        hint=message(
            "It may have been removed. Train again, or use the id that the training returned."
        ),
    )
