"""The fastest bare forward pass of a network on this machine, to hold feature extraction against.

Random input that lies ready in memory: no decoding, no cache, nothing kept. N pictures, C, H, W.
"""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
ROUNDS = 3
PICTURES_PER_ROUND = 64


@dataclass(frozen=True)
class BareForward:
    """The best way that was found, and its speed."""

    pictures_per_second: float
    batch_size: int
    streams: int  # threads that each run a forward pass of their own

    def __str__(self) -> str:
        kind = "one stream on all cores" if self.streams == 1 else f"{self.streams} streams"
        return f"{kind}, batch {self.batch_size}"


def best_bare_forward(module: nn.Module, side_pixels: int) -> BareForward:
    """The best over batch sizes 1 to 64, one stream against one single-thread stream per core.

    Best of `ROUNDS` each, channels-last, inference mode; ways that lose by half are not repeated.
    """
    cores = os.cpu_count() or 1
    best = BareForward(0.0, 0, 1)
    for streams in sorted({1, cores}):
        for batch_size in BATCH_SIZES:
            for _ in range(ROUNDS):
                speed = _pictures_per_second(module, side_pixels, batch_size, streams=streams)
                if speed > best.pictures_per_second:
                    best = BareForward(speed, batch_size, streams)
                if speed < best.pictures_per_second / 2:
                    break
    return best


def seconds_of(module: nn.Module, side_pixels: int, way: BareForward, count: int) -> float:
    """The wall time of `count` pictures at this moment, in the way that was found best."""
    speed = _pictures_per_second(
        module, side_pixels, way.batch_size, streams=way.streams, pictures=count
    )
    return count / speed


def _pictures_per_second(
    module: nn.Module,
    side_pixels: int,
    batch_size: int,
    *,
    streams: int,
    pictures: int = PICTURES_PER_ROUND,
) -> float:
    cores = os.cpu_count() or 1
    batches = max(2, pictures // (batch_size * streams))
    x_NCHW = torch.randn(batch_size, 3, side_pixels, side_pixels)
    x_NCHW = x_NCHW.contiguous(memory_format=torch.channels_last)
    with _threads_per_stream(cores // streams), ThreadPoolExecutor(streams) as pool:
        list(pool.map(lambda _: _forward(module, x_NCHW, 1), range(streams)))  # warm-up
        started = time.perf_counter()
        list(pool.map(lambda _: _forward(module, x_NCHW, batches), range(streams)))
        seconds = time.perf_counter() - started
    return batch_size * batches * streams / seconds


def _forward(module: nn.Module, x_NCHW: Tensor, times: int) -> None:
    with torch.inference_mode():
        for _ in range(times):
            module(x_NCHW)


@contextmanager
def _threads_per_stream(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, count))
    try:
        yield
    finally:
        torch.set_num_threads(before)
