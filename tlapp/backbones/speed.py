"""How many pictures per second a backbone manages on this machine, measured and remembered."""

import math
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import torch

from tlapp.backbones.features import BATCH_SIZE
from tlapp.backbones.loading import Backbone
from tlapp.backbones.workers import core_count, open_workers
from tlapp.damages import Damage, Damages
from tlapp.files import write_atomically
from tlapp.messages import message
from tlapp.recent import Recent, signature_of
from tlapp.stored import NO_OBJECT, DamagedFileError, keep_earlier, read_generation, sealed

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
    """Measured speeds by name (of a backbone, or of a way in which it learns), in one JSON file;
    answered from memory as long as the file is as it was."""

    def __init__(self, path: Path, damages: Damages | None = None) -> None:
        """`damages` is told when the file is damaged."""
        self._path = path
        self._damages = damages or Damages()
        self._known: Recent[Path, Mapping[str, float]] = Recent(1)
        self._lock = threading.Lock()  # held by whoever writes

    def get(self, name: str) -> float | None:
        """Pictures per second, or None when it was never measured here."""
        return self._read().get(name)

    def put(self, name: str, images_per_second: float) -> None:
        """Remember it, also after a restart."""
        with self._lock:
            speeds = _possible({**self._read(), name: round(images_per_second, 2)})
            self._path.parent.mkdir(parents=True, exist_ok=True)
            known = self._known.get(self._path, signature_of(self._path))
            keep_earlier(self._path, is_sound=known is not None)
            number = write_atomically(self._path, sealed(speeds, indent=1))
            self._known.put_written(self._path, speeds, self._path, number)
            self._damages.forget("", "speeds")

    def find_damages(self) -> None:
        """Read the file; `damages` is told when it is damaged."""
        self._read()

    def _read(self) -> Mapping[str, float]:
        """All speeds; those of before where the newest are damaged."""
        signature = signature_of(self._path)
        known = self._known.get(self._path, signature)
        if known is not None:
            return known
        try:
            found = read_generation(self._path, _speeds_of)
        except FileNotFoundError:
            return {}
        except DamagedFileError as fault:
            self._damages.note(Damage(kind="speeds", item="", fault=fault.fault))
            return {}
        if found.fault:
            self._damages.note(Damage(kind="speeds", item="", fault=found.fault, is_replaced=True))
        else:  # what is damaged is looked at anew each time
            self._known.put(self._path, found.value, signature)
        return found.value


def _speeds_of(values: object) -> dict[str, float]:
    if not isinstance(values, dict):
        raise DamagedFileError(NO_OBJECT)
    if not all(type(speed) in (int, float) for speed in values.values()):
        raise DamagedFileError(message("a speed in it is no number"))
    return _possible(values)


def _possible(speeds: Mapping[str, object]) -> dict[str, float]:
    """Those that are speeds: measured again is quicker than mended."""
    return {
        name: float(speed)
        for name, speed in speeds.items()
        if type(speed) in (int, float) and isinstance(speed, int | float)
        if math.isfinite(speed) and speed > 0
    }
