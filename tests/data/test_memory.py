"""Large pictures: as many at once as fit into the budget (faults 22 and 23)."""

import resource
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from PIL import Image

from tests import pictures
from tests.data.importing import imported
from tests.patience import PATIENCE_SECONDS
from tlapp.data.dataset import DatasetStore
from tlapp.data.decode import open_picture
from tlapp.data.memory import DECODING_BYTES, MemoryBudget, decoding_bytes
from tlapp.errors import PictureError
from tlapp.settings import LOCAL_LIMITS

SPARE_BYTES = 150_000_000  # the libraries' own, and what the heap keeps


def test_what_does_not_fit_waits_until_something_is_given_back() -> None:
    budget = MemoryBudget(10)
    has_second = threading.Event()

    def take_second() -> None:
        with budget.hold(6):
            has_second.set()

    thread = threading.Thread(target=take_second)
    with budget.hold(5):
        thread.start()
        assert not has_second.wait(0.05)
    assert has_second.wait(PATIENCE_SECONDS)
    thread.join()


def test_more_than_everything_is_taken_alone_and_given_back_after_a_failure() -> None:
    budget = MemoryBudget(10)
    with pytest.raises(ZeroDivisionError), budget.hold(1_000):
        _ = 1 / 0
    with budget.hold(10):
        pass


def test_a_picture_that_takes_more_than_there_is_says_the_limit_of_its_kind() -> None:
    raw = pictures.encoded(Image.new("RGB", (7_000, 7_000)), "WEBP", quality=10, method=0)
    with pytest.raises(PictureError, match=r"a\.webp has 49 megapixels; the limit is 37") as error:
        open_picture(raw, name="a.webp", limits=LOCAL_LIMITS)
    assert "as JPG" in str(error.value.hint)
    raw = pictures.huge_png(width=7_000, height=7_000)
    assert decoding_bytes(open_picture(raw, name="a", limits=LOCAL_LIMITS)) <= DECODING_BYTES


def grown_by_import(folder: Path) -> int:
    """Bytes by which the peak of this process has grown over importing the folder's pictures."""
    store = DatasetStore(folder / "sets", LOCAL_LIMITS)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert imported(store, folder / "set").images.counts() == (6,)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts kilobytes on Linux alone")
def test_large_pictures_on_two_threads_stay_within_the_budget(tmp_path: Path) -> None:
    cat = tmp_path / "set" / "cat"
    cat.mkdir(parents=True)
    for number in range(2):
        shade = 40 * number
        clear = Image.new("RGBA", (7_000, 7_000), (shade, 0, 0, 90))
        clear.save(cat / f"clear-{number}.png", compress_level=1)
        plain = Image.new("RGB", (6_000, 6_000), (0, shade, 0))
        plain.save(cat / f"web-{number}.webp", quality=10, method=0)
        plain.save(cat / f"keyed-{number}.png", compress_level=1, transparency=(1, 2, 3))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(grown_by_import, tmp_path).result() < DECODING_BYTES + SPARE_BYTES
