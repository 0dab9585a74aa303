"""Wall time of what takes turns with something else."""

import time


class Stopwatch:
    """Runs from the beginning, and not while it is paused."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._began: float | None = time.perf_counter()

    def pause(self) -> None:
        """Stand still from now on."""
        self._seconds = self.seconds()
        self._began = None

    def go_on(self) -> None:
        """Run from now on."""
        self._began = time.perf_counter()

    def seconds(self) -> float:
        """Time run so far."""
        return self._seconds + (time.perf_counter() - self._began if self._began else 0.0)
