"""Records in memory: never older than the disk, never another owner's, and bounded."""

import gc
import math
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.runs.examples import make_record, make_row
from tlapp.errors import NotFoundError, RunError
from tlapp.files import write_atomically
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


def test_what_was_written_is_answered_from_memory_as_another_store_reads_it(
    store: RunStore, tmp_path: Path, reads: list[str]
) -> None:
    record = keep(store)
    store.record(record.run_id)
    config = {**record.config, "stage_rates": (("stage 9", 0.1),)}
    changed = replace(record, name="Another name", seconds=math.nan, config=config)
    store.folder(record.run_id).write(changed)
    (known,) = store.list(MINE)
    assert (known.name, known.epochs) == ("Another name", record.epochs)
    assert reads == ["record", "log"]
    other = RunStore(tmp_path / "runs")
    assert other.list(MINE) == (known,)
    other.close()


def test_a_fresh_run_is_known_until_its_first_epoch(store: RunStore, reads: list[str]) -> None:
    record = make_record(MINE)
    run = store.create(record)
    assert run.record() == record
    run.write(replace(record, state="running"))
    assert run.record().state == "running"
    assert reads == []
    run.append(make_row(1))
    assert len(run.record().epochs) == 1


@pytest.mark.parametrize("when", ["before", "at the same moment", "after"])
def test_what_another_process_writes_is_noticed(
    store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    record = keep(store)
    store.record(record.run_id)
    other = RunStore(tmp_path / "runs")

    def write_theirs() -> None:
        with monkeypatch.context() as undone:
            undone.setattr(folder_module, "write_atomically", write_atomically)
            other.folder(record.run_id).write(replace(record, name="Theirs"))

    def overtaken(path: Path, content: bytes, **how: bool) -> int:
        number = write_atomically(path, content, **how)
        write_theirs()
        return number

    if when == "before":
        write_theirs()
    elif when == "at the same moment":
        monkeypatch.setattr(folder_module, "write_atomically", overtaken)
    store.folder(record.run_id).write(replace(record, name="Ours"))
    if when == "after":
        write_theirs()
    assert store.record(record.run_id).name == ("Ours" if when == "before" else "Theirs")
    other.close()


def test_a_write_beside_damage_is_not_taken_for_sound(store: RunStore) -> None:
    record = keep(store)
    store.record(record.run_id)
    run = store.folder(record.run_id)
    (run.path / "epochs.jsonl").write_bytes(b"")
    run.write(record)
    assert "lost" in str(store.record(record.run_id).message)


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
