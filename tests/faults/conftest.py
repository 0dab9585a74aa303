"""What the cases share: a store of data sets, and a workspace whose only network is a tiny one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.training.tiny import tiny_backbone
from tlapp.backbones.catalog import Card
from tlapp.backbones.loading import Backbone
from tlapp.backbones.weights import WeightsStore
from tlapp.data.dataset import DatasetStore
from tlapp.settings import LOCAL_LIMITS, Settings
from tlapp.workspace import Workspace, new_visitor, owner_of


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "datasets", LOCAL_LIMITS)


@pytest.fixture
def tiny_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every backbone is the tiny one, which trains in a blink."""

    def load(
        card: Card, weights: WeightsStore | None = None, *, pretrained: bool = True, seed: int = 0
    ) -> Backbone:
        return replace(tiny_backbone(pretrained=pretrained, seed=seed), card=card)

    for place in ("tlapp.workspace.models.load_backbone", "tlapp.classifier.load_backbone"):
        monkeypatch.setattr(place, load)
    monkeypatch.setattr("tlapp.workspace.estimates.sketch_backbone", load)


@pytest.fixture
def workspace(settings: Settings, tiny_network: None) -> Iterator[Workspace]:
    workspace = Workspace(settings)
    yield workspace
    workspace.close()


@pytest.fixture
def owner() -> str:
    return owner_of(new_visitor())
