"""How sure an accuracy is."""

import pytest

from tlapp.training.interval import wilson_interval


def test_the_interval_is_the_published_one() -> None:
    # Newcombe 1998, table I, method 3 (Wilson without continuity correction).
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_interval(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)
    assert wilson_interval(29, 29)[1] == 1.0


@pytest.mark.parametrize(("correct", "total"), [(0, 0), (2, 1), (-1, 3)])
def test_a_share_that_cannot_be_is_refused(correct: int, total: int) -> None:
    with pytest.raises(ValueError, match="not possible"):
        wilson_interval(correct, total)
