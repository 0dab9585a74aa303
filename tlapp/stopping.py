"""How long work is told to end: it asks between two steps."""

from collections.abc import Callable

ShouldStop = Callable[[], bool]  # whether to end now, keeping what is done; any thread may ask
