"""Words that are put together from values."""

from typing import get_args

import pytest

from tlapp.training.doubts import Doubt, DoubtName
from tlapp.ui import text
from tlapp.ui.text.doubts import sentence


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


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "under 1 s"),
        (12.4, "12 s"),
        (104.0, "1 min 40 s"),
        (124.0, "2 min"),
        (400.0, "7 min"),
        (9_000.0, "2.5 h"),
    ],
)
def test_a_duration_is_as_fine_as_people_need(seconds: float, words: str) -> None:
    assert text.duration(seconds) == words


@pytest.mark.parametrize("name", get_args(DoubtName))
def test_every_doubt_has_a_sentence_with_its_figures(name: DoubtName) -> None:
    doubt = Doubt(name=name, stage="stage 2", above="stage 3", rate=0.01, usual=0.002, count=4999)
    figures = {
        "locked above": ("Stage 2", "stage 3"),
        "one rate": ("0.01",),
        "wrecking rate": ("0.01",),
        "wild head": ("0.01", "0.002"),
        "batchnorm": ("4999",),
        "from scratch": ("4,999",),
    }[name]
    assert all(figure in str(sentence(doubt)) for figure in figures)
