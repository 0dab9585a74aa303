"""Speeds are measured here and remembered."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tlapp.backbones import speed
from tlapp.backbones.catalog import find_card
from tlapp.backbones.loading import load_backbone
from tlapp.backbones.speed import SpeedBook, measure_speed
from tlapp.backbones.weights import WeightsStore


def test_a_speed_is_a_number_of_pictures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(speed, "_MEASURE_SECONDS", 0.05)
    card = find_card("squeezenet1_1")
    backbone = load_backbone(card, WeightsStore(tmp_path), pretrained=False)
    assert measure_speed(backbone) > 0


def test_a_speed_is_remembered_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "home" / "speed.json"
    book = SpeedBook(path)
    assert book.get("resnet18") is None
    book.put("resnet18", 45.678)
    book.put("vgg16", 9.0)
    assert SpeedBook(path).get("resnet18") == 45.68
    assert SpeedBook(path).get("vgg16") == 9.0


@pytest.mark.parametrize("content", ["", "{", "[]", '{"resnet18": "fast"}'])
def test_a_damaged_book_is_an_empty_one(tmp_path: Path, content: str) -> None:
    path = tmp_path / "speed.json"
    path.write_text(content)
    book = SpeedBook(path)
    assert book.get("resnet18") is None
    book.put("resnet18", 1.0)
    assert book.get("resnet18") == 1.0


def test_the_book_is_read_once_and_again_when_another_app_has_written_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "speed.json"
    SpeedBook(path).put("resnet18", 1.0)
    reads: list[Path] = []
    read_generation, write_atomically = speed.read_generation, speed.write_atomically

    def counted(path: Path, make: Callable[[object], Any]) -> Any:
        reads.append(path)
        return read_generation(path, make)

    monkeypatch.setattr(speed, "read_generation", counted)
    book = SpeedBook(path)
    assert [book.get("resnet18") for _ in range(3)] == [1.0] * 3
    book.put("resnet18", 2.0)
    assert book.get("resnet18") == 2.0
    assert len(reads) == 1, "it wrote the file itself"
    SpeedBook(path).put("resnet18", 3.0)
    assert book.get("resnet18") == 3.0

    def overtaken(path: Path, content: bytes) -> int:
        number = write_atomically(path, content)
        write_atomically(path, b'{"resnet18": 5.0}')
        return number

    monkeypatch.setattr(speed, "write_atomically", overtaken)
    book.put("resnet18", 4.0)
    assert book.get("resnet18") == 5.0


def test_two_apps_may_remember_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "speed.json"

    def remember(name: str) -> None:
        for number in range(50):
            SpeedBook(path).put(name, float(number))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(remember, ["resnet18", "vgg16"]))
    assert 49.0 in (SpeedBook(path).get("resnet18"), SpeedBook(path).get("vgg16"))
