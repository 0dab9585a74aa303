"""Downloads of weights as jobs: one per backbone, however many visitors ask for it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class DownloadState:
    """Where the weights of one backbone are, at one moment."""

    backbone_name: str
    state: Literal["absent", "waiting", "running", "finished", "stopped", "failed"]
    done_bytes: int = 0
    total_bytes: int = 0
    message: str = ""  # why it failed, as plain text
    hint: str = ""  # what to do about it
