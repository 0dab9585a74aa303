"""Pictures become features: each picture passes the backbone once.

One worker per core decodes its own pictures and computes small batches. A batch always has the
same size (the last one is padded), so that a picture's features do not depend on its company, and
not on which worker met it. Features that are already in the cache are not computed.
"""

import hashlib
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import torch
from torch import Tensor

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.extractor import Extractor, as_rows, view_key
from tlapp.backbones.workers import core_count, open_workers
from tlapp.data.decode import open_working_copy
from tlapp.data.images import Picture
from tlapp.data.preprocess import augment
from tlapp.stopping import ShouldStop

# Legend: N pictures, D feature width, B batch, C channels, H height, W width.

BATCH_SIZE = 4  # measured: larger ones fall out of a core's cache
_PROGRESS_SECONDS = 0.1
_KEEP_ROWS = 256  # rows computed between two writes to the cache; more is held in memory twice
_PLAIN = 0  # the view that is not augmented; augmented ones count from 1


@dataclass(frozen=True, eq=False)
class Features:
    """What a backbone sees in some pictures, in the order in which they were asked for."""

    features_ND: Tensor  # of the extractor's dtype
    views_ND: tuple[Tensor, ...] = ()  # the same of each augmented view


@dataclass(frozen=True)
class FeatureStarted:
    """So many pictures were asked for; `cached` of them need no computing."""

    total: int
    cached: int


@dataclass(frozen=True)
class FeatureProgress:
    """`done` of `total` pictures have all their features."""

    done: int
    total: int
    images_per_second: float  # of those computed, not of cached ones


@dataclass(frozen=True)
class FeatureFinished:
    """All features, and the wall time they took."""

    features: Features
    seconds: float


@dataclass(frozen=True)
class FeatureStopped:
    """Stopped on request. What was computed is in the cache."""


FeatureEvent = FeatureStarted | FeatureProgress | FeatureFinished | FeatureStopped


def extract_features(
    extractor: Extractor,
    pictures: Sequence[Picture],
    *,
    cache: FeatureCache | None,
    views: int = 0,
    seed: int = 0,
    should_stop: ShouldStop,
) -> Iterator[FeatureEvent]:
    """The features of each picture and of `views` augmented views of it.

    Equal to what the backbone makes of `preprocess.apply(picture)` to rounding (1e-5 in float32),
    flattened. `view_generator` decides about an augmented view. Whatever reading a picture raises
    comes out here, after the workers have ended; so they do when the generator is closed.
    """
    started = time.perf_counter()
    table = _Table(extractor, pictures, views, seed, cache)
    yield FeatureStarted(len(pictures), len(pictures) - len(table.todo))
    if table.todo:
        work = _Work(extractor, table, pictures)
        try:
            yield from work.progress(should_stop)
        finally:
            work.end()
        if work.is_stopped:
            yield FeatureStopped()
            return
    yield FeatureFinished(table.features(), time.perf_counter() - started)


class _Table:
    """The rows asked for: what the cache knew, what is still to do, what has been computed."""

    def __init__(
        self,
        extractor: Extractor,
        pictures: Sequence[Picture],
        views: int,
        seed: int,
        cache: FeatureCache | None,
    ) -> None:
        self.seed = seed
        self._cache = cache
        self._ids = [picture.image_id for picture in pictures]
        self._keys = [view_key(extractor.source, view, seed) for view in range(views + 1)]
        self._rows_ND: list[Tensor] = []  # of each view
        missing: dict[int, list[int]] = {}
        for view, key in enumerate(self._keys):
            rows_ND, is_found = _cached(cache, key, self._ids, extractor)
            self._rows_ND.append(rows_ND)
            for index, found in enumerate(is_found):
                if not found:
                    missing.setdefault(index, []).append(view)
        self.todo = tuple((index, tuple(missing[index])) for index in sorted(missing))
        self._unkept: dict[int, list[int]] = {}
        self._lock = threading.Lock()

    def put(self, places: Sequence[tuple[int, int]], rows_BD: Tensor) -> None:
        """Rows for (picture index, view) each, from any worker."""
        with self._lock:
            for (index, view), row_D in zip(places, rows_BD, strict=False):
                self._rows_ND[view][index] = row_D
                self._unkept.setdefault(view, []).append(index)
            count = sum(len(indices) for indices in self._unkept.values())
            unkept = self._take_unkept() if count >= _KEEP_ROWS else {}
        self._keep(unkept)

    def keep(self) -> None:
        """Everything computed so far is in the cache."""
        with self._lock:
            unkept = self._take_unkept()
        self._keep(unkept)

    def features(self) -> Features:
        plain_ND, *views_ND = self._rows_ND
        return Features(plain_ND, tuple(views_ND))

    def _take_unkept(self) -> dict[int, list[int]]:
        unkept, self._unkept = self._unkept, {}
        return unkept

    def _keep(self, unkept: dict[int, list[int]]) -> None:
        if self._cache is None:
            return
        for view, indices in unkept.items():
            ids = [self._ids[index] for index in indices]
            self._cache.put(self._keys[view], ids, self._rows_ND[view][indices])


@dataclass(eq=False)
class _Batch:
    """A worker's batch while it fills."""

    x_BCHW: Tensor
    places: list[tuple[int, int]] = field(default_factory=list)  # (picture index, view)

    @property
    def is_full(self) -> bool:
        return len(self.places) == len(self.x_BCHW)

    def add(self, place: tuple[int, int], x_CHW: Tensor) -> None:
        self.x_BCHW[len(self.places)] = x_CHW
        self.places.append(place)


class _Work:
    """The workers of one extraction."""

    def __init__(self, extractor: Extractor, table: _Table, pictures: Sequence[Picture]) -> None:
        self.is_stopped = False
        self._extractor = extractor
        self._preprocess = extractor.preprocess
        self._table = table
        self._pictures = pictures
        self._todo = iter(table.todo)
        self._todo_lock = threading.Lock()
        self._ending = threading.Event()
        self._finished: queue.SimpleQueue[int | Future[None]] = queue.SimpleQueue()
        self._count = min(core_count(), -(-len(table.todo) // BATCH_SIZE))
        self._workers = open_workers(self._count)

    def progress(self, should_stop: ShouldStop) -> Iterator[FeatureProgress]:
        """Until every worker has ended. Raises what a worker raised."""
        for _ in range(self._count):
            self._workers.submit(self._run_worker).add_done_callback(self._finished.put)
        total, done = len(self._pictures), len(self._pictures) - len(self._table.todo)
        cached, running = done, self._count
        began = told = time.perf_counter()
        while running:
            if not self._ending.is_set() and should_stop():
                self.is_stopped = True
                self._ending.set()
            try:
                finished = self._finished.get(timeout=_PROGRESS_SECONDS)
            except queue.Empty:
                continue
            if isinstance(finished, Future):
                finished.result()
                running -= 1
                continue
            done += finished
            now = time.perf_counter()
            if now - told >= _PROGRESS_SECONDS or done == total:
                told = now
                yield FeatureProgress(done, total, (done - cached) / (now - began))

    def end(self) -> None:
        """No worker is left, and what they computed is in the cache."""
        self._ending.set()
        self._workers.shutdown()
        self._table.keep()

    def _run_worker(self) -> None:
        with torch.inference_mode():
            self._compute()

    def _compute(self) -> None:
        side = self._preprocess.crop_pixels
        x_BCHW = torch.zeros(BATCH_SIZE, 3, side, side).to(memory_format=torch.channels_last)
        batch = _Batch(x_BCHW)
        finished = 0
        while (item := self._next()) is not None:
            index, views = item
            for view, x_CHW in self._decode(index, views):
                batch.add((index, view), x_CHW)
                if batch.is_full:
                    self._forward(batch)
                    self._finished.put(finished)
                    finished = 0
            finished += 1
        if batch.places and not self._ending.is_set():
            self._forward(batch)
        self._finished.put(finished)

    def _next(self) -> tuple[int, tuple[int, ...]] | None:
        with self._todo_lock:
            return None if self._ending.is_set() else next(self._todo, None)

    def _decode(self, index: int, views: tuple[int, ...]) -> Iterator[tuple[int, Tensor]]:
        picture = self._pictures[index]
        image = open_working_copy(picture.read())
        for view in views:
            if view == _PLAIN:
                yield view, self._preprocess.apply(image)
            else:
                generator = view_generator(self._table.seed, picture.image_id, view)
                yield view, augment(image, self._preprocess, generator)

    def _forward(self, batch: _Batch) -> None:
        """Rows beyond the last place hold an earlier batch's pictures; nobody reads theirs."""
        yielded = self._extractor.module(batch.x_BCHW)
        self._table.put(batch.places, as_rows(yielded, self._extractor.dtype))
        batch.places.clear()


def view_generator(seed: int, image_id: str, view: int) -> torch.Generator:
    """What decides about one augmented view: seed, picture, and the view's number (from 1)."""
    digest = hashlib.sha256(f"{seed} {image_id} {view}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def _cached(
    cache: FeatureCache | None, key: str, image_ids: Sequence[str], extractor: Extractor
) -> tuple[Tensor, list[bool]]:
    width, dtype = extractor.width, extractor.dtype
    if cache is None:
        return torch.zeros(len(image_ids), width, dtype=dtype), [False] * len(image_ids)
    return cache.get(key, image_ids, width, dtype)
