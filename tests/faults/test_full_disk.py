"""Faults 100 and 104: a disk that refuses at any write, and a clock that jumps."""

import errno
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.data.importing import imported, tree
from tests.pictures import class_folder, zip_folder
from tests.training.tiny import tiny_backbone
from tlapp.backbones.weights import WeightsStore
from tlapp.classifier import Classifier, load_classifier, make_linear, save_classifier
from tlapp.data.dataset import DatasetStore, ImportFinished, ImportProgress, ImportStarted
from tlapp.errors import DataError

MOST_CALLS = 200


class FullDisk:
    """From one call on, nothing can be written, made or renamed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._calls = 0
        self._first = MOST_CALLS
        for name in ("mkdir", "replace", "rename"):
            monkeypatch.setattr(Path, name, self._guarded(getattr(Path, name)))
        monkeypatch.setattr(Path, "open", self._guarded(Path.open, is_open=True))

    def begin(self, call: int) -> None:
        """Be full from this call on, 1 for the first."""
        self._calls, self._first = 0, call

    @property
    def has_refused(self) -> bool:
        """Whether it came to that."""
        return self._calls >= self._first

    def _guarded(
        self, original: Callable[..., Any], *, is_open: bool = False
    ) -> Callable[..., Any]:
        def call(path: Path, *arguments: Any, **options: Any) -> Any:
            mode = options.get("mode", arguments[0] if arguments else "r")
            if not is_open or set(mode) & set("wxa+"):
                self._calls += 1
                if self._calls >= self._first:
                    raise OSError(errno.ENOSPC, "No space left on device")
            return original(path, *arguments, **options)

        return call


@pytest.mark.parametrize("as_zip", [False, True])
def test_a_disk_that_is_full_at_any_write_of_an_import_is_told_and_changes_nothing(
    store: DatasetStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_zip: bool
) -> None:
    folder = class_folder(tmp_path / "few", ("dots", "stripes"), per_class=2, width=30, height=30)
    source = zip_folder(folder, tmp_path / "few.zip") if as_zip else folder
    kept = imported(store, source)
    before = tree(tmp_path / "datasets")
    disk = FullDisk(monkeypatch)
    call = 0
    while call < MOST_CALLS:
        call += 1
        disk.begin(call)
        try:
            imported(store, source)
        except DataError as error:
            assert disk.has_refused
            assert "No space left" in str(error) or "full" in str(error)
            assert error.hint
            assert str(tmp_path) not in str(error.said)
        disk.begin(MOST_CALLS)
        assert store.load(kept.dataset_id) == kept
        if tree(tmp_path / "datasets") != before:
            break
    assert 4 < call < MOST_CALLS
    assert len(store.list("anna")) == 2


def test_a_disk_that_is_full_at_any_write_of_a_model_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = tiny_backbone()
    monkeypatch.setattr("tlapp.classifier.load_backbone", lambda *_args, **_options: backbone)
    weights = WeightsStore(tmp_path / "weights")

    def model(value: float) -> Classifier:
        head = make_linear(torch.zeros(2, backbone.feature_width), torch.full((2,), value))
        return Classifier(backbone, head, ("a", "b"))

    save_classifier(model(1.0), tmp_path / "model")
    disk = FullDisk(monkeypatch)
    call, has_refused = 0, True
    while has_refused and call < MOST_CALLS:
        call += 1
        disk.begin(call)
        try:
            save_classifier(model(2.0), tmp_path / "model")
        except OSError as error:
            assert error.errno == errno.ENOSPC
        has_refused = disk.has_refused
        disk.begin(MOST_CALLS)
        found = load_classifier(tmp_path / "model", weights)
        assert float(found.head.bias[0]) == (1.0 if has_refused else 2.0)
    assert call > 3


@pytest.mark.parametrize("jump_seconds", [86_400.0, -86_400.0])
def test_a_clock_that_jumps_does_not_make_an_import_under_way_a_leftover(
    store: DatasetStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump_seconds: float
) -> None:
    """Fault 104."""
    folder = class_folder(tmp_path / "few", ("dots", "stripes"), per_class=4, width=30, height=30)
    first = store.import_folder(folder, name="x", owner="anna", should_stop=lambda: False)
    assert isinstance(next(first), ImportStarted)
    assert isinstance(next(first), ImportProgress)  # its folder is there
    now_seconds = time.time() + jump_seconds
    monkeypatch.setattr("time.time", lambda: now_seconds)
    imported(store, folder)
    assert isinstance(list(first)[-1], ImportFinished)
    assert len(store.list("anna")) == 2
