"""Threads that each compute on one core.

Several single-threaded forward passes side by side are faster than one pass on all cores, and
leave room for decoding in between. torch's thread count is set per thread, but threads born later
inherit the last value set anywhere: it is put back at once, so that nobody else is slowed down.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch

_LOCK = threading.Lock()  # guards torch's process-wide default, which is torch's state


def core_count() -> int:
    """How many workers run side by side: the threads torch uses, so `OMP_NUM_THREADS` counts."""
    return max(1, torch.get_num_threads())


def open_workers(count: int) -> ThreadPoolExecutor:
    """`count` threads that compute on one core each."""
    return ThreadPoolExecutor(count, thread_name_prefix="worker", initializer=_keep_to_one_core)


@cache
def shared_workers(count: int) -> ThreadPoolExecutor:
    """The same `count` threads for everybody. What a thread has freed, only it can use again: many
    threads that each compute now and then would hold many times the memory."""
    return open_workers(count)


def _keep_to_one_core() -> None:
    """Set this thread's count to 1 and the value that later threads inherit back."""
    with _LOCK:
        inherited = torch.get_num_threads()
        torch.set_num_threads(1)
        # Setting it also sets the setting thread's own count: hence a thread of its own.
        restore = threading.Thread(target=torch.set_num_threads, args=(inherited,))
        restore.start()
        restore.join()
