"""Zips that people bring, and zips made to do harm: faults 31, 34 to 37, 40 to 42, 45, 47, 49."""

import io
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from tests import pictures
from tests.data.importing import class_counts, imported, tree
from tlapp.data.dataset import DatasetStore
from tlapp.errors import DataError
from tlapp.settings import LOCAL_LIMITS, Limits

GOOD = tuple(
    (f"{name}/{number}.jpg", pictures.jpeg(index, number))
    for index, name in enumerate(("cat", "dog"))
    for number in range(3)
)
COUNTS = {"cat": 3, "dog": 3}


def make_zip(path: Path, entries: Iterable[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, raw in entries:
            archive.writestr(name, raw)
    return path


def refusal(tmp_path: Path, path: Path, limits: Limits = LOCAL_LIMITS) -> str:
    """The text with which this zip is refused, after checking that nothing is left of it."""
    store = DatasetStore(tmp_path / "refusing", limits)
    before = tree(tmp_path)
    with pytest.raises(DataError) as caught:
        imported(store, path)
    assert tree(tmp_path) - {"refusing"} == before - {"refusing"}
    assert caught.value.hint
    assert str(tmp_path) not in str(caught.value.said)
    return str(caught.value)


def reasons(store: DatasetStore, path: Path) -> dict[str, str]:
    dataset = imported(store, path)
    assert class_counts(dataset) == COUNTS
    return {skipped.name: str(skipped.reason) for skipped in dataset.skipped}


def test_a_zip_becomes_a_data_set(store: DatasetStore, tmp_path: Path) -> None:
    dataset = imported(store, make_zip(tmp_path / "a.zip", GOOD))
    assert class_counts(dataset) == COUNTS
    assert dataset.skipped == ()
    assert (dataset.name, dataset.owner) == ("animals", "anna")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_packed_and_unpacked_zips_give_the_same_pictures(
    store: DatasetStore, tmp_path: Path, method: int
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        for name, raw in GOOD:
            archive.writestr(name, raw)
    plain = make_zip(tmp_path / "b.zip", GOOD)
    first, second = imported(store, tmp_path / "a.zip"), imported(store, plain)
    assert first.images == second.images


def test_two_files_with_the_same_name_are_both_kept(store: DatasetStore, tmp_path: Path) -> None:
    entries = [*GOOD, ("cat/0.jpg", pictures.jpeg(0, 77))]
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = make_zip(tmp_path / "a.zip", entries)
    dataset = imported(store, path)
    assert class_counts(dataset) == {"cat": 4, "dog": 3}
    assert len({image.image_id for image in dataset.images.images}) == 7


HOSTILE_PATHS = (
    "../../evil.jpg",
    "cat/../../../evil.jpg",
    "/etc/evil.jpg",
    "/evil.jpg",
    "C:\\evil\\evil.jpg",
    "C:/evil/evil.jpg",
    "..\\..\\evil.jpg",
    "\\\\server\\share\\evil.jpg",
)


@pytest.mark.parametrize("name", HOSTILE_PATHS)
def test_a_path_that_leads_out_is_left_out_and_nothing_is_written_there(
    store: DatasetStore, tmp_path: Path, name: str
) -> None:
    path = make_zip(tmp_path / "a.zip", [*GOOD, (name, pictures.jpeg())])
    before = tree(tmp_path)
    skipped = reasons(store, path)
    assert len(skipped) == 1
    assert "leads out of the zip" in next(iter(skipped.values()))
    written = tree(tmp_path) - before - {"datasets"}
    assert all(item.startswith("datasets/") for item in written)
    assert not any("evil" in item for item in tree(tmp_path))


def test_backslashes_of_windows_are_folders(store: DatasetStore, tmp_path: Path) -> None:
    entries = [(name.replace("/", "\\"), raw) for name, raw in GOOD]
    assert class_counts(imported(store, make_zip(tmp_path / "a.zip", entries))) == COUNTS


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK])
def test_links_and_devices_are_left_out(store: DatasetStore, tmp_path: Path, kind: int) -> None:
    entry = zipfile.ZipInfo("cat/link.jpg")
    entry.create_system = 3
    entry.external_attr = (kind | 0o777) << 16
    skipped = reasons(store, make_zip(tmp_path / "a.zip", [*GOOD, (entry, b"/etc/passwd")]))
    assert skipped == {"cat/link.jpg": "cat/link.jpg is a link or a device, not a picture."}
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


def test_a_zip_in_the_zip_is_not_opened(store: DatasetStore, tmp_path: Path) -> None:
    inner = make_zip(tmp_path / "inner.zip", GOOD).read_bytes()
    skipped = reasons(store, make_zip(tmp_path / "a.zip", [*GOOD, ("cat/inner.zip", inner)]))
    assert "is not a picture" in skipped["cat/inner.zip"]
    renamed = make_zip(tmp_path / "b.zip", [*GOOD, ("cat/inner.jpg", inner)])
    assert "is not a picture" in reasons(store, renamed)["cat/inner.jpg"]


def test_an_entry_that_unpacks_to_too_much_is_not_read_to_its_end(
    store: DatasetStore, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in GOOD:
            archive.writestr(name, raw)
        with archive.open("cat/bomb.jpg", "w") as stream:
            stream.write(b"\xff\xd8\xff\xe0")
            for _ in range(50):
                stream.write(bytes(4_000_000))
    tracemalloc.start()
    skipped = reasons(store, tmp_path / "a.zip")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "larger than 100 MB" in skipped["cat/bomb.jpg"]
    assert peak_bytes < 250_000_000


def test_a_zip_that_unpacks_to_too_much_is_refused_before_unpacking(tmp_path: Path) -> None:
    limits = replace(LOCAL_LIMITS, archive_unpacked_bytes=10_000)
    path = make_zip(tmp_path / "a.zip", GOOD)
    message = refusal(tmp_path, path, limits)
    assert message.startswith("The zip unpacks to more than")


def test_forged_sizes_do_not_open_the_byte_budget(store: DatasetStore, tmp_path: Path) -> None:
    """The directory says 0 bytes, or 10: what comes out is counted and does not pass."""
    raw = pictures.jpeg()
    for forged in (0, 10):
        path = make_zip(tmp_path / "a.zip", [*GOOD, ("cat/forged.jpg", raw)])
        forge_last_entry(path, file_size=forged)
        assert "damaged" in reasons(store, path)["cat/forged.jpg"]


def forge_last_entry(path: Path, *, file_size: int) -> None:
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", file_size)
    path.write_bytes(content)


def test_overlapping_entries_are_refused(tmp_path: Path) -> None:
    """Many directory entries point at the same bytes (D. Fifield's kind of bomb)."""
    path = make_zip(tmp_path / "a.zip", GOOD)
    content = bytearray(path.read_bytes())
    offsets = [at for at in range(len(content)) if content[at : at + 4] == b"PK\x01\x02"]
    first = content[offsets[0] + 42 : offsets[0] + 46]
    for at in offsets:
        content[at + 42 : at + 46] = first
    path.write_bytes(content)
    assert "overlap" in refusal(tmp_path, path)


def test_too_many_entries_are_refused_before_the_directory_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(70_000):  # more than 65,535: the count is in the zip64 record
            archive.writestr(zipfile.ZipInfo(f"{number}"), b"")
    monkeypatch.setattr(zipfile, "ZipFile", lambda _path: pytest.fail("directory read"))
    limits = replace(LOCAL_LIMITS, archive_entries=60_000)
    assert refusal(tmp_path, tmp_path / "a.zip", limits) == (
        "The zip holds 70,000 files; the limit is 60,000."
    )


def test_a_directory_larger_than_its_count_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(2_000):
            archive.writestr(zipfile.ZipInfo(f"{number}"), b"")
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[-14:-10] = struct.pack("<2H", 1, 1)
    (tmp_path / "a.zip").write_bytes(content)
    monkeypatch.setattr(zipfile, "ZipFile", lambda _path: pytest.fail("directory read"))
    assert refusal(tmp_path, tmp_path / "a.zip") == "The zip is damaged."


def test_an_entry_without_a_name_does_no_harm(store: DatasetStore, tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("x")
    entry.filename = ""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, raw in GOOD:
            archive.writestr(name, raw)
        archive.writestr(entry, b"")
    assert class_counts(imported(store, tmp_path / "a.zip")) == COUNTS


def test_a_password_is_named_as_the_reason(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", GOOD)
    content = bytearray(path.read_bytes())
    for at in range(len(content)):
        if content[at : at + 4] == b"PK\x01\x02":
            content[at + 8] |= 1
    path.write_bytes(content)
    assert refusal(tmp_path, path) == "The zip is protected by a password."


@pytest.mark.parametrize(("method", "name"), [(9, "Deflate64"), (14, "LZMA"), (77, "method 77")])
def test_unknown_packing_is_named(
    store: DatasetStore, tmp_path: Path, method: int, name: str
) -> None:
    path = make_zip(tmp_path / "a.zip", [*GOOD, ("cat/odd.jpg", pictures.jpeg())])
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x01\x02")
    content[at + 10 : at + 12] = struct.pack("<H", method)
    path.write_bytes(content)
    assert name in reasons(store, path)["cat/odd.jpg"]


def test_a_zip64_is_read(store: DatasetStore, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, raw in GOOD:
            with archive.open(name, "w", force_zip64=True) as stream:
                stream.write(raw)
    assert class_counts(imported(store, tmp_path / "a.zip")) == COUNTS


def test_a_wrong_checksum_costs_one_picture(store: DatasetStore, tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", [*GOOD, ("cat/odd.jpg", pictures.jpeg())])
    content = bytearray(path.read_bytes())
    content[content.find(b"PK\x01\x02") - 40] ^= 0xFF
    path.write_bytes(content)
    assert reasons(store, path) == {"cat/odd.jpg": "cat/odd.jpg is damaged in the zip."}


def test_trailing_junk_does_not_matter(store: DatasetStore, tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", GOOD)
    path.write_bytes(path.read_bytes() + b"junk" * 100)
    assert reasons(store, path) == {}


def test_leading_junk_does_not_matter(store: DatasetStore, tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", GOOD)
    path.write_bytes(b"#!/bin/sh\n" * 100 + path.read_bytes())
    assert reasons(store, path) == {}


def test_a_part_of_several_zips_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", GOOD)
    content = bytearray(path.read_bytes())
    content[-18:-16] = struct.pack("<H", 2)
    path.write_bytes(content)
    assert refusal(tmp_path, path) == "The zip is one part of several."


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95, 0.999])
def test_a_cut_off_zip_is_damaged(tmp_path: Path, share: float) -> None:
    path = make_zip(tmp_path / "a.zip", GOOD)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert refusal(tmp_path, path) == "The zip is damaged."


def test_every_flipped_byte_of_the_directory_has_a_clear_outcome(
    store: DatasetStore, tmp_path: Path
) -> None:
    path = make_zip(tmp_path / "a.zip", GOOD)
    content = path.read_bytes()
    start = content.find(b"PK\x01\x02")
    for at in range(start, len(content), 5):
        flipped = bytearray(content)
        flipped[at] ^= 0x5A
        path.write_bytes(flipped)
        try:
            imported(store, path)
        except DataError as error:
            assert error.hint


@pytest.mark.parametrize(
    "content",
    [b"", b"Rar!\x1a\x07\x00 more", b"7z\xbc\xaf\x27\x1c", b"plain text " * 9000, bytes(70_000)],
)
def test_what_is_no_zip_is_told_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    assert refusal(tmp_path, tmp_path / "a.zip") == "This is not a zip file."


def test_a_zip_that_is_gone_is_told_so(tmp_path: Path) -> None:
    assert refusal(tmp_path, tmp_path / "gone.zip") == "The zip is not there any more."


def test_a_large_upload_is_refused_with_its_size(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", [("cat/1.jpg", bytes(3_000_000))])
    message = refusal(tmp_path, path, replace(LOCAL_LIMITS, archive_bytes=2_000_000))
    assert message == "The zip is 3 MB; the limit is 2 MB."


def test_system_files_are_ignored_and_not_called_damaged(
    store: DatasetStore, tmp_path: Path
) -> None:
    junk = [
        (name, b"junk")
        for name in (
            "__MACOSX/cat/._0.jpg",
            "cat/._0.jpg",
            "cat/.DS_Store",
            "dog/Thumbs.db",
            "dog/desktop.ini",
            ".hidden/1.jpg",
        )
    ]
    dataset = imported(store, make_zip(tmp_path / "a.zip", [*GOOD, *junk]))
    assert class_counts(dataset) == COUNTS
    assert dataset.skipped == ()
    assert dataset.ignored_count == len(junk)


@pytest.mark.parametrize(
    "entries",
    [[], [("cat/", b""), ("dog/", b"")], [("cat/notes.txt", b"x")], [("cat/a.jpg", b"no")]],
)
def test_a_zip_without_a_picture_is_refused(
    tmp_path: Path, entries: list[tuple[str, bytes]]
) -> None:
    assert refusal(tmp_path, make_zip(tmp_path / "a.zip", entries)) == "No pictures found."


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("Füße".encode(), "Füße"), ("帽子".encode(), "帽子"), (b"caf\x82", "café")],
)
def test_names_without_the_utf8_flag_are_readable(
    store: DatasetStore, tmp_path: Path, stored: bytes, shown: str
) -> None:
    placeholder = b"x" * len(stored)
    entries = [(f"{placeholder.decode()}/1.jpg", pictures.jpeg()), *GOOD]
    path = make_zip(tmp_path / "a.zip", entries)
    path.write_bytes(path.read_bytes().replace(placeholder + b"/1.jpg", stored + b"/1.jpg"))
    assert shown in imported(store, path).images.class_names


def test_a_bomb_in_many_pieces_ends_at_the_byte_budget(tmp_path: Path) -> None:
    """Sizes forged small pass the first look; the budget counts what really comes out."""
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(8):
            archive.writestr(f"cat/{number}.jpg", b"\xff\xd8\xff\xe0" + bytes(1_000_000))
    (tmp_path / "a.zip").write_bytes(bomb.getvalue())
    limits = replace(LOCAL_LIMITS, archive_unpacked_bytes=3_000_000)
    assert "unpacks to more than 3 MB" in refusal(tmp_path, tmp_path / "a.zip", limits)


@pytest.mark.parametrize("make", [pictures.BROKEN["half.jpg"], lambda: b""])
def test_a_bad_picture_in_a_zip_is_listed(
    store: DatasetStore, tmp_path: Path, make: Callable[[], bytes]
) -> None:
    skipped = reasons(store, make_zip(tmp_path / "a.zip", [*GOOD, ("cat/bad.jpg", make())]))
    assert list(skipped) == ["cat/bad.jpg"]
