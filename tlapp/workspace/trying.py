"""Trying a classifier on pictures: decode once, pass the backbone once, answer many times."""

from collections.abc import Sequence
from dataclasses import dataclass

from tlapp.evaluation.predict import ClassProbability

RawPicture = tuple[str, bytes]  # its name as the person gave it, its bytes as uploaded


@dataclass(frozen=True, kw_only=True)
class TryResult:
    """One test picture with its answer, or with the reason why there is none."""

    name: str
    thumbnail: bytes  # a small JPEG; empty when the picture cannot be read
    ranked: tuple[ClassProbability, ...]  # most probable first; empty on error
    error: str = ""  # "" or a plain sentence with the next step


class Tried:
    """Test pictures, decoded once. Keeps their features per backbone; thread-safe."""

    def __init__(self, raw: Sequence[RawPicture]) -> None:
        raise NotImplementedError
