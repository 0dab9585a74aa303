"""Runs on disk: whole or not at all, found again after a crash, unreachable by a guess."""

import gc
import json
import math
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.runs.examples import (
    kept_run,
    make_classifier,
    make_record,
    make_row,
    published_backbone,
)
from tlapp.errors import NotFoundError, RunError
from tlapp.files import write_atomically
from tlapp.messages import NOTHING, message, verbatim
from tlapp.runs import folder as folder_module
from tlapp.runs.folder import RunFolder
from tlapp.runs.record import ClassResult, RunRecord, record_of
from tlapp.runs.store import KEEPER_NAME, MOST_KNOWN_BYTES, RunStore
from tlapp.stored import DamagedFileError

MINE, THEIRS = "a" * 64, "b" * 64
HOSTILE_IDS = ("", ".", "..", "../x", "r_" + "a" * 31, "r_" + "/" * 32, "r_" + "." * 32, "a\0b")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs")
    yield store
    store.close()


def test_a_record_comes_back_from_json_as_it_was() -> None:
    record = make_record(
        state="finished",
        epochs=(make_row(1), make_row(2, valid_loss=None, valid_accuracy=None)),
        valid_interval=(0.25, 0.75),
        best_epoch=2,
    )
    text = json.dumps(record.to_json(), allow_nan=False)
    assert record_of(json.loads(text)) == record


def test_figures_that_are_no_numbers_are_still_valid_json() -> None:
    row = make_row(1, train_loss=math.inf, valid_loss=math.nan)
    record = make_record(epochs=(row,))
    back = record_of(json.loads(json.dumps(record.to_json(), allow_nan=False)))
    assert math.isnan(back.epochs[0].train_loss)
    assert back.epochs[0].valid_loss is None


def test_fields_of_a_later_version_are_passed_over() -> None:
    values = {**make_record().to_json(), "colour": "blue"}
    assert record_of(values).name == "First try"


def test_a_file_keeps_ids_and_values_of_what_is_said(store: RunStore) -> None:
    said = message("Stopped after {done} of {planned} epochs", done=1, planned=3)
    record = make_record(state="stopped", message=said, hint=message("Press Train again."))
    run = store.create(record)
    kept = json.loads((run.path / "run.json").read_text())
    assert kept["message"] == {"id": said.template, "values": {"done": 1, "planned": 3}}
    assert store.record(record.run_id) == record


def test_sentences_of_an_earlier_version_open_as_they_are() -> None:
    values = make_record(state="failed").to_json()
    sentence = "Learning rate too high: {it} grew."
    kept = {**values, "message": sentence, "hint": "", "replaced_layer": "fc: 512 -> 1000"}
    record = record_of(kept)
    assert (record.message, record.hint) == (verbatim(sentence), NOTHING)
    assert str(record.replaced_layer) == "fc: 512 -> 1000"


@pytest.mark.parametrize("values", [[], {}, {"run_id": 1}, "text", None])
def test_something_else_than_a_record_is_refused(values: object) -> None:
    with pytest.raises(DamagedFileError):
        record_of(values)


def test_a_run_is_found_with_all_its_epochs(store: RunStore) -> None:
    record = make_record()
    run = store.create(record)
    run.append(make_row(1))
    run.append(make_row(2))
    assert [row.epoch for row in store.record(record.run_id).epochs] == [1, 2]


def test_a_torn_last_line_costs_that_epoch_alone(store: RunStore) -> None:
    run = store.create(make_record())
    run.append(make_row(1))
    with (run.path / "epochs.jsonl").open("ab") as file:
        file.write(b'{"epoch": 2, "train_lo')
    assert [row.epoch for row in run.epochs()] == [1]


@pytest.mark.parametrize("run_id", HOSTILE_IDS)
def test_a_malformed_id_is_unknown_and_touches_no_file(store: RunStore, run_id: str) -> None:
    for use in (store.record, store.folder, store.delete):
        with pytest.raises(NotFoundError):
            use(run_id)


def test_a_deleted_run_is_gone_and_others_stay(store: RunStore) -> None:
    doomed, kept = make_record(), make_record()
    store.create(doomed)
    store.create(kept)
    store.delete(doomed.run_id)
    with pytest.raises(NotFoundError):
        store.record(doomed.run_id)
    assert store.record(kept.run_id) == kept


def test_a_listing_shows_the_owners_runs_newest_first(store: RunStore) -> None:
    old = make_record(created="2026-01-01T00:00:00+00:00")
    recent = make_record(created="2026-02-01T00:00:00+00:00")
    other = make_record(owner="b" * 64)
    for record in (old, recent, other):
        store.create(record)
    assert [record.run_id for record in store.list("a" * 64)] == [recent.run_id, old.run_id]


def test_a_listing_reads_other_peoples_runs_once(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = make_record(), make_record(owner="b" * 64)
    for record in (mine, theirs):
        store.create(record)
    read: list[str] = []
    from_disk = RunFolder.record

    def watched(folder: RunFolder) -> RunRecord:
        read.append(folder.path.name)
        return from_disk(folder)

    monkeypatch.setattr(RunFolder, "record", watched)
    for _ in range(3):
        assert [record.run_id for record in store.list("a" * 64)] == [mine.run_id]
    assert (read.count(mine.run_id), read.count(theirs.run_id)) == (3, 1)


def test_an_epoch_that_ends_while_the_record_is_read_is_not_called_lost(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(make_record())
    run.append(make_row(1))
    model_epochs = RunFolder.model_epochs

    def later(folder: RunFolder) -> tuple[int, ...]:
        """The worker ends an epoch in between: its row first, then its model."""
        epoch = len(folder.epochs()) + 1
        run.append(make_row(epoch))
        (run.path / "models" / f"epoch-{epoch:04d}").mkdir(parents=True)
        return model_epochs(folder)

    monkeypatch.setattr(RunFolder, "model_epochs", later)
    record = run.record()
    assert not record.message
    assert [row.epoch for row in record.epochs] == [1, 2]


def test_a_damaged_run_does_not_hide_the_others(store: RunStore) -> None:
    good, bad = make_record(), make_record()
    store.create(good)
    (store.create(bad).path / "run.json").write_bytes(b"\0\0{")
    assert [record.run_id for record in store.list(good.owner)] == [good.run_id]


def _abandon(store: RunStore, record: RunRecord) -> RunFolder:
    """A run whose process is gone."""
    run = store.create(record)
    write_atomically(run.path / KEEPER_NAME, b"0123456789abcdef.lock")
    return run


def test_a_run_of_a_dead_process_is_stopped_with_its_newest_best_model(
    store: RunStore, tmp_path: Path
) -> None:
    record = replace(make_record(), valid_count=10, valid_class_counts=(4, 6))
    run = _abandon(store, record)
    run.write(replace(record, state="running"))
    backbone = published_backbone()
    for epoch in (1, 2, 3):
        figures = {"valid_accuracy": epoch / 10, "valid_class_correct": (0, epoch)}
        run.append(make_row(epoch, is_best=epoch < 3, **figures))
    for epoch in (2, 3):
        run.save_model(epoch, make_classifier(backbone, epoch))
    second = RunStore(tmp_path / "runs")
    found = second.record(record.run_id)
    second.close()
    assert found.state == "stopped"
    assert found.best_epoch == 2
    assert found.valid_accuracy == pytest.approx(0.2)
    assert found.valid_correct == 2
    assert found.valid_interval == pytest.approx((0.057, 0.510), abs=1e-3)  # Wilson's, of 2 in 10
    assert found.class_results == (ClassResult("cat", 0, 4), ClassResult("dog", 2, 6))
    assert found.message.value("epoch") == "2"
    assert found.hint
    assert run.model_path().name == "epoch-0002"


def test_a_run_that_waited_when_its_process_died_is_told_so(
    store: RunStore, tmp_path: Path
) -> None:
    record = make_record()
    _abandon(store, record)
    second = RunStore(tmp_path / "runs")
    found = second.record(record.run_id)
    second.close()
    assert (found.state, found.best_epoch) == ("stopped", None)
    assert "waited for its turn" in found.message.template
    assert found.hint == message("Press Train again.")


def test_a_run_of_a_living_process_is_left_alone(store: RunStore, tmp_path: Path) -> None:
    record = make_record()
    run = store.create(record)
    run.write(replace(record, state="running"))
    second = RunStore(tmp_path / "runs")
    assert second.record(record.run_id).state == "running"
    second.close()


def test_models_of_other_epochs_are_dropped(store: RunStore) -> None:
    run = store.create(make_record())
    backbone = published_backbone()
    for epoch in (1, 2, 3):
        run.save_model(epoch, make_classifier(backbone, epoch))
    run.keep_models(frozenset({2}))
    assert run.model_epochs() == (2,)


def test_without_a_model_the_answer_says_what_to_do(store: RunStore) -> None:
    run = store.create(make_record())
    with pytest.raises(RunError, match="no trained model") as refused:
        run.model_path()
    assert refused.value.hint


def test_a_folder_that_is_no_run_is_named_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(RunError) as refused:
        RunFolder(tmp_path / "holiday").record()
    assert "holiday" in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


# In memory: never older than the disk, never another owner's, and bounded.


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


def test_a_run_is_read_once_whatever_is_asked_of_it(store: RunStore, reads: list[str]) -> None:
    record = kept_run(store)
    for _ in range(3):
        assert store.list(MINE) == (record,)
        assert store.record(record.run_id) == record
        assert store.folder(record.run_id).best_model_epoch() == 2
    assert reads == ["record", "log"]


def test_what_was_written_is_answered_from_memory_as_another_store_reads_it(
    store: RunStore, tmp_path: Path, reads: list[str]
) -> None:
    record = kept_run(store)
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
    record = kept_run(store)
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
    record = kept_run(store)
    store.record(record.run_id)
    run = store.folder(record.run_id)
    (run.path / "epochs.jsonl").write_bytes(b"")
    run.write(record)
    assert "are lost" in str(store.record(record.run_id).message)


def test_an_epoch_that_is_added_is_seen(store: RunStore) -> None:
    record = kept_run(store)
    store.record(record.run_id)
    run = store.folder(record.run_id)
    run.append(make_row(3))
    assert [row.epoch for row in run.epochs()] == [1, 2, 3]
    assert [row.epoch for row in store.record(record.run_id).epochs] == [1, 2, 3]


def test_damage_that_comes_after_reading_is_noticed(store: RunStore) -> None:
    record = kept_run(store)
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
    record = kept_run(store)
    store.record(record.run_id)
    store.delete(record.run_id)
    with pytest.raises(NotFoundError):
        store.record(record.run_id)
    assert store.list(MINE) == ()


def test_owners_see_their_own_runs_alone_when_all_are_in_memory(store: RunStore) -> None:
    mine, theirs = kept_run(store, MINE), kept_run(store, THEIRS)
    store.all_records()
    for _ in range(2):
        assert store.list(MINE) == (mine,)
        assert store.list(THEIRS) == (theirs,)


def test_what_does_not_fit_is_read_again(tmp_path: Path, reads: list[str]) -> None:
    store = RunStore(tmp_path / "small", most_known_bytes=1)
    record = kept_run(store)
    for _ in range(2):
        assert store.record(record.run_id) == record
    store.close()
    assert reads == ["record", "log"] * 2


def test_a_record_takes_no_more_memory_than_is_reckoned(tmp_path: Path) -> None:
    """So 500 runs of 200 epochs of 300 held-out pictures stay within the bound, and nearly fit."""
    store = RunStore(tmp_path / "runs")
    for _ in range(4):
        kept_run(store, epochs=200, hits=300)
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
