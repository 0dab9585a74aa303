"""Fault 84: too little memory, in a process of its own whose address space is really limited."""

import resource
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from PIL import Image

from tests import pictures
from tests.patience import PATIENCE_SECONDS
from tlapp.data.decode import make_working_copy
from tlapp.errors import PictureError
from tlapp.jobs.queue import JobQueue
from tlapp.settings import LOCAL_LIMITS

MEGABYTE = 1_000_000
SPARE_BYTES = 40 * MEGABYTE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux", reason="the address space is limited so on Linux alone"
    ),
]


@contextmanager
def little_memory() -> Iterator[None]:
    """This process may take no more than it has, and a little."""
    used_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used_bytes + SPARE_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def refusals_of_large_pictures() -> list[str]:
    """What is said of pictures that do not fit, and of a small one, as names of files."""
    flat = Image.new("RGB", (7_000, 7_000))
    raws = {
        "large.png": pictures.encoded(flat, "PNG", compress_level=1),
        "large.jpg": pictures.encoded(Image.new("RGB", (12_000, 9_000)), progressive=True),
        "small.jpg": pictures.jpeg(),
        "half.jpg": pictures.BROKEN["half.jpg"](),
    }
    del flat
    said = []
    with little_memory():
        for name, raw in raws.items():
            try:
                make_working_copy(raw, name=name, limits=LOCAL_LIMITS)
                said.append(f"{name} is read")
            except PictureError as error:
                said.append(str(error))
    return said


def endings_of_large_jobs() -> list[str]:
    """How jobs end that want too much, in NumPy or Pillow's way and in PyTorch's, and the next."""

    def events(should_stop: Callable[[], bool], make: Callable[[], object]) -> Iterator[object]:
        yield make()

    queue = JobQueue(LOCAL_LIMITS)
    ends = []
    with little_memory():
        for make in (lambda: bytearray(10**9), lambda: torch.empty(10**9), lambda: torch.empty(9)):
            job = queue.submit("a", lambda stop, make=make: events(stop, make), lambda event: None)
            assert job.wait(PATIENCE_SECONDS)
            assert job.end is not None
            ends.append(f"{job.end.state}: {str(job.end.message).partition(' (')[0]}")
    queue.close()
    return ends


def in_its_own_process(function: Callable[[], list[str]]) -> list[str]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function).result()


def test_a_picture_that_does_not_fit_into_memory_is_skipped_with_that_reason() -> None:
    assert in_its_own_process(refusals_of_large_pictures) == [
        "large.png needs more memory than this machine has left.",
        "large.jpg needs more memory than this machine has left.",
        "small.jpg is read",
        "half.jpg is damaged: it cannot be read to its end.",
    ]


def test_a_job_that_does_not_fit_into_memory_fails_with_that_reason_and_the_next_one_runs() -> None:
    assert in_its_own_process(endings_of_large_jobs) == [
        "failed: There was not enough memory",
        "failed: There was not enough memory",
        "finished: ",
    ]
