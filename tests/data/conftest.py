"""A store of data sets of the test's own."""

from pathlib import Path

import pytest

from tlapp.data.dataset import DatasetStore
from tlapp.settings import LOCAL_LIMITS


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "datasets", LOCAL_LIMITS)
