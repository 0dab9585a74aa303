"""Reading many pictures: two threads decode, little is held in memory, the order is kept.

A file's bytes are read by the thread that decodes them, so at most two pictures are in memory;
large ones wait until there is room for them in the budget that all imports share.
"""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tlapp.data.decode import NotAPictureError, WorkingCopy, open_picture, working_copy
from tlapp.data.layout import PlacedFile
from tlapp.data.memory import MemoryBudget, decoding_bytes
from tlapp.data.source import is_named_as_picture
from tlapp.errors import DataError, PictureError, reason_of
from tlapp.files import write_atomically
from tlapp.messages import NOTHING, Message, message
from tlapp.settings import Limits

THREADS = 2
AHEAD = 16  # files handed to the threads before the oldest result is taken


@dataclass(frozen=True)
class ReadPicture:
    """What became of one file: an id, or a reason, or neither if it is not worth a word."""

    placed: PlacedFile
    image_id: str
    notice: Message
    reason: Message


def read_pictures(
    files: Iterable[PlacedFile], folder: Path, limits: Limits, budget: MemoryBudget
) -> Generator[ReadPicture, None, None]:
    """The outcome of each file, in order; the working copies are in `folder` as `<id>.jpg`.

    Raises `DataError` if the source must not be read on, or the disk takes no more. Closing the
    generator waits for the two pictures at work and drops the rest.
    """
    waiting: deque[Future[ReadPicture]] = deque()
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="tlapp-decode")
    try:
        for placed in files:
            waiting.append(pool.submit(_read_picture, placed, folder, limits, budget))
            if len(waiting) >= AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _read_picture(
    placed: PlacedFile, folder: Path, limits: Limits, budget: MemoryBudget
) -> ReadPicture:
    name = placed.file.name
    try:
        raw = placed.file.read()
        image = open_picture(raw, name=name, limits=limits)
        with budget.hold(decoding_bytes(image)):
            copy = working_copy(image, raw, name=name)
    except NotAPictureError as error:
        return ReadPicture(
            placed, "", NOTHING, error.what if is_named_as_picture(name) else NOTHING
        )
    except PictureError as error:
        return ReadPicture(placed, "", NOTHING, error.what)
    _store(copy, folder / f"{copy.image_id}.jpg")
    return ReadPicture(placed, copy.image_id, copy.notice, NOTHING)


def _store(copy: WorkingCopy, path: Path) -> None:
    """Exclusive creation: both threads may come to the same picture at the same time.

    An exact copy takes the place of another one: what is stored does not depend on the order.
    """
    try:
        with suppress(FileExistsError), path.open("xb") as stream:
            stream.write(copy.encoded)
            return
        if copy.is_exact:
            write_atomically(path, copy.encoded)
    except OSError as fault:
        raise DataError(
            message("The pictures cannot be stored: {reason}.", reason=reason_of(fault)),
            hint=message("Free some space on the disk that holds tlapp's files, and import again."),
        ) from fault
