"""Many pictures at once: little in memory, the order kept, nothing left running."""

import threading
from pathlib import Path

from tests import pictures
from tlapp.data.ingest import AHEAD, THREADS, read_pictures
from tlapp.data.layout import PlacedFile
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
    found = list(read_pictures(files, tmp_path, LOCAL_LIMITS))
    assert [picture.placed for picture in found] == files
    assert reads.most <= THREADS
    assert {path.stem for path in tmp_path.iterdir()} == {picture.image_id for picture in found}


def test_closing_early_reads_no_further_and_leaves_no_thread(tmp_path: Path) -> None:
    reads = CountedReads()
    outcomes = read_pictures((reads.file(number) for number in range(1000)), tmp_path, LOCAL_LIMITS)
    next(outcomes)
    outcomes.close()
    assert reads.total <= AHEAD
    assert not any(thread.name.startswith("tlapp-decode") for thread in threading.enumerate())


def test_equal_pictures_are_stored_once(tmp_path: Path) -> None:
    reads = CountedReads()
    found = list(read_pictures([reads.file(5) for _ in range(20)], tmp_path, LOCAL_LIMITS))
    assert len({picture.image_id for picture in found}) == 1
    assert len(list(tmp_path.iterdir())) == 1
