"""Which process keeps a run or uploads: a locked file that the system unlocks when it dies.

Process numbers are used again and heartbeats need a clock; a lock needs neither. It tells a run
that another process is training at this moment from one that a crash left behind.
"""

import secrets
import sys
from pathlib import Path
from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class Keeper:
    """This process's lock, held until `close` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = f"{secrets.token_hex(8)}.lock"
        self._path = folder / self.name
        self._file = self._path.open("wb")
        _lock(self._file)

    def close(self) -> None:
        """Let go."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def is_kept(folder: Path, name: str) -> bool:
    """Whether the process that took this lock is still alive."""
    path = folder / Path(name).name
    try:
        with path.open("rb+") as file:
            _lock(file)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    path.unlink(missing_ok=True)
    return False


def _lock(file: BinaryIO) -> None:
    """Lock the file, without waiting. Raises OSError when somebody holds it."""
    if sys.platform == "win32":
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
