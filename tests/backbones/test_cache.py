"""Features on disk: found again after anything, never wrong, never more than the budget."""

import hashlib
import os
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from tlapp.backbones.cache import FeatureCache

WIDTH = 8
PLENTY = 10**9


def _ids(count: int, first: int = 0) -> list[str]:
    return [f"{number:064x}" for number in range(first, first + count)]


def _rows(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, WIDTH, generator=torch.Generator().manual_seed(seed))


def _age(folder: Path, seconds: float) -> None:
    """As if everything had last been used so long ago."""
    then = time.time() - seconds
    for path in folder.iterdir():
        os.utime(path, (then, then))


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path, PLENTY)


def test_what_was_put_is_found_in_any_order_and_the_rest_is_not(cache: FeatureCache) -> None:
    rows_ND = _rows(5)
    cache.put("key", _ids(5), rows_ND)
    found_ND, is_found = cache.get("key", [*_ids(1, 3), "unknown", *_ids(1, 0), *_ids(1, 3)], WIDTH)
    assert is_found == [True, False, True, True]
    assert torch.equal(found_ND[[0, 2, 3]], rows_ND[[3, 0, 3]])


def test_keys_do_not_mix(cache: FeatureCache) -> None:
    cache.put("plain", _ids(1), _rows(1))
    assert cache.get("view 1", _ids(1), WIDTH)[1] == [False]


def test_it_survives_a_restart(cache: FeatureCache, tmp_path: Path) -> None:
    cache.put("key", _ids(5), _rows(5))
    found_ND, is_found = FeatureCache(tmp_path, PLENTY).get("key", _ids(5), WIDTH)
    assert all(is_found)
    assert torch.equal(found_ND, _rows(5))


def test_two_processes_can_share_a_folder(cache: FeatureCache, tmp_path: Path) -> None:
    other = FeatureCache(tmp_path, PLENTY)
    assert other.get("key", _ids(1), WIDTH)[1] == [False]
    cache.put("key", _ids(1), _rows(1))
    assert other.get("key", _ids(1), WIDTH)[1] == [True]


@pytest.mark.parametrize("damage", ["torn", "empty", "flipped", "header", "text"])
def test_a_damaged_file_is_dropped(cache: FeatureCache, tmp_path: Path, damage: str) -> None:
    cache.put("key", _ids(50), _rows(50))
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[-100] ^= 1
    elif damage == "header":
        content[:8] = b"\xff" * 8
    cut = {"torn": content[:-100], "empty": b"", "text": b"hello"}.get(damage, content)
    path.unlink()
    path.write_bytes(cut)
    assert not any(FeatureCache(tmp_path, PLENTY).get("key", _ids(50), WIDTH)[1])
    assert not path.exists()


@pytest.mark.parametrize("place", [0.5, 0.9, 0.99])
def test_a_bit_that_flips_after_a_reading_is_seen_by_the_next(
    cache: FeatureCache, tmp_path: Path, place: float
) -> None:
    cache.put("key", _ids(500), _rows(500))
    assert all(cache.get("key", _ids(500), WIDTH)[1])
    (path,) = tmp_path.iterdir()
    content, status = bytearray(path.read_bytes()), path.stat()
    content[int(place * len(content))] ^= 16
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # a disk changes no times
    assert not any(cache.get("key", _ids(500), WIDTH)[1])
    assert not path.exists()


def test_a_file_of_an_earlier_version_is_read_and_checked(
    cache: FeatureCache, tmp_path: Path
) -> None:
    rows, ids = _rows(5).numpy(), np.frombuffer("\n".join(_ids(5)).encode(), np.uint8)
    checksum = str(zlib.crc32(rows.data, zlib.crc32(ids.data)))
    about = {"version": "1", "key": "key", "checksum": checksum}
    path = tmp_path / f"{hashlib.sha256(b'key').hexdigest()[:32]}-0.safetensors"
    save_file({"ids": ids, "features_ND": rows}, path, metadata=about)
    found, is_found = cache.get("key", _ids(5), WIDTH)
    assert all(is_found)
    assert torch.equal(found, _rows(5))
    save_file({"ids": ids, "features_ND": rows + 1}, path, metadata=about)
    assert not any(cache.get("key", _ids(5), WIDTH)[1])


def test_a_file_that_was_left_half_written_is_ignored_and_later_removed(
    cache: FeatureCache, tmp_path: Path
) -> None:
    cache.put("key", _ids(5), _rows(5))
    (path,) = tmp_path.iterdir()
    left = path.with_suffix(".safetensors.part")
    left.write_bytes(path.read_bytes()[:100])
    assert all(cache.get("key", _ids(5), WIDTH)[1])
    _age(tmp_path, 2 * 3600)
    cache.put("other", _ids(5), _rows(5))
    assert not left.exists()
    assert path.exists()


def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, PLENTY)
    cache.put("first", _ids(1000), _rows(1000))
    cache.put("second", _ids(1000), _rows(1000))
    size = cache.bytes_used() // 2
    _age(tmp_path, 60)
    small = FeatureCache(tmp_path, int(2.5 * size))
    small.get("first", _ids(1), WIDTH)
    small.put("third", _ids(1000), _rows(1000))
    assert small.bytes_used() <= 2.5 * size
    found = {key: small.get(key, _ids(1), WIDTH)[1][0] for key in ("first", "second", "third")}
    assert found == {"first": True, "second": False, "third": True}


def test_more_than_the_whole_budget_is_not_kept(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, 1000)
    cache.put("key", _ids(1000), _rows(1000))
    assert cache.bytes_used() == 0


def test_many_small_puts_become_few_files(cache: FeatureCache, tmp_path: Path) -> None:
    for number in range(50):
        cache.put("key", _ids(20, 20 * number), _rows(20, number))
    assert len(list(tmp_path.iterdir())) == 1
    found_ND, is_found = cache.get("key", _ids(1000), WIDTH)
    assert all(is_found)
    assert torch.equal(found_ND, torch.cat([_rows(20, number) for number in range(50)]))


def test_a_large_file_is_not_read_again_for_each_put(
    cache: FeatureCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tlapp.backbones.cache._MERGE_BYTES", 40_000)
    cache.put("key", _ids(500), _rows(500))
    (large,) = tmp_path.iterdir()
    before = large.stat()
    for number in range(3):
        cache.put("key", _ids(1, 500 + number), _rows(1, number))
    assert large.stat() == before
    assert len(list(tmp_path.iterdir())) == 2
    assert all(cache.get("key", _ids(503), WIDTH)[1])


def test_putting_the_same_again_keeps_one_copy(cache: FeatureCache) -> None:
    cache.put("key", _ids(500), _rows(500))
    once = cache.bytes_used()
    cache.put("key", _ids(500), _rows(500))
    assert cache.bytes_used() < 1.1 * once


def test_many_threads_at_once_lose_nothing(cache: FeatureCache) -> None:
    def work(number: int) -> None:
        for part in range(5):
            first = 100 * number + 10 * part
            cache.put("key", _ids(10, first), _rows(10, first))
            assert all(cache.get("key", _ids(10, first), WIDTH)[1])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(6):
        assert all(cache.get("key", _ids(50, 100 * number), WIDTH)[1])


def test_a_folder_that_cannot_be_written_loses_the_features_and_nothing_else(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("not a folder")
    cache = FeatureCache(tmp_path / "file", PLENTY)
    cache.put("key", _ids(5), _rows(5))
    assert not any(cache.get("key", _ids(5), WIDTH)[1])


def test_nothing_is_made_before_the_first_use(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "later", PLENTY)
    assert cache.get("key", _ids(1), WIDTH)[1] == [False]
    assert cache.bytes_used() == 0
    assert not (tmp_path / "later").exists()


def test_one_can_ask_without_reading(cache: FeatureCache, tmp_path: Path) -> None:
    cache.put("key", _ids(5), _rows(5))
    assert cache.is_kept("key", ["unknown", *_ids(1)]) == [False, True]
    (tmp_path / next(tmp_path.iterdir()).name).write_bytes(b"damaged")
    assert cache.is_kept("key", _ids(1)) == [False]


def test_clearing_forgets_everything(cache: FeatureCache) -> None:
    cache.put("key", _ids(5), _rows(5))
    cache.clear()
    assert cache.bytes_used() == 0
    assert not any(cache.get("key", _ids(5), WIDTH)[1])
