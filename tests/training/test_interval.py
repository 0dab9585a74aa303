"""How sure an accuracy is."""

import pytest

from tlapp.training.interval import paired_difference, wilson_interval


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


def test_the_gain_on_the_same_pictures_has_the_interval_of_the_pairs() -> None:
    first = [True] * 80 + [False] * 20
    second = [True] * 77 + [False] * 3 + [True] * 9 + [False] * 11
    gain, low, high = paired_difference(first, second)
    assert gain == pytest.approx(0.06)
    # Agresti and Min (2005): (9.5 - 3.5) / 102, and 1.96 sqrt(13 - 36 / 102) / 102 around it.
    assert (low, high) == pytest.approx((-0.0095, 0.1272), abs=5e-4)


def test_equal_answers_are_no_certainty() -> None:
    gain, low, high = paired_difference([True, False], [True, False])
    assert gain == 0
    assert low < 0 < high


@pytest.mark.parametrize(("first", "second"), [([], []), ([True], [True, False])])
def test_a_gain_needs_the_same_pictures(first: list[bool], second: list[bool]) -> None:
    with pytest.raises(ValueError, match="same pictures"):
        paired_difference(first, second)
