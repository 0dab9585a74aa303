"""The server's log: bounded files in the home, and the same lines on stderr.

`tlapp.log` has a line for everything worth one, `incidents.log` the defects alone, so that whoever
is refused a thousand times cannot push them out. Neither holds what visitors have named: of an
exception its type and the place are kept, never its message (it may hold the name of a file), and
of other programs' records only where they come from. A message of tlapp's own is written as it is:
it must hold numbers and names of ours alone.
"""

import logging
import os
import traceback
from collections.abc import Callable
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

FOLDER_NAME = "logs"
LOG_NAME = "tlapp.log"
INCIDENTS_NAME = "incidents.log"
FILE_BYTES = 1_000_000
EARLIER_FILES = 2  # beside the one that is written
LINE_CHARACTERS = 500
RECORD_CHARACTERS = 16_000  # with its stack; less than a file by far
FRAMES = 40  # of a stack, the innermost ones
_OURS = "tlapp"
_SERVER_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")


class NamelessFormatter(logging.Formatter):
    """Writes a record without what a visitor has named, and never more than a file holds."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the stack below it if the record has an exception."""
        line = f"{self.formatTime(record)} {record.levelname} {record.name}: {_message(record)}"
        error = record.exc_info[1] if record.exc_info else None
        stack = "" if error is None else f"\n{describe_error(error)}"
        return f"{line}{stack}"[:RECORD_CHARACTERS]


def _message(record: logging.LogRecord) -> str:
    """What it says, if it is ours; else where it comes from."""
    if record.name.partition(".")[0] != _OURS:
        return f"{Path(record.pathname).name}:{record.lineno} in {record.funcName}"
    return " ".join(record.getMessage().split())[:LINE_CHARACTERS]


def describe_error(error: BaseException) -> str:
    """The types of an exception and of those that led to it, with their stacks; no messages."""
    parts: list[str] = []
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        number = f" (errno {each.errno})" if isinstance(each, OSError) else ""
        parts.append(f"{type(each).__name__}{number}\n{_stack(each.__traceback__)}")
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return "caused by ".join(parts)


def _stack(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)[-FRAMES:]
    return "".join(f"  {frame.filename}:{frame.lineno} in {frame.name}\n" for frame in frames)


class _QuietFile(RotatingFileHandler):
    """A file for its owner's eyes that may refuse: a full disk keeps nobody from an answer."""

    def _open(self) -> TextIOWrapper:
        return open(  # a Path has no opener
            self.baseFilename, "a", encoding=self.encoding, opener=_open_for_owner
        )

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """The line is lost here; stderr has it."""


def _open_for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class _SentToRoot(logging.Filter):
    """Hands a logger's records to the root's handlers instead of its own. The web server gives its
    loggers handlers of its own whenever it starts, and leaves their filters."""

    def filter(self, record: logging.LogRecord) -> bool:
        logging.getLogger().handle(record)
        return False


def start_log(home: Path) -> Callable[[], None]:
    """From now on, log to stderr and to files under `home`; if these cannot be written, to stderr
    alone. For the process that serves; returns how to end it.
    """
    root, ours = logging.getLogger(), logging.getLogger(_OURS)
    levels = root.level, ours.level
    root.setLevel(logging.WARNING)
    ours.setLevel(logging.INFO)
    screen = logging.StreamHandler()
    screen.setLevel(logging.WARNING)
    handlers: list[logging.Handler] = [screen]
    refusal: OSError | None = None
    try:
        handlers += _files(home / FOLDER_NAME)
    except OSError as error:
        refusal = error
    for handler in handlers:
        handler.setFormatter(NamelessFormatter())
        root.addHandler(handler)
    sent_to_root = _SentToRoot()
    for name in _SERVER_LOGGERS:
        logging.getLogger(name).addFilter(sent_to_root)
    if refusal is not None:
        logging.getLogger(__name__).warning(
            "The folder for logs cannot be written (%s): they go to stderr alone.",
            type(refusal).__name__,
        )

    def end() -> None:
        for name in _SERVER_LOGGERS:
            logging.getLogger(name).removeFilter(sent_to_root)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(levels[0])
        ours.setLevel(levels[1])

    return end


def _files(folder: Path) -> list[logging.Handler]:
    """The files' handlers. Raises OSError when the folder refuses them."""
    folder.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = []
    for name, level in ((LOG_NAME, logging.INFO), (INCIDENTS_NAME, logging.ERROR)):
        if (folder / name).exists() and not (folder / name).is_file():
            raise FileExistsError  # to open a pipe would wait for ever
        handler = _QuietFile(
            folder / name, maxBytes=FILE_BYTES, backupCount=EARLIER_FILES, encoding="utf-8"
        )
        handler.setLevel(level)
        handlers.append(handler)
    return handlers
