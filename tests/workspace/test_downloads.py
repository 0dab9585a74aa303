"""Downloads: one that the queue refuses is not taken for one under way."""

from dataclasses import replace
from pathlib import Path

import pytest

from tlapp.backbones.weights import WeightsStore
from tlapp.errors import JobError
from tlapp.settings import Limits
from tlapp.workspace.models import Downloads


def test_a_download_that_is_refused_can_be_asked_for_again(tmp_path: Path, limits: Limits) -> None:
    downloads = Downloads(WeightsStore(tmp_path), replace(limits, waiting_jobs=0))
    for _ in range(2):
        with pytest.raises(JobError):
            downloads.start("resnet18")
        assert downloads.state("resnet18").state == "absent"
    downloads.close(1.0)
