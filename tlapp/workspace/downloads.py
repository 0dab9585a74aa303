"""Downloads of weights as jobs: one per backbone, however many visitors ask for it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from tlapp.backbones.catalog import Card, find_card
from tlapp.backbones.weights import DownloadEvent, DownloadProgress, WeightsStore
from tlapp.jobs.job import Job, JobEnd
from tlapp.jobs.queue import JobQueue
from tlapp.settings import MINUTE, Limits


@dataclass(frozen=True, kw_only=True)
class DownloadState:
    """Where the weights of one backbone are, at one moment."""

    backbone_name: str
    state: Literal["absent", "waiting", "running", "finished", "stopped", "failed"]
    done_bytes: int = 0
    total_bytes: int = 0
    message: str = ""  # why it failed, as plain text
    hint: str = ""  # what to do about it


class Downloads:
    """Fetches weights in a worker of its own, so that trainings do not wait for the network."""

    def __init__(self, weights: WeightsStore, limits: Limits) -> None:
        self._weights = weights
        self._limits = limits
        self._queue = JobQueue(limits, name="downloads", budget_seconds=limits.download_seconds)
        self._states: dict[str, DownloadState] = {}
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def start(self, name: str) -> DownloadState:
        """Start the download, or join the one under way. Raises BackboneError, JobError."""
        card = find_card(name)
        with self._lock:
            if not self._weights.is_ready(card) and self._queue.job_of(card.name) is None:
                self._jobs[card.name] = self._submit(card)  # its events wait for the lock
                self._states[card.name] = DownloadState(
                    backbone_name=card.name, state="waiting", total_bytes=card.download_bytes
                )
        return self.state(name)

    def state(self, name: str) -> DownloadState:
        """How far it is. Raises BackboneError when no backbone has this name."""
        card = find_card(name)
        with self._lock:
            state = self._states.get(card.name)
        if state is not None and state.state in ("waiting", "running"):
            return state
        if self._weights.is_ready(card):
            total = card.download_bytes
            return DownloadState(
                backbone_name=card.name, state="finished", done_bytes=total, total_bytes=total
            )
        return state or DownloadState(
            backbone_name=card.name, state="absent", total_bytes=card.download_bytes
        )

    def listen(self, name: str, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` at every change of a download that is under way."""
        with self._lock:
            job = self._jobs.get(name)
        return job.add_listener(callback) if job is not None else lambda: None

    def close(self, timeout_seconds: float) -> None:
        """Stop all downloads, which may take so long."""
        self._queue.close(timeout_seconds)

    def _submit(self, card: Card) -> Job:
        def on_event(event: DownloadEvent) -> None:
            if isinstance(event, DownloadProgress):
                self._change(
                    card.name,
                    state="running",
                    done_bytes=event.done_bytes,
                    total_bytes=event.total_bytes,
                )

        def on_end(end: JobEnd) -> None:
            if end.stop_reason == "time":
                end = self._too_slow()
            self._change(card.name, state=end.state, message=end.message, hint=end.hint)

        return self._queue.submit(
            card.name,
            lambda should_stop: self._weights.fetch(card, should_stop),
            on_event,
            what="download",
            on_end=on_end,
        )

    def _too_slow(self) -> JobEnd:
        minutes = round(self._limits.download_seconds / MINUTE)
        return JobEnd(
            state="failed",
            message=f"The download took longer than {minutes} min.",
            hint="Try again; if the connection stays slow, choose a smaller backbone.",
        )

    def _change(self, name: str, **values: object) -> None:
        with self._lock:
            self._states[name] = replace(self._states[name], **values)  # type: ignore[arg-type]  # field names
