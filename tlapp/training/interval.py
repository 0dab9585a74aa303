"""How sure an accuracy is. Here and not in `evaluation`, because a training tells it."""

import math
from collections.abc import Sequence

_Z = 1.959963984540054  # 97.5 % quantile of the standard normal distribution: 95 % two-sided


def wilson_interval(correct: int, total: int) -> tuple[float, float]:
    """The 95 % interval (low, high), both 0 to 1, of a share seen as `correct` of `total`.

    Wilson 1927; unlike share +/- error it stays within 0 to 1 and holds for few pictures.
    Raises ValueError unless 0 <= correct <= total and total is 1 or more.
    """
    if not 0 <= correct <= total or total < 1:
        raise ValueError(f"{correct} correct of {total} is not possible.")
    share = correct / total
    spread = 1 + _Z**2 / total
    middle = (share + _Z**2 / (2 * total)) / spread
    half = _Z / spread * math.sqrt(share * (1 - share) / total + _Z**2 / (4 * total**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def paired_difference(first: Sequence[bool], second: Sequence[bool]) -> tuple[float, float, float]:
    """How much more often `second` is right than `first` on the same pictures: (gain, low, high).

    -1 to 1; `low` and `high` are the 95 % interval. From the pictures on which they differ, each
    of the four kinds of pair counted half a picture more, which keeps the interval honest for few
    pictures (Agresti and Min 2005). Raises ValueError unless both have the same length, 1 or more.
    """
    if len(first) != len(second) or not first:
        raise ValueError("Both must tell of the same pictures, one or more.")
    total = len(first)
    gained = sum(not a and b for a, b in zip(first, second, strict=True))
    lost = sum(a and not b for a, b in zip(first, second, strict=True))
    wide_total, wide_gained, wide_lost = total + 2, gained + 0.5, lost + 0.5
    centre = (wide_gained - wide_lost) / wide_total
    spread = wide_gained + wide_lost - (wide_gained - wide_lost) ** 2 / wide_total
    margin = _Z * math.sqrt(spread) / wide_total
    return (gained - lost) / total, max(-1.0, centre - margin), min(1.0, centre + margin)
