"""Records in memory: never older than the disk, never another owner's, and bounded."""

import gc
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.runs.examples import make_record, make_row
from tlapp.errors import NotFoundError, RunError
from tlapp.runs import folder as folder_module
from tlapp.runs.record import RunRecord
from tlapp.runs.store import MOST_KNOWN_BYTES, RunStore

MINE, THEIRS = "a" * 64, "b" * 64


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs")
    yield store
    store.close()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every record and every log that is read from disk, in order."""
    names: list[str] = []
    read_generation, read_content = folder_module.read_generation, folder_module.read_content
    monkeypatch.setattr(
        folder_module,
        "read_generation",
        lambda path, make: names.append("record") or read_generation(path, make),
    )
    monkeypatch.setattr(
        folder_module,
        "read_content",
        lambda path, most: names.append("log") or read_content(path, most),
    )
    return names


def keep(store: RunStore, owner: str = MINE, *, epochs: int = 2, hits: int = 4) -> RunRecord:
    """A finished run on disk, with a model of its last epoch."""
    record = make_record(owner, state="finished", best_epoch=epochs)
    run = store.create(record)
    rows = tuple(make_row(epoch, valid_hits="1" * hits) for epoch in range(1, epochs + 1))
    for row in rows:
        run.append(row)
    run.write(replace(record, epochs=rows))
    (run.path / "models" / f"epoch-{epochs:04d}").mkdir(parents=True)
    return replace(record, epochs=rows)


def test_a_run_is_read_once_whatever_is_asked_of_it(store: RunStore, reads: list[str]) -> None:
    record = keep(store)
    for _ in range(3):
        assert store.list(MINE) == (record,)
        assert store.record(record.run_id) == record
        assert store.folder(record.run_id).best_model_epoch() == 2
    assert reads == ["record", "log"]


def test_a_record_that_was_rewritten_is_read_again_and_its_log_is_not(
    store: RunStore, reads: list[str]
) -> None:
    record = keep(store)
    store.record(record.run_id)
    renamed = replace(record, name="Another name")
    store.folder(record.run_id).write(renamed)
    assert store.list(MINE) == (renamed,)
    assert reads == ["record", "log", "record"]


def test_an_epoch_that_is_added_is_seen(store: RunStore) -> None:
    record = keep(store)
    store.record(record.run_id)
    run = store.folder(record.run_id)
    run.append(make_row(3))
    assert [row.epoch for row in run.epochs()] == [1, 2, 3]
    assert [row.epoch for row in store.record(record.run_id).epochs] == [1, 2, 3]


def test_damage_that_comes_after_reading_is_noticed(store: RunStore) -> None:
    record = keep(store)
    store.record(record.run_id)
    path = store.folder(record.run_id).path
    (path / "epochs.jsonl").write_bytes(b"\0\0{\n")
    assert "are lost" in store.record(record.run_id).message.template
    for name in ("run.json", "run.json.before"):
        (path / name).write_bytes(b"\0\0{")
    with pytest.raises(RunError):
        store.record(record.run_id)
    assert store.list(MINE) == ()


def test_a_deleted_run_is_forgotten(store: RunStore) -> None:
    record = keep(store)
    store.record(record.run_id)
    store.delete(record.run_id)
    with pytest.raises(NotFoundError):
        store.record(record.run_id)
    assert store.list(MINE) == ()


def test_owners_see_their_own_runs_alone_when_all_are_in_memory(store: RunStore) -> None:
    mine, theirs = keep(store, MINE), keep(store, THEIRS)
    store.all_records()
    for _ in range(2):
        assert store.list(MINE) == (mine,)
        assert store.list(THEIRS) == (theirs,)


def test_what_does_not_fit_is_read_again(tmp_path: Path, reads: list[str]) -> None:
    store = RunStore(tmp_path / "small", most_known_bytes=1)
    record = keep(store)
    for _ in range(2):
        assert store.record(record.run_id) == record
    store.close()
    assert reads == ["record", "log"] * 2


def test_a_record_takes_no_more_memory_than_is_reckoned(tmp_path: Path) -> None:
    """So 500 runs of 200 epochs of 300 held-out pictures stay within the bound, and nearly fit."""
    store = RunStore(tmp_path / "runs")
    for _ in range(4):
        keep(store, epochs=200, hits=300)
    gc.collect()
    tracemalloc.start()
    records = store.list(MINE)
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    store.close()
    reckoned = sum(record.weight_bytes for record in records)
    assert reckoned / 2 < taken < reckoned
    assert 500 * records[0].weight_bytes < MOST_KNOWN_BYTES
