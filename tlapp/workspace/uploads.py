"""Where uploaded files wait until they are read: a folder of this process under the home.

Each upload has a folder of its own under a random name, so that what two people send alike is two
files and nobody can guess another's. It carries the mark of what is unfinished from its first byte
on: the janitor counts it, and removes it when nobody has taken it for half an hour. What a dead
process left is removed at the next start.
"""

import secrets
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tlapp.files import TEMPORARY_MARK
from tlapp.runs.keeper import Keeper, is_kept
from tlapp.workspace.home import open_home

LOCKS_NAME = ".locks"


@dataclass(frozen=True, eq=False)
class UploadFolder:
    """The uploads of this process; `close` removes them."""

    path: Path
    keeper: Keeper

    def new_folder(self) -> Path:
        """An empty folder for one upload. Raises OSError when the disk refuses."""
        folder = self.path / f"{TEMPORARY_MARK}{secrets.token_urlsafe(16)}"
        folder.mkdir(parents=True)
        return folder

    def held_bytes(self) -> int:
        """What waits here, and what is coming, at this moment: the janitor looks less often."""
        total = 0
        for path in self.path.rglob("*"):
            with suppress(OSError):  # removed while we look
                status = path.lstat()
                total += status.st_size if stat.S_ISREG(status.st_mode) else 0
        return total

    def close(self) -> None:
        """Remove what is here; nobody can take it any more."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.keeper.close()


def open_uploads(home: Path) -> UploadFolder:
    """This process's folder, after those of dead processes were removed. Raises ServerError."""
    uploads = home / "uploads"
    locks = uploads / LOCKS_NAME
    open_home(home, ("", "uploads", f"uploads/{LOCKS_NAME}"))
    for left in uploads.iterdir():
        if left.name != LOCKS_NAME and not is_kept(locks, f"{left.name}.lock"):
            shutil.rmtree(left, ignore_errors=True)
    keeper = Keeper(locks)
    path = uploads / keeper.name.removesuffix(".lock")
    path.mkdir()
    return UploadFolder(path, keeper)
