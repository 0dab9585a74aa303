"""Words that are put together from values."""

import pytest

from tlapp.ui import text


@pytest.mark.parametrize(
    ("number_of_bytes", "words"),
    [
        (0, "0 MB"),
        (1, "1 MB"),
        (1_499_999, "1 MB"),
        (45_000_000, "45 MB"),
        (1_000_000_000, "1.0 GB"),
    ],
)
def test_a_size_is_told_in_megabytes_and_nothing_is_nothing(
    number_of_bytes: int, words: str
) -> None:
    assert text.megabytes(number_of_bytes) == words
