"""Uploaded test pictures: read into memory and removed from the disk, whatever becomes of them."""

from collections.abc import Sequence
from pathlib import Path

from tlapp.settings import Limits
from tlapp.workspace.trying import RawPicture


def take_pictures(uploads: Sequence[tuple[str, Path]], limits: Limits) -> list[RawPicture]:
    """The contents of the (name, path) pairs, whose files are gone afterwards.

    Of a file over the limit only one byte more than the limit is read: the decoder refuses it with
    its reason. Files beyond `limits.try_images` are not read: `Workspace.prepare` refuses them all.
    """
    try:
        return [
            (name, _first_bytes(path, limits.image_bytes + 1) if index < limits.try_images else b"")
            for index, (name, path) in enumerate(uploads)
        ]
    finally:
        for _, path in uploads:
            path.unlink(missing_ok=True)


def _first_bytes(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most)
