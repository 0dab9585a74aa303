"""The question that long work asks between two steps: should I end now?"""

from collections.abc import Callable

ShouldStop = Callable[[], bool]  # any thread may ask
