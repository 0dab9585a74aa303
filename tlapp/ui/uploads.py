"""Uploaded test pictures: from files into memory, within the limits."""

from collections.abc import Sequence
from pathlib import Path

from tlapp.evaluation.test_pictures import RawPicture
from tlapp.settings import Limits


def read_pictures(uploads: Sequence[tuple[str, Path]], limits: Limits) -> list[RawPicture]:
    """The contents of the (name, path) pairs.

    Of a file over the limit only one byte more than the limit is read: the decoder refuses it with
    its reason. Files beyond `limits.try_images` are not read: `Workspace.prepare` refuses them all.
    """
    return [
        (name, _first_bytes(path, limits.image_bytes + 1) if index < limits.try_images else b"")
        for index, (name, path) in enumerate(uploads)
    ]


def take_pictures(uploads: Sequence[tuple[str, Path]], limits: Limits) -> list[RawPicture]:
    """The same, and the files are gone afterwards.

    Only for uploads of the page, whose names are random: Gradio names a file by its content, so
    what two API clients send alike is one file, and Gradio's own clean-up removes it.
    """
    try:
        return read_pictures(uploads, limits)
    finally:
        for _, path in uploads:
            path.unlink(missing_ok=True)


def _first_bytes(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most)
