"""Visitors: an unguessable token in the browser, its hash and a little state on disk.

The token itself is never stored: whoever reads the disk cannot become a visitor.
"""

import hashlib
import re
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tlapp.damages import Damage, Damages, short_id
from tlapp.errors import ServerError, TlappError
from tlapp.files import write_atomically
from tlapp.stored import (
    DamagedFileError,
    check_fields,
    earlier_path,
    keep_earlier,
    read_generation,
    sealed,
)
from tlapp.training.config import TrainConfig, config_from_values

TOKEN_BYTES = 32  # 256 random bits
TOKEN_PATTERN = re.compile(r"[\w-]{43}", re.ASCII)  # TOKEN_BYTES in base64
OWNER_PATTERN = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class VisitorState:
    """What the page shows to one visitor, found again after a reload or a restart."""

    dataset_id: str | None = None  # in use: what trainings learn from
    pending_dataset_id: str | None = None  # imported and shown, but not yet in use
    run_id: str | None = None
    config: TrainConfig | None = None  # the settings on the page; None: nobody touched them


def new_visitor() -> str:
    """A fresh token for a browser to keep; nobody can guess it."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def is_token(token: object) -> bool:
    """Whether this looks like one of ours: a browser may send anything, and a short token could
    be guessed."""
    return isinstance(token, str) and bool(TOKEN_PATTERN.fullmatch(token))


def owner_of(token: str) -> str:
    """The owner (64 hex digits) that stands for this token on disk."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def only_what_is_there(
    state: VisitorState,
    find_dataset: Callable[[str], object],
    find_run: Callable[[str], object],
) -> VisitorState:
    """The state without the ids of things that are gone or somebody else's."""
    return replace(
        state,
        dataset_id=_if_found(state.dataset_id, find_dataset),
        pending_dataset_id=_if_found(state.pending_dataset_id, find_dataset),
        run_id=_if_found(state.run_id, find_run),
    )


def _state_from_json(values: object) -> VisitorState:
    """What `VisitorBook.change` wrote, also in another version. Raises DamagedFileError."""
    if not isinstance(values, dict):
        raise DamagedFileError("it is not one JSON object")
    ids = {name: each for name, each in values.items() if name != "config"}
    return VisitorState(
        **check_fields(VisitorState, ids), config=_config_from_json(values.get("config"))
    )


def _config_from_json(values: object) -> TrainConfig | None:
    """The settings; None when they are damaged or cannot work in this version."""
    if not isinstance(values, dict):
        return None
    try:
        return config_from_values(values)
    except TlappError:
        return None


def _if_found(identifier: str | None, find: Callable[[str], object]) -> str | None:
    if identifier is None:
        return None
    try:
        find(identifier)
    except TlappError:  # unknown, somebody else's or damaged: nothing to show
        return None
    return identifier


class VisitorBook:
    """One small JSON file a visitor, in one folder."""

    def __init__(self, folder: Path, damages: Damages | None = None) -> None:
        """`damages` is told what is damaged."""
        self._folder = folder
        self._damages = damages or Damages()
        self._lock = threading.Lock()

    def load(self, owner: str) -> VisitorState:
        """The visitor's state, or the one before it where it is damaged; an empty one when nothing
        (or nothing readable) is kept."""
        path = self._path(owner)
        if path is None:
            return VisitorState()
        try:
            found = read_generation(path, _state_from_json)
        except FileNotFoundError:
            return VisitorState()
        except DamagedFileError as fault:
            self._note(owner, str(fault))
            return VisitorState()  # the page starts empty; data sets and runs are untouched
        if found.fault:
            self._note(owner, found.fault, is_replaced=True)
        return found.value

    def find_damages(self) -> None:
        """Read every visitor's state; `damages` is told what is damaged."""
        for owner in self.owners():
            self.load(owner)

    def change(self, owner: str, change: Callable[[VisitorState], VisitorState]) -> VisitorState:
        """Keep `change` of the state in its place; nobody else changes it in between.

        Returns the state before. Raises ServerError when the disk refuses; nothing is then changed.
        """
        path = self._path(owner)
        if path is None:
            return VisitorState()
        with self._lock:
            before = self.load(owner)
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                keep_earlier(path)
                write_atomically(path, sealed(asdict(change(before))))
                self._damages.forget(owner, "visitor")
            except OSError as error:
                raise ServerError(
                    "The disk of this machine takes nothing more, so this choice cannot be kept.",
                    hint="Remove runs or data sets that are no longer needed, then try again.",
                ) from error
        return before

    def ensure(self, owner: str) -> None:
        """Keep an empty state, when there is none: whoever has something here is in the book."""
        path = self._path(owner)
        if path is not None and not path.exists():
            self.change(owner, lambda state: state)

    def forget(self, owner: str) -> None:
        """Remove the visitor's state."""
        path = self._path(owner)
        if path is not None:
            for each in (earlier_path(path), path):  # so that a crash in between brings none back
                with suppress(IsADirectoryError, PermissionError):  # that was not kept here
                    each.unlink(missing_ok=True)

    def owners(self) -> tuple[str, ...]:
        """Everyone whose state is kept."""
        stems = (path.stem for path in sorted(self._folder.glob("*.json")))
        return tuple(stem for stem in stems if OWNER_PATTERN.fullmatch(stem))

    def _note(self, owner: str, fault: str, *, is_replaced: bool = False) -> None:
        item = short_id(owner)
        self._damages.note(
            Damage(kind="visitor", item=item, fault=fault, owner=owner, is_replaced=is_replaced)
        )

    def _path(self, owner: str) -> Path | None:
        return self._folder / f"{owner}.json" if OWNER_PATTERN.fullmatch(owner) else None
