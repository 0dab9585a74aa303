"""Doubts about settings have words."""

from typing import get_args

import pytest

from tlapp.training.doubts import Doubt, DoubtName
from tlapp.ui.text.doubts import sentence


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
