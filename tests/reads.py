"""Counts what is read from disk, and how often splits are drawn, while a block runs."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import get_ident
from typing import Any
from unittest.mock import patch

from tlapp import stored
from tlapp.data import record as data_record
from tlapp.runs import folder as run_folder


@dataclass
class Reads:
    """What was read so far."""

    files: Counter[str] = field(default_factory=Counter)  # by path
    splits: int = 0

    def repeated(self) -> list[str]:
        """The names of files that were read more than once, and the split, if it was."""
        twice = [Path(path).name for path, count in self.files.items() if count > 1]
        return sorted(twice) + ["the split"] * (self.splits > 1)


@contextmanager
def counted(*, elsewhere: bool = False) -> Iterator[Reads]:
    """Counts what this thread reads until the block is left, and what others read if `elsewhere`.

    Every JSON file of tlapp has one reader, `read_content`.
    """
    reads, here = Reads(), get_ident()
    read_content, split_images = stored.read_content, data_record.split_images

    def read(path: Path, most_bytes: int) -> bytes:
        if path.exists() and (elsewhere or get_ident() == here):
            reads.files[str(path)] += 1
        return read_content(path, most_bytes)

    def split(*arguments: Any, **options: Any) -> Any:
        reads.splits += elsewhere or get_ident() == here
        return split_images(*arguments, **options)

    with ExitStack() as stack:
        for module in (stored, run_folder):
            stack.enter_context(patch.object(module, "read_content", read))
        stack.enter_context(patch.object(data_record, "split_images", split))
        yield reads
