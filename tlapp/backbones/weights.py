"""ImageNet weights on this machine: find, download, verify, read.

A file is used only when its SHA-256 is the expected one, at download and again at each reading.
A download goes to `<name>.part` and is continued from there after any interruption. The lock
file lets several visitors and processes share one download.
"""

import contextlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from torch import Tensor

from tlapp.backbones.catalog import CARDS, Card
from tlapp.backbones.verified import (
    SIZE_SLACK,
    DamagedError,
    complete_hash,
    find_package_file,
    package_path,
    package_state_dict,
    read_verified,
)
from tlapp.damages import Damage, Damages
from tlapp.errors import BackboneError, reason_of
from tlapp.files import write_atomically
from tlapp.messages import Message, message, number
from tlapp.stopping import ShouldStop
from tlapp.stored import DamagedFileError, read_json, sealed

_CHUNK_BYTES = 1 << 18
_ATTEMPTS = 4  # each continues where the last one broke off
_TIMEOUT_SECONDS = 20.0  # without a single byte
_LOCK_SECONDS = 0.25  # how often somebody waiting for another's download reports its progress
_NETWORK_FAULTS = (OSError, http.client.HTTPException)  # URLError and timeouts are OSErrors


@dataclass(frozen=True)
class DownloadStarted:
    """The first event; `done_bytes` are here from an earlier attempt."""

    card: Card
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class DownloadProgress:
    """So many bytes are here."""

    done_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class DownloadFinished:
    """The weights are here and verified (also when there was nothing to do)."""

    card: Card


@dataclass(frozen=True)
class DownloadStopped:
    """Stopped on request; the next attempt continues from here."""

    done_bytes: int


DownloadEvent = DownloadStarted | DownloadProgress | DownloadFinished | DownloadStopped


_Transfer = Generator[DownloadEvent, None, bool]  # returns whether it was stopped


class WeightsStore:
    """The weights files of all cards, packages included, under one folder."""

    def __init__(
        self, folder: Path, *, base_url: str | None = None, damages: Damages | None = None
    ) -> None:
        """`base_url` replaces everything before the file name in each card's URL. `damages` is
        told what is damaged."""
        self._folder = folder
        self._base_url = base_url
        self._damages = damages or Damages()

    def is_ready(self, card: Card) -> bool:
        """Whether the weights are here. Compares sizes only; reading verifies the content."""
        if card.source == "package":
            return find_package_file(card) is not None
        try:
            return self._path(card).stat().st_size == self._record(card)["bytes"]
        except (OSError, KeyError):
            return False

    def ready_cards(self) -> tuple[Card, ...]:
        """The cards that work without internet."""
        return tuple(card for card in CARDS if self.is_ready(card))

    def find_damages(self) -> None:
        """Compare sizes of downloaded files; `damages` is told of those that differ."""
        for card in CARDS:
            is_here = card.source != "package" and bool(self._record(card))
            if is_here and not self.is_ready(card):
                self._note(card, message("the file is not there in full"))

    def weights_hash(self, card: Card) -> str:
        """The SHA-256 (hex) of the card's weights file. Raises `BackboneError` when not ready."""
        self._check_ready(card)
        return card.sha256 or str(self._record(card)["sha256"])

    def state_dict(self, card: Card) -> dict[str, Tensor]:
        """The published tensors, verified. Raises `BackboneError` when absent or damaged.

        A damaged download is removed, so that fetching it again helps.
        """
        if card.source == "package":
            return package_state_dict(card)
        expected = self.weights_hash(card)
        path = self._path(card)
        try:
            return read_verified(path, expected)
        except DamagedError:
            path.unlink(missing_ok=True)
            self._note(card, message("its SHA-256 is wrong"))
            raise BackboneError(
                message(
                    "The weights file of {backbone} ({file}) is damaged and was removed.",
                    backbone=card.title,
                    file=card.file_name,
                ),
                hint=message(
                    "Fetch it again, for example with `python -m tlapp fetch {name}`.",
                    name=card.name,
                ),
            ) from None

    def fetch(self, card: Card, should_stop: ShouldStop) -> Iterator[DownloadEvent]:
        """Download the card's weights, continuing an earlier attempt.

        Ends with `DownloadFinished`, or `DownloadStopped` when `should_stop` said so. Somebody
        else's running download is followed, not repeated. Raises `BackboneError` when there is
        no connection, or the file is not the published one (it is then removed).
        """
        if card.source == "package":
            size = package_path(card).stat().st_size
            yield DownloadStarted(card, size, size)
            yield DownloadFinished(card)
            return
        yield DownloadStarted(card, self._part_bytes(card), card.download_bytes)
        with _writing(card):
            self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / f"{card.file_name}.lock", thread_local=False)
        while not self.is_ready(card):
            if should_stop():
                yield DownloadStopped(self._part_bytes(card))
                return
            try:
                with _writing(card), lock.acquire(timeout=_LOCK_SECONDS):
                    if not self.is_ready(card):
                        stopped = yield from self._download(card, should_stop)
                        if stopped:
                            yield DownloadStopped(self._part_bytes(card))
                            return
            except Timeout:
                yield DownloadProgress(self._part_bytes(card), card.download_bytes)
        yield DownloadFinished(card)

    def _download(self, card: Card, should_stop: ShouldStop) -> _Transfer:
        """Fill the .part file, verify it, put it in place. Returns whether it was stopped."""
        part = self._part(card)
        reason: Exception | None = None
        for _ in range(_ATTEMPTS):
            if complete_hash(part, card) is not None:
                break
            try:
                stopped = yield from self._receive(card, part, should_stop)
            except _NETWORK_FAULTS as fault:
                reason = fault
                if _is_hopeless(fault):
                    break
                continue
            if stopped:
                return True
            if complete_hash(part, card) is None:
                part.unlink(missing_ok=True)
                raise _not_the_file(card)
        digest = complete_hash(part, card)
        if digest is None:
            raise self._unreachable(card, reason) from reason
        with _writing(card):
            self._put_in_place(card, part, digest)
        return False

    def _receive(self, card: Card, part: Path, should_stop: ShouldStop) -> _Transfer:
        """One request; appends to the .part file. Returns whether it was stopped."""
        have = self._part_bytes(card)
        request = urllib.request.Request(self._url(card), headers={"User-Agent": "tlapp"})
        if have:
            request.add_header("Range", f"bytes={have}-")
        try:
            answer = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
        except urllib.error.HTTPError as error:
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink(missing_ok=True)  # it is complete and wrong: begin again
            error.close()
            raise
        with answer:
            is_continued = answer.status == http.client.PARTIAL_CONTENT
            have = have if is_continued else 0
            length = answer.headers.get("Content-Length")
            total = have + int(length) if length else card.download_bytes
            with part.open("ab" if is_continued else "wb") as file:
                yield DownloadProgress(have, total)
                while chunk := answer.read(_CHUNK_BYTES):
                    with _writing(card):
                        file.write(chunk)
                    have += len(chunk)
                    if have > card.download_bytes * SIZE_SLACK + _CHUNK_BYTES:
                        return False  # it cannot be the file; its hash will say so
                    yield DownloadProgress(have, total)
                    if should_stop():
                        return True
            if length and have < total:
                raise http.client.IncompleteRead(b"", total - have)
        return False

    def _put_in_place(self, card: Card, part: Path, digest: str) -> None:
        record = {"sha256": digest, "bytes": part.stat().st_size}
        write_atomically(self._record_path(card), sealed(record))
        part.replace(self._path(card))
        self._damages.forget(card.name, "weights")

    def _check_ready(self, card: Card) -> None:
        if not self.is_ready(card):
            if card.source == "package":
                package_path(card)  # raises with the package's name
            raise BackboneError(
                message("The weights of {backbone} are not on this machine.", backbone=card.title),
                hint=self._what_helps(card),
            )

    def _unreachable(self, card: Card, reason: Exception | None) -> BackboneError:
        host = self._url(card).split("/")[2]
        if isinstance(reason, urllib.error.HTTPError):
            what = message(
                "{host} answered with error {code} for the weights of {backbone}.",
                host=host,
                code=reason.code,
                backbone=card.title,
            )
        else:
            what = message(
                "Cannot reach {host} to fetch the weights of {backbone}.",
                host=host,
                backbone=card.title,
            )
        return BackboneError(what, hint=self._what_helps(card))

    def _what_helps(self, card: Card) -> Message:
        ready = ", ".join(other.title for other in self.ready_cards())
        return message(
            "Ready without internet: {ready}. "
            "With internet, `python -m tlapp fetch {name}` fetches {backbone} "
            "and continues where an earlier attempt broke off.",
            ready=ready or message("none"),
            name=card.name,
            backbone=card.title,
        )

    def _note(self, card: Card, fault: Message) -> None:
        self._damages.note(Damage(kind="weights", item=card.name, fault=fault))

    def _url(self, card: Card) -> str:
        return card.url if self._base_url is None else f"{self._base_url}/{card.file_name}"

    def _path(self, card: Card) -> Path:
        return self._folder / card.file_name

    def _part(self, card: Card) -> Path:
        return self._folder / f"{card.file_name}.part"

    def _record_path(self, card: Card) -> Path:
        return self._folder / f"{card.file_name}.json"

    def _part_bytes(self, card: Card) -> int:
        try:
            return self._part(card).stat().st_size
        except OSError:
            return 0

    def _record(self, card: Card) -> Mapping[str, object]:
        """What was verified when the file came; empty when it did not."""
        try:
            record = read_json(self._record_path(card))
        except FileNotFoundError:
            return {}
        except DamagedFileError as error:
            self._note(card, error.fault)
            return {}
        if not isinstance(record, dict) or not isinstance(record.get("sha256"), str):
            self._note(card, message("it names no SHA-256"))
            return {}
        return record


def _is_hopeless(fault: Exception) -> bool:
    """Whether asking again at once is of no use: refused, or nobody there."""
    if isinstance(fault, urllib.error.HTTPError):
        return fault.code in (403, 404, 410)
    return isinstance(fault, urllib.error.URLError)  # no answer at all; a cut one is no URLError


@contextlib.contextmanager
def _writing(card: Card) -> Iterator[None]:
    """A disk that does not take the file is told apart from a broken connection."""
    try:
        yield
    except Timeout:  # an OSError, but of the lock: somebody else is fetching the file
        raise
    except OSError as error:
        raise BackboneError(
            message(
                "Cannot keep the weights of {backbone}: {reason}.",
                backbone=card.title,
                reason=reason_of(error),
            ),
            hint=message(
                "Make room for {megabytes} MB and try again.",
                megabytes=number(card.download_bytes / 1e6),
            ),
        ) from error


def _not_the_file(card: Card) -> BackboneError:
    return BackboneError(
        message(
            "What arrived for {backbone} is not the published weights file; it was removed.",
            backbone=card.title,
        ),
        hint=message(
            "A login page of the network or a proxy may have answered instead. "
            "Open any web page to check the connection, then try again."
        ),
    )
