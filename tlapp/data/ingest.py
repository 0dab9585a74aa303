"""Reading many pictures: two threads decode, little is held in memory, the order is kept.

A file's bytes are read by the thread that decodes them, so at most two pictures are in memory.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tlapp.data.decode import NotAPictureError, open_picture, working_copy
from tlapp.data.layout import PlacedFile
from tlapp.data.source import is_named_as_picture
from tlapp.errors import DataError, PictureError
from tlapp.settings import Limits

THREADS = 2
AHEAD = 16  # files handed to the threads before the oldest result is taken
LARGE_PIXELS = 24_000_000  # above this one at a time: 50 megapixels take up to 0.8 GB


@dataclass(frozen=True)
class ReadPicture:
    """What became of one file: an id, or a reason, or neither if it is not worth a word."""

    placed: PlacedFile
    image_id: str
    notice: str
    reason: str


def read_pictures(
    files: Iterable[PlacedFile], folder: Path, limits: Limits
) -> Generator[ReadPicture, None, None]:
    """The outcome of each file, in order; the working copies are in `folder` as `<id>.jpg`.

    Raises `DataError` if the source must not be read on, or the disk takes no more. Closing the
    generator waits for the two pictures at work and drops the rest.
    """
    large = threading.Lock()
    waiting: deque[Future[ReadPicture]] = deque()
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="tlapp-decode")
    try:
        for placed in files:
            waiting.append(pool.submit(_read_picture, placed, folder, limits, large))
            if len(waiting) >= AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _read_picture(
    placed: PlacedFile, folder: Path, limits: Limits, large: threading.Lock
) -> ReadPicture:
    name = placed.file.name
    try:
        raw = placed.file.read()
        image = open_picture(raw, name=name, limits=limits)
        is_large = image.width * image.height > LARGE_PIXELS
        with large if is_large else contextlib.nullcontext():
            copy = working_copy(image, raw, name=name)
    except NotAPictureError as error:
        return ReadPicture(placed, "", "", str(error) if is_named_as_picture(name) else "")
    except PictureError as error:
        return ReadPicture(placed, "", "", str(error))
    _write_once(folder / f"{copy.image_id}.jpg", copy.encoded)
    return ReadPicture(placed, copy.image_id, copy.notice, "")


def _write_once(path: Path, encoded: bytes) -> None:
    """Exclusive creation: both threads may come to the same picture at the same time."""
    try:
        with path.open("xb") as stream:
            stream.write(encoded)
    except FileExistsError:
        return
    except OSError as fault:
        raise DataError(
            f"The pictures cannot be stored: {fault.strerror or 'unknown reason'}.",
            hint="Free some space on the disk that holds tlapp's files, and import again.",
        ) from fault
