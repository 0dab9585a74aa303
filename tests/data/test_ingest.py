"""Many pictures at once: little in memory, the order kept, nothing left running."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import pictures
from tlapp.data.decode import open_working_copy
from tlapp.data.ingest import AHEAD, THREADS, read_pictures
from tlapp.data.layout import PlacedFile
from tlapp.data.memory import MemoryBudget
from tlapp.data.source import SourceFile
from tlapp.settings import LOCAL_LIMITS


class CountedReads:
    """Files that note how many of them are being read at once."""

    def __init__(self) -> None:
        self.most = self.total = 0
        self._now = 0
        self._lock = threading.Lock()

    def file(self, number: int) -> PlacedFile:
        source = SourceFile(f"cat/{number}.jpg", ("cat",), lambda: self._read(number))
        return PlacedFile(source, "cat", "")

    def _read(self, number: int) -> bytes:
        with self._lock:
            self._now += 1
            self.total += 1
            self.most = max(self.most, self._now)
        raw = pictures.jpeg(0, number)
        with self._lock:
            self._now -= 1
        return raw


def test_pictures_come_in_order_and_at_most_two_are_read_at_once(tmp_path: Path) -> None:
    reads = CountedReads()
    files = [reads.file(number) for number in range(60)]
    found = list(read_pictures(files, tmp_path, LOCAL_LIMITS, MemoryBudget()))
    assert [picture.placed for picture in found] == files
    assert reads.most <= THREADS
    assert {path.stem for path in tmp_path.iterdir()} == {picture.image_id for picture in found}


def test_closing_early_reads_no_further_and_leaves_no_thread(tmp_path: Path) -> None:
    reads = CountedReads()
    files = (reads.file(number) for number in range(1000))
    outcomes = read_pictures(files, tmp_path, LOCAL_LIMITS, MemoryBudget())
    next(outcomes)
    outcomes.close()
    assert reads.total <= AHEAD
    assert not any(thread.name.startswith("tlapp-decode") for thread in threading.enumerate())


def test_equal_pictures_are_stored_once(tmp_path: Path) -> None:
    reads = CountedReads()
    files = [reads.file(5) for _ in range(20)]
    found = list(read_pictures(files, tmp_path, LOCAL_LIMITS, MemoryBudget()))
    assert len({picture.image_id for picture in found}) == 1
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("order", [list, reversed])
def test_of_two_encodings_of_a_picture_the_exact_one_is_stored_in_whatever_order(
    tmp_path: Path, order: Callable[[list[bytes]], list[bytes]]
) -> None:
    jpeg = pictures.jpeg(1, 3)
    pixels = open_working_copy(jpeg)
    for number, raw in enumerate(order([jpeg, pictures.encoded(pixels, "PNG")])):
        source = SourceFile(f"cat/{number}", ("cat",), lambda raw=raw: raw)
        files = [PlacedFile(source, "cat", "")]
        found = list(read_pictures(files, tmp_path, LOCAL_LIMITS, MemoryBudget()))
    stored = open_working_copy((tmp_path / f"{found[0].image_id}.jpg").read_bytes())
    assert stored.tobytes() == pixels.tobytes()
    assert len(list(tmp_path.iterdir())) == 1
