"""The visitors' data sets: imported a few at a time, within what the disk and the limits allow."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from tlapp.data.checks import check_images
from tlapp.data.dataset import Dataset, DatasetStore, ImportEvent, ImportFinished, ImportStopped
from tlapp.data.images import Finding
from tlapp.data.samples import sample_folder
from tlapp.errors import DataError, NotFoundError, RunError
from tlapp.messages import ENGLISH, Message, counted_message, message, number, words
from tlapp.settings import GIGABYTE, HOUR, Settings
from tlapp.stopping import ShouldStop
from tlapp.workspace.visitors import Changes, Visitors

IMPORTS_AT_ONCE = 2  # each decodes on two threads
TURN_SECONDS = 0.25  # how often a waiting import looks whether it is stopped
FREE_FLOOR_BYTES = 1 * GIGABYTE  # below this, nothing more is taken in


class Library:
    """The data sets of all visitors. Every method may be called from any thread."""

    def __init__(
        self,
        store: DatasetStore,
        settings: Settings,
        visitors: Visitors,
        changes: Changes,
        *,
        is_used: Callable[[str], bool],
    ) -> None:
        """`is_used(dataset_id)`: something that waits or runs needs this data set. `changes` is
        told what comes, changes and goes."""
        self._store = store
        self._settings = settings
        self._visitors = visitors
        self._changes = changes
        self._is_used = is_used
        self._turns = threading.Semaphore(IMPORTS_AT_ONCE)
        self._addresses: dict[str, str] = {}  # by data set: where it came from
        self._lock = threading.Lock()
        self.used_bytes = 0  # of the home folder, as the janitor measured it last

    def import_archive(
        self, owner: str, path: Path, *, name: str, should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        """The import of a zip. Raises DataError; nothing is then left of it."""
        events = self._store.import_archive(path, name=name, owner=owner, should_stop=should_stop)
        return self._follow(owner, events, should_stop)

    def import_folder(
        self, owner: str, path: Path, *, name: str, should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        """The import of a folder of this machine. Raises DataError, also where strangers may
        visit; nothing is then left of it."""
        if self._settings.is_public:
            raise DataError(
                message("Folders of the server cannot be read from here."),
                hint=message("Drop the folder on the page, or upload a zip."),
            )
        events = self._store.import_folder(path, name=name, owner=owner, should_stop=should_stop)
        return self._follow(owner, events, should_stop)

    def import_samples(
        self, owner: str, *, language: str = ENGLISH, should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        """The import of the sample pictures that come with tlapp, under a name in the owner's
        language."""
        events = self._store.import_folder(
            sample_folder(),
            name=words(language).say(message("Sample pictures")),
            owner=owner,
            should_stop=should_stop,
        )
        return self._follow(owner, events, should_stop)

    def dataset(self, dataset_id: str) -> Dataset:
        """The data set with this id, whoever owns it. Raises NotFoundError, DataError (damaged)."""
        return self._noted(self._store.load(dataset_id))

    def datasets(self, owner: str) -> tuple[Dataset, ...]:
        """The owner's data sets, newest first; damaged ones are left out."""
        return tuple(
            sorted(self._store.list(owner), key=lambda dataset: dataset.created, reverse=True)
        )

    def save(self, dataset: Dataset) -> None:
        """Keep a changed data set (renamed, merged, split otherwise) in place of the earlier one.

        Raises NotFoundError when there is none any more.
        """
        self._store.load(dataset.dataset_id)
        self._store.save(self._noted(dataset))
        self._changes.tell(dataset.owner)

    def delete(self, dataset: Dataset) -> None:
        """Remove a data set. Raises RunError while something uses it, NotFoundError."""
        if self._is_used(dataset.dataset_id):
            raise RunError(
                message("Something under way is using these pictures."),
                hint=message("Stop it or wait for its end, then remove them."),
            )
        self._remove(dataset)

    def forget(self, owner: str) -> None:
        """Remove all data sets of an owner who will not come back."""
        for dataset in self.datasets(owner):
            with suppress(NotFoundError):  # somebody else removed it at the same moment
                self._remove(dataset)

    def findings(self, dataset: Dataset) -> tuple[Finding, ...]:
        """What deserves attention before training."""
        return (*dataset.findings, *check_images(dataset.images, dataset.split))

    def thumbnail(self, dataset_id: str, image_id: str, side_pixels: int = 96) -> bytes:
        """A small JPEG of one picture. Raises NotFoundError."""
        return self._store.thumbnail(dataset_id, image_id, side_pixels)

    def has_room(self, coming_bytes: int = 0) -> bool:
        """Whether more may be taken in, beside so many bytes that are coming already."""
        free = shutil.disk_usage(self._settings.home).free
        used_bytes = self.used_bytes + coming_bytes
        return free >= FREE_FLOOR_BYTES and used_bytes <= self._settings.limits.disk_bytes

    def _follow(
        self, owner: str, events: Iterator[ImportEvent], should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        """The import's events, when its turn has come; then the owner's oldest data sets make room.

        Raises DataError when the disk is full, or the owner's address has as many data sets as one
        may have.
        """
        if self._settings.limits.idle_seconds is not None:
            self._visitors.ensure(owner)  # so that the janitor finds what is theirs
        self._check_disk()
        self._check_share(owner)
        while not self._turns.acquire(timeout=TURN_SECONDS):
            if should_stop():
                yield ImportStopped()
                return
        try:
            for event in events:
                if isinstance(event, ImportFinished):
                    self._noted(event.dataset)
                    shown = {event.dataset.dataset_id, self._visitors.state(owner).dataset_id}
                    self._make_room(owner, partial(self._is_shown_or_used, shown))
                    self._changes.tell(owner)
                yield event
        finally:
            self._turns.release()

    def _is_shown_or_used(self, shown: set[str | None], dataset_id: str) -> bool:
        return dataset_id in shown or self._is_used(dataset_id)

    def _make_room(self, owner: str, is_in_use: Callable[[str], bool]) -> None:
        """Remove the owner's oldest unused data sets until they are within the limit."""
        datasets = self.datasets(owner)
        over = len(datasets) - self._settings.limits.datasets
        for dataset in reversed(datasets):
            if over <= 0:
                return
            if not is_in_use(dataset.dataset_id):
                with suppress(NotFoundError):  # somebody else removed it at the same moment
                    self._remove(dataset)
                over -= 1

    def _remove(self, dataset: Dataset) -> None:
        self._store.delete(dataset.dataset_id)
        with self._lock:
            self._addresses.pop(dataset.dataset_id, None)
        self._changes.tell(dataset.owner)

    def _check_disk(self) -> None:
        if not self.has_room():
            raise DataError(
                message("The disk of this machine is full, so no pictures can be added."),
                hint=message("Remove data sets that are no longer needed, or come back later."),
            )

    def _check_share(self, owner: str) -> None:
        """Raise DataError when the owner's address has its share and the owner cannot make room."""
        limits = self._settings.limits
        address = self._visitors.address_of(owner)
        with self._lock:
            count = 0 if address is None else list(self._addresses.values()).count(address)
        if count < limits.datasets_of_address:
            return
        if len(self.datasets(owner)) < limits.datasets:
            raise DataError(
                counted_message(
                    "{count} data set from your network is kept; that is as many as fit.",
                    "{count} data sets from your network are kept; that is as many as fit.",
                    count=count,
                ),
                hint=_when_there_is_room(limits.idle_seconds),
            )

    def _noted(self, dataset: Dataset) -> Dataset:
        """The data set, which from now on counts for the address of its owner."""
        address = self._visitors.address_of(dataset.owner)
        if address is not None:
            with self._lock:
                self._addresses[dataset.dataset_id] = address
        return dataset


def _when_there_is_room(idle_seconds: float | None) -> Message:
    if idle_seconds is None:
        return message("Remove data sets that are no longer needed, then try again.")
    hours = idle_seconds / HOUR
    return message(
        "Remove data sets that are no longer needed, or try again later: what nobody has used for "
        "{hours} hours is removed.",
        hours=number(hours, digits=0 if hours.is_integer() else 1),
    )
