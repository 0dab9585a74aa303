"""Writing files so that a crash leaves the old content or the whole of the other, never a half."""

import os
import secrets
from pathlib import Path

# In the name of every unfinished file and folder; the janitor looks for it.
TEMPORARY_MARK = ".part-"


def temporary_path(path: Path) -> Path:
    """A fresh name beside `path` (same file system, so that a rename is atomic)."""
    return path.with_name(f"{TEMPORARY_MARK}{secrets.token_hex(6)}-{path.name}")


def write_atomically(path: Path, content: bytes, *, durable: bool = False) -> int:
    """Put `content` at `path` in one step; the file's number on disk (`recent.is_numbered`).

    A killed process never leaves a torn file. `durable` also waits until the disk has it, so that
    a power cut does not either; it takes milliseconds, so it is for final results. Raises OSError
    when the disk is full or read-only; `path` is then as it was.
    """
    temporary = temporary_path(path)
    try:
        with temporary.open("wb") as file:
            number = os.fstat(file.fileno()).st_ino
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    if durable:
        sync_folder(path.parent)
    return number


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the folder's names (a no-op where folders cannot be opened)."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows does not open folders; its renames are journalled
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
