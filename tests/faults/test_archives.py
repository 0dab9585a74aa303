"""Group C beyond what `tests/data/test_archive.py` shows: the bombs as they are known, and damage
of any kind."""

import random
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import pictures
from tests.data.importing import class_counts, imported, tree
from tlapp.data.dataset import DatasetStore
from tlapp.errors import DataError
from tlapp.settings import LOCAL_LIMITS, PUBLIC_LIMITS

GOOD = tuple(
    (f"{name}/{number}.jpg", pictures.jpeg(index, number))
    for index, name in enumerate(("cat", "dog"))
    for number in range(3)
)
JPEG_START = b"\xff\xd8\xff\xe0"
MEGABYTE = 1_000_000


def refusal(path: Path, store: DatasetStore) -> str:
    with pytest.raises(DataError) as caught:
        imported(store, path)
    assert caught.value.hint
    return str(caught.value)


class RawZip:
    """A zip written byte by byte, so that it can lie."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.directory = bytearray()
        self.count = 0

    def add(
        self,
        name: bytes,
        packed: bytes,
        *,
        size: int,
        packed_size: int | None = None,
        crc: int = 0,
        at: int | None = None,
        method: int = zipfile.ZIP_DEFLATED,
    ) -> None:
        """An entry; with `at` it stands in the directory alone and shares what lies there."""
        packed_size = len(packed) if packed_size is None else packed_size
        fields = struct.pack(
            "<HHHHHIIIHH", 20, 0, method, 0, 0x21, crc, packed_size, size, len(name), 0
        )
        if at is None:
            at = len(self.content)
            self.content += b"PK\x03\x04" + fields + name + packed
        self.directory += b"PK\x01\x02" + struct.pack("<H", 20) + fields
        self.directory += struct.pack("<HHHII", 0, 0, 0, 0, at) + name
        self.count += 1

    def write(self, path: Path) -> Path:
        end = struct.pack(
            "<4HIIH", 0, 0, self.count, self.count, len(self.directory), len(self.content), 0
        )
        path.write_bytes(bytes(self.content + self.directory) + b"PK\x05\x06" + end)
        return path


def bomb(gigabytes: int) -> bytes:
    """A deflate stream of so many gigabytes that begins as a JPEG does, in a thousandth of it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = packer.compress(JPEG_START) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(10 * MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + block * (100 * gigabytes) + packer.flush()


@pytest.mark.parametrize("declared", [1_000, 80 * MEGABYTE])
def test_ten_gigabytes_in_one_entry_end_at_the_budget(
    store: DatasetStore, tmp_path: Path, declared: int
) -> None:
    archive = RawZip()
    for name, raw in GOOD:
        archive.add(
            name.encode(), raw, size=len(raw), crc=zlib.crc32(raw), method=zipfile.ZIP_STORED
        )
    archive.add(b"cat/bomb.jpg", bomb(10), size=declared)
    path = archive.write(tmp_path / "a.zip")
    assert path.stat().st_size < 15 * MEGABYTE
    began = time.process_time()
    dataset = imported(store, path)
    assert time.process_time() - began < 2
    assert class_counts(dataset) == {"cat": 3, "dog": 3}
    assert [skipped.name for skipped in dataset.skipped] == ["cat/bomb.jpg"]


def test_ten_gigabytes_that_are_declared_are_refused_unread(tmp_path: Path) -> None:
    archive = RawZip()
    for number in range(4):
        archive.add(f"cat/{number}.jpg".encode(), b"", size=3_000 * MEGABYTE)
    store = DatasetStore(tmp_path / "datasets", PUBLIC_LIMITS)
    assert "more than 1,000 MB" in refusal(archive.write(tmp_path / "a.zip"), store)
    assert tree(tmp_path) <= {"a.zip", "datasets"}


def shared_kernel(kernel: bytes) -> RawZip:
    """250 entries that are all the one packed kernel."""
    archive = RawZip()
    archive.add(b"cat/0.jpg", kernel, size=20)
    for number in range(1, 250):
        archive.add(f"cat/{number}.jpg".encode(), kernel, size=20, at=0)
    return archive


def quoted_kernel(kernel: bytes) -> RawZip:
    """250 entries of which each quotes the header of the next one, down to the kernel."""
    archive = RawZip()
    content = b""
    for number in range(250):
        quote = b""
        if content:  # a stored block of deflate that holds the header which follows
            header_bytes = 30 + len(f"cat/{number - 1}.jpg")
            quote = b"\0" + struct.pack("<HH", header_bytes, header_bytes ^ 0xFFFF)
        packed = quote + content if content else kernel
        entry = RawZip()
        entry.add(f"cat/{number}.jpg".encode(), packed, size=20)
        content = bytes(entry.content)
        archive.directory += entry.directory
        archive.count += 1
    archive.content = bytearray(content)
    at, size, entry_at = 0, len(content), []
    for number in reversed(range(250)):
        entry_at.append(at)
        at += 30 + len(f"cat/{number}.jpg") + 5
    assert at < size
    archive.directory = with_offsets(archive.directory, entry_at[::-1])
    return archive


def with_offsets(directory: bytearray, offsets: list[int]) -> bytearray:
    """The directory, whose entries lie at these offsets."""
    place = 0
    for offset in offsets:
        directory[place + 42 : place + 46] = struct.pack("<I", offset)
        place += 46 + int.from_bytes(directory[place + 28 : place + 30], "little")
    return directory


@pytest.mark.parametrize("make", [shared_kernel, quoted_kernel])
def test_entries_that_share_their_bytes_are_refused(
    store: DatasetStore, tmp_path: Path, make: Callable[[bytes], RawZip]
) -> None:
    """D. Fifield's bombs: 250 times 20 MB in a few kilobytes."""
    path = make(zlib.compress(JPEG_START + bytes(20 * MEGABYTE), 9)[2:-4]).write(tmp_path / "a.zip")
    assert path.stat().st_size < 100_000
    with zipfile.ZipFile(path) as archive:  # a reader that follows the directory takes it
        assert len(archive.infolist()) == 250
    assert "overlap" in refusal(path, store)


@pytest.mark.parametrize("sizes", [(0, 0), (2**32 - 1, 2**32 - 1), (0, 2**31)])
def test_forged_sizes_of_every_kind_cost_their_entry_alone(
    store: DatasetStore, tmp_path: Path, sizes: tuple[int, int]
) -> None:
    path = pictures.zip_entries(tmp_path / "a.zip", [*GOOD, ("cat/odd.jpg", pictures.jpeg(0, 9))])
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x01\x02")
    content[at + 20 : at + 28] = struct.pack("<II", *sizes)
    path.write_bytes(content)
    try:
        dataset = imported(store, path)
    except DataError as error:
        assert error.hint
    else:
        assert class_counts(dataset) == {"cat": 3, "dog": 3}


def test_the_count_of_entries_is_read_before_the_directory(tmp_path: Path) -> None:
    path = pictures.zip_entries(tmp_path / "a.zip", GOOD)
    content = path.read_bytes()
    many = content[:-22] + zipped_end(300_000, content)
    path.write_bytes(many)
    began = time.process_time()
    message = refusal(path, DatasetStore(tmp_path / "datasets", LOCAL_LIMITS))
    assert time.process_time() - began < 0.2
    assert message == "The zip holds 300,000 files; the limit is 200,000."


def zipped_end(count: int, content: bytes) -> bytes:
    """The end of a zip64 that claims `count` entries in its directory."""
    directory_bytes, offset = struct.unpack("<II", content[-10:-2])
    end = len(content) - 22
    record = struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, directory_bytes, offset)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1)
    last = b"PK\x05\x06" + struct.pack("<4HIIH", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    return b"PK\x06\x06" + record + locator + last


@pytest.mark.parametrize("name", ["[Content_Types].xml", "mimetype"])
def test_a_document_that_is_a_zip_inside_is_no_zip_of_pictures(
    store: DatasetStore, tmp_path: Path, name: str
) -> None:
    entries = [(name, b"<Types/>"), ("word/media/image1.png", pictures.jpeg())]
    path = pictures.zip_entries(tmp_path / "letter.zip", entries)
    assert "document" in refusal(path, store)


@pytest.mark.parametrize(
    "content",
    [b"ustar".join((bytes(257), bytes(6_000))), b"\x1f\x8b\x08 more", b"Rar!\x1a\x07\x01\0"],
)
def test_other_archives_are_no_zip(store: DatasetStore, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    assert refusal(tmp_path / "a.zip", store) == "This is not a zip file."


def test_entries_that_ask_for_rights_are_ordinary_pictures(
    store: DatasetStore, tmp_path: Path
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, raw in GOOD:
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, 0o106777 << 16
            archive.writestr(entry, raw)
    assert class_counts(imported(store, path)) == {"cat": 3, "dog": 3}
    modes = [file.stat().st_mode for file in (tmp_path / "datasets").rglob("*.jpg")]
    assert modes
    assert not any(mode & 0o7111 for mode in modes)


def test_names_in_another_encoding_keep_their_pictures(store: DatasetStore, tmp_path: Path) -> None:
    archive = RawZip()
    names = {"猫": "shift_jis", "кошка": "cp866", "Katze": "ascii"}
    for number, (name, encoding) in enumerate(names.items()):
        raw = pictures.jpeg(number, 0)
        stored = name.encode(encoding) + b"/1.jpg"
        archive.add(stored, raw, size=len(raw), crc=zlib.crc32(raw), method=zipfile.ZIP_STORED)
    dataset = imported(store, archive.write(tmp_path / "a.zip"))
    assert dataset.images.counts() == (1, 1, 1)
    assert all(name.isprintable() and name.strip() for name in dataset.images.class_names)


def test_damage_of_any_kind_is_a_data_set_or_a_refusal(store: DatasetStore, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    good = pictures.zip_entries(path, [*GOOD, ("__MACOSX/._1.jpg", b"junk")]).read_bytes()
    random_numbers = random.Random(16)
    directory_at = good.find(b"PK\x01\x02")
    outcomes = set()
    for _ in range(300):
        content = bytearray(good)
        for _ in range(random_numbers.choice((1, 2, 6))):
            low = random_numbers.choice((0, directory_at, len(good) - 22))
            at = random_numbers.randrange(low, len(good))
            width = random_numbers.choice((1, 2, 4))
            content[at : at + width] = random_numbers.choice(
                (random_numbers.randbytes(width), b"\xff" * width, bytes(width), b"")
            )
        path.write_bytes(content)
        try:
            imported(store, path)
            outcomes.add("data set")
        except DataError as error:
            assert error.hint
            assert str(tmp_path) not in str(error.said)
            outcomes.add("refusal")
    assert outcomes == {"data set", "refusal"}
