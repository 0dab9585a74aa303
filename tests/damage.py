"""What a crash, a disk or a hand does to a file. Each takes the path of a sound one."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

Damage = Callable[[Path], object]

HUGE_BYTES = 500_000_000
DEEP = 100_000


def tear(path: Path) -> None:
    """Half of it is there."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def empty(path: Path) -> None:
    """A power cut before the content reached the disk."""
    path.write_bytes(b"")


def flip(path: Path) -> None:
    """One bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def nest(path: Path) -> None:
    """A hundred thousand brackets."""
    path.write_bytes(b"[" * DEEP + b"]" * DEEP)


def mistype(path: Path) -> None:
    """JSON of the right names with a value of a wrong type in each; other files become `{}`."""
    try:
        values = json.loads(path.read_bytes())
    except ValueError:
        values = {}
    path.write_text(json.dumps({name: [{"a": 1}] for name in values}))


def list_instead(path: Path) -> None:
    """A list where an object belongs."""
    path.write_bytes(b"[1, 2, 3]")


def long_number(path: Path) -> None:
    """Each number in the JSON has 300 digits."""
    try:
        values = json.loads(path.read_bytes())
    except ValueError:
        values = {"a": 1}
    path.write_text(json.dumps(dict.fromkeys(values, 10**299)))


def no_number(path: Path) -> None:
    """Figures that JSON does not have."""
    path.write_bytes(b'{"epochs": NaN, "seconds": Infinity, "speed": 1e999}')


def no_text(path: Path) -> None:
    """Bytes that are no UTF-8, with NULs."""
    path.write_bytes(b'{"name": "\xff\xfe\0\0"}')


def fill(path: Path) -> None:
    """Half a gigabyte (a hole, so that it takes no disk)."""
    path.write_bytes(b"")
    os.truncate(path, HUGE_BYTES)


def folder_instead(path: Path) -> None:
    """A folder stands in its place."""
    path.unlink()
    (path / "inside").mkdir(parents=True)


def loop(path: Path) -> None:
    """A link to itself."""
    path.unlink()
    path.symlink_to(path)


def dangle(path: Path) -> None:
    """A link that leads nowhere."""
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))


def pipe(path: Path) -> None:
    """A pipe: opening it would wait for ever."""
    path.unlink()
    os.mkfifo(path)


DAMAGES: MappingProxyType[str, Damage] = MappingProxyType(
    {
        each.__name__: each
        for each in (
            *(tear, empty, flip, nest, mistype, list_instead, long_number, no_number, no_text),
            *(fill, folder_instead, loop, dangle, pipe),
        )
    }
)


def copy_home(home: Path, target: Path) -> Path:
    """A home folder of a test's own; its files are no links to those of the other."""
    shutil.copytree(home, target, symlinks=True)
    return target
