"""How sure an accuracy is. Here and not in `evaluation`, because a training tells it."""

import math

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
