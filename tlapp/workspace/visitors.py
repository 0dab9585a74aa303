"""Visitors: an unguessable token in the browser; on disk its hash, a little state, test pictures.

The token itself is never stored: whoever reads the disk cannot become a visitor. Where visitors
come from is kept in memory only: nothing on disk tells who was here.
"""

import hashlib
import re
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tlapp.backbones.loading import Backbone
from tlapp.classifier import Classifier
from tlapp.damages import Damage, Damages, short_id
from tlapp.errors import ServerError, TlappError
from tlapp.evaluation.test_pictures import (
    RawPicture,
    TestAnswer,
    TestPictures,
    check_packed,
    pack_test_pictures,
    prepare_test_pictures,
    unpack_test_pictures,
)
from tlapp.files import write_atomically
from tlapp.jobs.guard import failure_of
from tlapp.messages import Message, message
from tlapp.recent import Recent, signature_of
from tlapp.settings import Limits
from tlapp.stored import (
    NO_OBJECT,
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
MOST_ADDRESSES = 20_000  # of owners; 200 bytes each
MOST_STATES = 2_000  # of visitors, in memory; 2 kB each
MOST_TEST_PICTURES = 200  # visitors; each has at most `limits.try_images` pictures at working size
ANSWERED_AT_ONCE = 2  # more would only take turns on two cores

Unsubscribe = Callable[[], None]


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


class Changes:
    """Who waits for something of a visitor's to change. Every method may be called from any
    thread."""

    def __init__(self) -> None:
        self._listeners: dict[str, dict[object, Callable[[], object]]] = {}
        self._lock = threading.Lock()

    def tell(self, owner: str) -> None:
        """Something of this owner's has changed: wake everyone who listens."""
        with self._lock:
            listeners = tuple(self._listeners.get(owner, {}).values())
        for wake in listeners:
            failure_of(wake)

    def listen(self, owner: str, wake: Callable[[], object]) -> Unsubscribe:
        """Call `wake` (from any thread; it must be quick) at every change, until the returned
        function is called. Listen first and look after it: then no change is missed."""
        key = object()
        with self._lock:
            self._listeners.setdefault(owner, {})[key] = wake

        def unsubscribe() -> None:
            with self._lock:
                listeners = self._listeners.get(owner, {})
                listeners.pop(key, None)
                if not listeners:
                    self._listeners.pop(owner, None)

        return unsubscribe


class Visitors:
    """What is kept of every visitor beside data sets and runs. Safe for several threads."""

    def __init__(
        self,
        home: Path,
        limits: Limits,
        changes: Changes,
        *,
        has_room: Callable[[], bool],
        damages: Damages | None = None,
    ) -> None:
        """`has_room` says whether more may be written to the disk; `changes` is told what changes,
        `damages` what is damaged."""
        self._limits = limits
        self._changes = changes
        self._states = VisitorStates(home / "visitors", damages)
        self._pictures = KeptTestPictures(home / "tried", has_room, damages=damages)
        self._addresses: Recent[str, str] = Recent(MOST_ADDRESSES)
        self._turns = threading.Semaphore(ANSWERED_AT_ONCE)

    def state(self, owner: str) -> VisitorState:
        """The visitor's state as it is kept; its ids may be of things that are gone."""
        return self._states.load(owner)

    def change(self, owner: str, change: Callable[[VisitorState], VisitorState]) -> VisitorState:
        """Keep `change` of the state in its place; nobody else changes it in between.

        Returns the state before. Raises ServerError when the disk refuses; nothing is then changed.
        """
        before = self._states.change(owner, change)
        self._changes.tell(owner)
        return before

    def ensure(self, owner: str) -> None:
        """Keep an empty state, when there is none: whoever has something here is among `owners`."""
        self._states.ensure(owner)

    def prepare(self, raw: Sequence[RawPicture]) -> TestPictures:
        """Decode test pictures, when it is one's turn: decoding uses the whole machine. An
        unreadable one carries its reason. Raises DataError when they are too many."""
        with self._turns:
            return prepare_test_pictures(raw, self._limits)

    def keep_test_pictures(self, owner: str, pictures: TestPictures) -> None:
        """These are the visitor's test pictures from now on; after a restart too, unless the disk
        is full."""
        self._pictures.keep(owner, pictures)
        self._changes.tell(owner)

    def test_pictures(self, owner: str) -> TestPictures | None:
        """The visitor's test pictures; None: there are none, or none that can be read."""
        return self._pictures.get(owner)

    def answers(self, pictures: TestPictures, classifier: Classifier) -> tuple[TestAnswer, ...]:
        """What the classifier says, when it is one's turn.

        The backbone runs once for the same pictures: asking again after the next epoch of a frozen
        run costs milliseconds.
        """
        with self._turns:
            return pictures.answers(classifier)

    def imagenet_answers(
        self, pictures: TestPictures, backbone: Backbone
    ) -> tuple[TestAnswer, ...]:
        """What the backbone's original head says, when it is one's turn."""
        with self._turns:
            return pictures.imagenet_answers(backbone)

    def note_address(self, owner: str, address: str) -> None:
        """This owner comes from there; "" is nowhere.

        Whoever makes up a fresh token for each request is a fresh owner each time, but has one
        address. After a restart what is kept counts for nobody's until its owner comes again.
        """
        if address:
            self._addresses.put(owner, address)

    def address_of(self, owner: str) -> str | None:
        """The owner's address; None when it is not known."""
        return self._addresses.get(owner)

    def owners(self) -> tuple[str, ...]:
        """Everyone of whom something is kept here."""
        return tuple(sorted({*self._states.owners(), *self._pictures.owners()}))

    def forget(self, owner: str) -> None:
        """Remove what is kept of the visitor; the state last, so that a crash in between is made
        good."""
        self._pictures.forget(owner)
        self._states.forget(owner)

    @property
    def looks(self) -> tuple[Callable[[], None], ...]:
        """What goes through the files of its stores and tells what is damaged."""
        return self._states.find_damages, self._pictures.find_damages


class VisitorStates:
    """One small JSON file a visitor, in one folder; those used last are answered from memory, as
    long as their files are as they were."""

    def __init__(
        self, folder: Path, damages: Damages | None = None, most: int = MOST_STATES
    ) -> None:
        """`damages` is told what is damaged."""
        self._folder = folder
        self._damages = damages or Damages()
        self._recent: Recent[str, VisitorState] = Recent(most)
        self._lock = threading.Lock()  # held by whoever writes

    def load(self, owner: str) -> VisitorState:
        """The visitor's state, or the one before it where it is damaged; an empty one when nothing
        (or nothing readable) is kept."""
        path = self._path(owner)
        if path is None:
            return VisitorState()
        signature = signature_of(path)
        known = self._recent.get(owner, signature)
        if known is not None:
            return known
        try:
            found = read_generation(path, _state_from_json)
        except FileNotFoundError:
            return VisitorState()
        except DamagedFileError as error:
            self._note(owner, error.fault)
            return VisitorState()  # the page starts empty; data sets and runs are untouched
        if found.fault:
            self._note(owner, found.fault, is_replaced=True)
        else:  # what is damaged is looked at anew each time
            self._recent.put(owner, found.value, signature)
        return found.value

    def find_damages(self) -> None:
        """Read every visitor's state; `damages` is told what is damaged."""
        for owner in self.owners():
            self.load(owner)

    def change(self, owner: str, change: Callable[[VisitorState], VisitorState]) -> VisitorState:
        """Keep `change` of the state in its place; see `Visitors.change`."""
        path = self._path(owner)
        if path is None:
            return VisitorState()
        with self._lock:
            before = self.load(owner)
            after = change(before)
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                known = self._recent.get(owner, signature_of(path))
                keep_earlier(path, is_sound=known is before)
                number = write_atomically(path, sealed(asdict(after)))
                self._recent.put_written(owner, after, path, number)
                self._damages.forget(owner, "visitor")
            except OSError as error:
                raise ServerError(
                    message(
                        "The disk of this machine takes nothing more, so this choice cannot be "
                        "kept."
                    ),
                    hint=message(
                        "Remove runs or data sets that are no longer needed, then try again."
                    ),
                ) from error
        return before

    def ensure(self, owner: str) -> None:
        """Keep an empty state, when there is none."""
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
            self._recent.forget(owner)

    def owners(self) -> tuple[str, ...]:
        """Everyone whose state is kept."""
        return _owners_of(self._folder, ".json")

    def _note(self, owner: str, fault: Message, *, is_replaced: bool = False) -> None:
        item = short_id(owner)
        self._damages.note(
            Damage(kind="visitor", item=item, fault=fault, owner=owner, is_replaced=is_replaced)
        )

    def _path(self, owner: str) -> Path | None:
        return self._folder / f"{owner}.json" if OWNER_PATTERN.fullmatch(owner) else None


class KeptTestPictures:
    """Each visitor's test pictures: a small zip on disk, and the newest ones in memory.

    Kept are working copies, so the answers after a restart are those from before it.
    """

    def __init__(
        self,
        folder: Path,
        has_room: Callable[[], bool],
        most: int = MOST_TEST_PICTURES,
        damages: Damages | None = None,
    ) -> None:
        """`has_room` says whether more may be written to the disk; `damages` is told what is
        damaged."""
        self._damages = damages or Damages()
        self._folder = folder
        self._has_room = has_room
        self._recent: Recent[str, TestPictures] = Recent(most)
        self._lock = threading.Lock()  # memory and disk change together

    def keep(self, owner: str, pictures: TestPictures) -> None:
        """Keep these in place of the visitor's earlier ones."""
        packed = pack_test_pictures(pictures)
        path = self._path(owner)
        with self._lock:
            self._recent.put(owner, pictures)
            try:
                if not self._has_room():
                    raise OSError("no room")
                self._folder.mkdir(parents=True, exist_ok=True)
                write_atomically(path, packed)
                self._damages.forget(owner, "tried")
            except OSError:
                with suppress(OSError):  # the earlier ones are not the visitor's any more
                    path.unlink(missing_ok=True)
                    self._damages.forget(owner, "tried")

    def get(self, owner: str) -> TestPictures | None:
        """The visitor's test pictures; None: there are none, or they are damaged."""
        path = self._path(owner)
        with self._lock:
            known = self._recent.get(owner)
            if known is not None:
                return known
            try:
                pictures = unpack_test_pictures(path)
            except FileNotFoundError:
                return None
            except DamagedFileError as error:
                self._note(owner, error.fault)
                return None
            self._recent.put(owner, pictures)
            return pictures

    def find_damages(self) -> None:
        """Look whether each zip has its list of members; `damages` is told where it has not."""
        for owner in self.owners():
            try:
                check_packed(self._path(owner))
            except FileNotFoundError:
                continue
            except DamagedFileError as error:
                self._note(owner, error.fault)

    def forget(self, owner: str) -> None:
        """Remove the visitor's test pictures."""
        with self._lock:
            self._recent.forget(owner)
            with suppress(IsADirectoryError, PermissionError):  # what is no file was not kept here
                self._path(owner).unlink(missing_ok=True)

    def owners(self) -> tuple[str, ...]:
        """Everyone whose test pictures are on disk."""
        return _owners_of(self._folder, ".zip")

    def _note(self, owner: str, fault: Message) -> None:
        self._damages.note(Damage(kind="tried", item=short_id(owner), fault=fault, owner=owner))

    def _path(self, owner: str) -> Path:
        if not OWNER_PATTERN.fullmatch(owner):
            raise ValueError(f"{owner!r} is no owner.")
        return self._folder / f"{owner}.zip"


def _owners_of(folder: Path, suffix: str) -> tuple[str, ...]:
    stems = (path.stem for path in sorted(folder.glob(f"*{suffix}")))
    return tuple(stem for stem in stems if OWNER_PATTERN.fullmatch(stem))


def _state_from_json(values: object) -> VisitorState:
    """What `VisitorStates.change` wrote, also in another version. Raises DamagedFileError."""
    if not isinstance(values, dict):
        raise DamagedFileError(NO_OBJECT)
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
