"""How long a training will still take, from the steps and epochs seen so far.

Within an epoch steps come evenly and measuring follows them, so both are timed apart; otherwise the
figure would jump at every epoch's end.
"""

_MEASURING_GUESS = 0.15  # of an epoch's steps, before one has been seen: a third of a step's cost
_SMOOTHING = 0.1  # of the newest step in the mean: follows a machine that becomes busy


class Pace:
    """Times of one training. The clock is the caller's: `at` is any steady time in seconds."""

    def __init__(self, epochs: int) -> None:
        """`epochs` are planned in all."""
        self._epochs = epochs
        self._last: float | None = None  # when the last step or epoch ended
        self._step_seconds: float | None = None  # smoothed
        self._measuring_seconds: float | None = None  # of the last epoch
        self._epoch_seconds: float | None = None  # of epochs that do not tell their steps, smoothed

    def begin(self, at: float) -> None:
        """A phase begins to learn."""
        self._last = at

    def step(self, epoch: int, batch: int, batches: int, *, at: float) -> float | None:
        """Seconds left after this step; None: not known yet."""
        if self._last is not None:
            self._step_seconds = _smooth(self._step_seconds, at - self._last)
        self._last = at
        if self._step_seconds is None:
            return None
        steps = self._step_seconds * batches
        measuring = self._measuring_seconds
        measuring = steps * _MEASURING_GUESS if measuring is None else measuring
        rest_of_epoch = self._step_seconds * (batches - batch) + measuring
        return rest_of_epoch + (self._epochs - epoch) * (steps + measuring)

    def epoch(self, epoch: int, seconds: float, batches: int, *, at: float) -> float:
        """Seconds left after this epoch of `batches` told steps (0: it told none)."""
        if batches and self._last is not None:
            self._measuring_seconds = at - self._last
        self._last = at
        if batches and self._step_seconds is not None and self._measuring_seconds is not None:
            each = self._step_seconds * batches + self._measuring_seconds
        else:
            each = self._epoch_seconds = _smooth(self._epoch_seconds, seconds)
        return max(0.0, each * (self._epochs - epoch))


def _smooth(mean: float | None, newest: float) -> float:
    return newest if mean is None else (1 - _SMOOTHING) * mean + _SMOOTHING * newest
