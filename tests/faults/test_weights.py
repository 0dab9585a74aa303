"""Group I beyond what `tests/backbones/test_weights.py` shows: no network at all, and its moods."""

import hashlib
import io
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.backbones.weights_server import WeightsServer, serving
from tests.pictures import class_folder
from tests.workspace.conftest import PATIENCE_SECONDS, bring
from tlapp.backbones.catalog import Card, find_card
from tlapp.backbones.weights import DownloadFinished, DownloadStarted, WeightsStore
from tlapp.errors import BackboneError
from tlapp.settings import Settings
from tlapp.training.config import TrainConfig
from tlapp.workspace import Workspace, new_visitor, owner_of

MOST_ATTEMPTS = 4
STATE = {"fc.weight": torch.arange(50_000, dtype=torch.float32)}


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    buffer = io.BytesIO()
    torch.save(STATE, buffer)
    with serving(buffer.getvalue()) as running:
        yield running


@pytest.fixture
def card(server: WeightsServer) -> Card:
    """ResNet-18's card, but for the test's own small file."""
    digest = hashlib.sha256(server.content).hexdigest()
    return replace(
        find_card("resnet18"),
        file_name=f"resnet18-{digest[:8]}.pth",
        download_bytes=len(server.content),
    )


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*arguments: object, **options: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr("socket.create_connection", unreachable)
    monkeypatch.setattr("socket.getaddrinfo", unreachable)


def refusal(store: WeightsStore, card: Card) -> BackboneError:
    with pytest.raises(BackboneError) as caught:
        list(store.fetch(card, lambda: False))
    assert "EfficientNet-Lite0" in str(caught.value.hint)  # what works without internet
    assert not store.is_ready(card)
    return caught.value


def test_without_a_network_the_packaged_backbone_trains(
    settings: Settings, tmp_path: Path, no_network: None
) -> None:
    workspace = Workspace(settings)
    owner = owner_of(new_visitor())
    folder = class_folder(tmp_path / "few", ("dots", "stripes"), per_class=4)
    dataset = bring(workspace, owner, folder)
    run_id = workspace.trainings.start(owner, dataset, TrainConfig(epochs=2))
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    assert workspace.run(run_id).state == "finished"
    workspace.close()


def test_what_was_downloaded_is_read_without_a_network(
    tmp_path: Path, server: WeightsServer, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(WeightsStore(tmp_path, base_url=server.url).fetch(card, lambda: False))
    asked = len(server.requests)
    later = WeightsStore(tmp_path, base_url="http://127.0.0.1:9")  # nobody listens there
    assert later.is_ready(card)
    assert torch.equal(later.state_dict(card)["fc.weight"], STATE["fc.weight"])
    events = [type(event) for event in later.fetch(card, lambda: False)]
    assert events == [DownloadStarted, DownloadFinished]
    assert len(server.requests) == asked


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_always_refuses_is_asked_a_few_times_and_named(
    tmp_path: Path, server: WeightsServer, card: Card, status: int
) -> None:
    server.statuses = [status] * 50
    error = refusal(WeightsStore(tmp_path, base_url=server.url), card)
    assert f"error {status}" in str(error)
    assert len(server.requests) == MOST_ATTEMPTS


def test_a_connection_that_is_always_cut_ends_after_a_few_attempts(
    tmp_path: Path, server: WeightsServer, card: Card
) -> None:
    server.honours_range = False
    server.cut_at = [1_000] * 50
    refusal(WeightsStore(tmp_path, base_url=server.url), card)
    assert len(server.requests) == MOST_ATTEMPTS


def test_a_server_without_encryption_in_place_of_one_with_it_is_not_believed(
    tmp_path: Path, server: WeightsServer, card: Card
) -> None:
    encrypted = server.url.replace("http:", "https:")
    assert "Cannot reach" in str(refusal(WeightsStore(tmp_path, base_url=encrypted), card))


def test_a_name_that_nobody_knows_is_told_in_words(
    tmp_path: Path, card: Card, no_network: None
) -> None:
    store = WeightsStore(tmp_path, base_url="https://weights.invalid")
    assert "Cannot reach weights.invalid" in str(refusal(store, card))


def test_a_proxy_that_is_not_there_is_told_in_words(
    tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("urllib.request._opener", None)  # it read the environment at its first use
    store = WeightsStore(tmp_path, base_url="http://weights.invalid")
    assert "Cannot reach weights.invalid" in str(refusal(store, card))
