"""Values in memory: bounded, the newest used ones, and never older than what is on disk."""

import os
import threading
from pathlib import Path

import pytest

from tlapp.files import write_atomically
from tlapp.recent import Recent, signature_of


def kept_of(recent: Recent[str, str], keys: str) -> str:
    """Those of the keys that have a value, without asking for one that has none twice."""
    return "".join(key for key in keys if recent.get(key) is not None)


def test_the_longest_unused_value_makes_room() -> None:
    recent: Recent[str, str] = Recent(2)
    recent.put("a", "A")
    recent.put("b", "B")
    assert recent.get("a") == "A"  # now "b" is the longest unused
    recent.put("c", "C")
    assert kept_of(recent, "abc") == "ac"
    assert len(recent) == 2


def test_heavy_values_make_more_room() -> None:
    recent: Recent[str, str] = Recent(10, most_weight=10, weigh=len)
    for key in "abc":
        recent.put(key, "x" * 3)
    assert recent.weight == 9
    recent.put("d", "x" * 6)
    assert kept_of(recent, "abcd") == "cd"
    assert recent.weight == 9


def test_a_value_that_is_too_heavy_is_not_kept_and_drives_nothing_out() -> None:
    recent: Recent[str, str] = Recent(10, most_weight=10, weigh=len)
    recent.put("a", "A")
    recent.put("b", "B")
    recent.put("b", "x" * 11)
    assert kept_of(recent, "ab") == "a"
    assert recent.weight == 1


def test_a_value_in_place_of_another_weighs_alone() -> None:
    recent: Recent[str, str] = Recent(10, most_weight=10, weigh=len)
    for length in (3, 9, 5):
        recent.put("a", "x" * length)
        assert recent.weight == length
    recent.forget("a")
    recent.forget("a")
    assert (len(recent), recent.weight) == (0, 0)


def test_another_signature_misses_and_forgets() -> None:
    recent: Recent[str, str] = Recent(2)
    before, after = ((1,),), ((2,),)
    recent.put("a", "A", before)
    assert recent.get("a", before) == "A"
    assert recent.get("a", after) is None
    assert recent.get("a", before) is None
    assert len(recent) == 0


def test_what_was_written_is_kept_unless_somebody_else_has_written_since(tmp_path: Path) -> None:
    recent: Recent[str, str] = Recent(2)
    path = tmp_path / "file"
    ours, theirs = write_atomically(path, b"ours"), write_atomically(path, b"theirs")
    recent.put_written("a", "ours", path, ours)
    assert recent.get("a", signature_of(path)) is None
    recent.put_written("a", "theirs", path, theirs)
    assert recent.get("a", signature_of(path)) == "theirs"
    path.unlink()
    recent.put_written("b", "ours", path, ours)
    assert recent.get("b", signature_of(path)) is None


@pytest.mark.parametrize("change", ["longer", "replaced", "gone", "another time"])
def test_a_file_that_changes_has_another_signature(tmp_path: Path, change: str) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    before = signature_of(path)
    assert signature_of(path) == before
    if change == "longer":
        path.write_text("before and after")
    elif change == "replaced":
        other = tmp_path / "other"
        other.write_text("behind")  # of the same length, perhaps at the same tick of the clock
        other.replace(path)
    elif change == "gone":
        path.unlink()
    else:
        os.utime(path, (1, 1))
    assert signature_of(path) != before


def test_a_folder_has_another_signature_when_a_name_comes_or_goes(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    assert signature_of(folder) == (None,)
    folder.mkdir()
    os.utime(folder, (1, 1))  # not at the tick of the clock at which the name comes
    empty = signature_of(folder)
    (folder / "inside").mkdir()
    assert signature_of(folder) != empty != (None,)


def test_what_cannot_be_looked_at_is_not_there(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert signature_of(loop, tmp_path / "a\0b") == (None, None)


def test_many_threads_leave_the_weight_right() -> None:
    recent: Recent[int, str] = Recent(20, most_weight=200, weigh=len)
    barrier = threading.Barrier(4)

    def work(first: int) -> None:
        barrier.wait()
        for step in range(2_000):
            key = (first + step * 7) % 50
            recent.put(key, "x" * (key % 30))
            recent.get(key + 1)
            recent.forget(key + 2)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(recent) <= 20
    assert recent.weight <= 200
    found = [value for key in range(50) if (value := recent.get(key)) is not None]
    assert recent.weight == sum(map(len, found))
