"""How many pictures per second a backbone manages on this machine, measured and remembered."""

import json
import threading
import time
from pathlib import Path

import torch

from tlapp.backbones.features import BATCH_SIZE
from tlapp.backbones.loading import Backbone
from tlapp.backbones.workers import core_count, open_workers
from tlapp.files import write_atomically

_MEASURE_SECONDS = 1.2


def measure_speed(backbone: Backbone) -> float:
    """Pictures per second through the backbone, all cores, decoding not counted.

    Takes one to two seconds, or two batches if these take longer.
    """
    count = core_count()
    with open_workers(count) as workers:
        return sum(workers.map(_worker_speed, [backbone] * count))


def _worker_speed(backbone: Backbone) -> float:
    side = backbone.preprocess.crop_pixels
    x_NCHW = torch.zeros(BATCH_SIZE, 3, side, side).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        backbone.fast_module(x_NCHW)  # the first pass prepares and is not counted
        began, count = time.perf_counter(), 0
        while count == 0 or time.perf_counter() < began + _MEASURE_SECONDS:
            backbone.fast_module(x_NCHW)
            count += BATCH_SIZE
        return count / (time.perf_counter() - began)


class SpeedBook:
    """Measured speeds by name (of a backbone, or of a way in which it learns), in one JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def get(self, name: str) -> float | None:
        """Pictures per second, or None when it was never measured here."""
        value = self._read().get(name)
        return float(value) if isinstance(value, int | float) else None

    def put(self, name: str, images_per_second: float) -> None:
        """Remember it, also after a restart."""
        with self._lock:
            speeds = self._read() | {name: round(images_per_second, 2)}
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, json.dumps(speeds, indent=1).encode())

    def _read(self) -> dict[str, object]:
        try:
            speeds = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return speeds if isinstance(speeds, dict) else {}
