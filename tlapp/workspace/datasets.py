"""The visitors' data sets: imported a few at a time, within what the disk and the limits allow."""

import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from tlapp.data.dataset import Dataset, DatasetStore, ImportEvent, ImportFinished, ImportStopped
from tlapp.errors import DataError, NotFoundError
from tlapp.settings import GIGABYTE, HOUR, Limits
from tlapp.stopping import ShouldStop

IMPORTS_AT_ONCE = 2  # each decodes on two threads
TURN_SECONDS = 0.25  # how often a waiting import looks whether it is stopped
FREE_FLOOR_BYTES = 1 * GIGABYTE  # below this, nothing more is taken in
CACHED_DATASETS = 8


class Datasets:
    """Data sets on disk and the newest few in memory. Safe for several threads."""

    def __init__(
        self,
        store: DatasetStore,
        home: Path,
        limits: Limits,
        address_of: Callable[[str], str | None] = lambda owner: None,
    ) -> None:
        """`address_of(owner)`: where an owner comes from; None when it is not known."""
        self._store = store
        self._address_of = address_of
        self._addresses: dict[str, str] = {}  # by data set: where it came from
        self._home = home
        self._limits = limits
        self._turns = threading.Semaphore(IMPORTS_AT_ONCE)
        self._cached: OrderedDict[str, Dataset] = OrderedDict()
        self._lock = threading.Lock()
        self.used_bytes = 0  # of the home folder, as the janitor measured it last

    def follow_import(
        self, owner: str, events: Iterator[ImportEvent], *, should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        """The import's events, when its turn has come. Raises DataError when the disk is full, or
        the owner's address has as many data sets as one may have."""
        self._check_disk()
        self._check_share(owner)
        while not self._turns.acquire(timeout=TURN_SECONDS):
            if should_stop():
                yield ImportStopped()
                return
        try:
            for event in events:
                if isinstance(event, ImportFinished):
                    self._remember(event.dataset)
                yield event
        finally:
            self._turns.release()

    def load(self, dataset_id: str) -> Dataset:
        """A data set. Raises NotFoundError."""
        with self._lock:
            if dataset_id in self._cached:
                self._cached.move_to_end(dataset_id)
                return self._cached[dataset_id]
        return self._remember(self._store.load(dataset_id))

    def list(self, owner: str) -> tuple[Dataset, ...]:
        """The owner's data sets, newest first."""
        return tuple(
            sorted(self._store.list(owner), key=lambda dataset: dataset.created, reverse=True)
        )

    def save(self, dataset: Dataset) -> None:
        """Keep a changed data set in place of the earlier one. Raises NotFoundError."""
        self.load(dataset.dataset_id)
        self._store.save(dataset)
        self._remember(dataset)

    def delete(self, dataset_id: str) -> None:
        """Remove a data set. Raises NotFoundError."""
        self._store.delete(dataset_id)
        with self._lock:
            self._cached.pop(dataset_id, None)
            self._addresses.pop(dataset_id, None)

    def make_room(self, owner: str, *, is_in_use: Callable[[str], bool]) -> None:
        """Remove the owner's oldest unused data sets until they are within the limit."""
        datasets = self.list(owner)
        over = len(datasets) - self._limits.datasets
        for dataset in reversed(datasets):
            if over <= 0:
                return
            if not is_in_use(dataset.dataset_id):
                with suppress(NotFoundError):  # somebody else removed it at the same moment
                    self.delete(dataset.dataset_id)
                over -= 1

    def has_room(self, coming_bytes: int = 0) -> bool:
        """Whether more may be taken in, beside so many bytes that are coming already."""
        free = shutil.disk_usage(self._home).free
        used_bytes = self.used_bytes + coming_bytes
        return free >= FREE_FLOOR_BYTES and used_bytes <= self._limits.disk_bytes

    def _check_disk(self) -> None:
        if not self.has_room():
            raise DataError(
                "The disk of this machine is full, so no pictures can be added.",
                hint="Remove data sets that are no longer needed, or come back later.",
            )

    def _check_share(self, owner: str) -> None:
        """Raise DataError when the owner's address has its share and the owner cannot make room."""
        address = self._address_of(owner)
        with self._lock:
            count = 0 if address is None else list(self._addresses.values()).count(address)
        if count < self._limits.datasets_of_address:
            return
        if len(self.list(owner)) < self._limits.datasets:
            raise DataError(
                f"{count} data sets from your network are kept; that is as many as fit.",
                hint=_when_there_is_room(self._limits.idle_seconds),
            )

    def _remember(self, dataset: Dataset) -> Dataset:
        address = self._address_of(dataset.owner)
        with self._lock:
            if address is not None:
                self._addresses[dataset.dataset_id] = address
            self._cached[dataset.dataset_id] = dataset
            self._cached.move_to_end(dataset.dataset_id)
            while len(self._cached) > CACHED_DATASETS:
                self._cached.popitem(last=False)
        return dataset


def _when_there_is_room(idle_seconds: float | None) -> str:
    if idle_seconds is None:
        return "Remove data sets that are no longer needed, then try again."
    hours = idle_seconds / HOUR
    return (
        "Remove data sets that are no longer needed, or try again later: what nobody has used for "
        f"{hours:g} hours is removed."
    )
