"""Group A beyond `tests/data/test_decode.py`: hostile headers, large and odd pictures."""

import io
import random
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests import pictures
from tests.data.importing import imported
from tlapp.data.dataset import DatasetStore
from tlapp.data.decode import (
    FIRST_FRAME_USED,
    WorkingCopy,
    make_working_copy,
    open_working_copy,
)
from tlapp.errors import PictureError
from tlapp.settings import LOCAL_LIMITS

FRAME = b"\x02\x03\x44\x34\x05\x00"  # 2 x 2 pixels, as a GIF packs them
PNG_START_BYTES = 33  # the signature and the header chunk
MEGABYTE = 1_000_000


def copy_of(raw: bytes, name: str = "cat/3.jpg") -> WorkingCopy:
    return make_working_copy(raw, name=name, limits=LOCAL_LIMITS)


def pixels_of(raw: bytes) -> np.ndarray:
    return np.asarray(open_working_copy(copy_of(raw).encoded)).astype(np.float32)


def chunk(kind: bytes, content: bytes) -> bytes:
    length, crc = len(content), zlib.crc32(kind + content)
    return struct.pack(">I", length) + kind + content + struct.pack(">I", crc)


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    raw = pictures.encoded(pictures.quadrants(), "PNG")
    more = b"".join(chunk(kind, content) for kind, content in chunks)
    return raw[:PNG_START_BYTES] + more + raw[PNG_START_BYTES:]


def gif_of(*frame_sizes: tuple[int, int], canvas: tuple[int, int] = (2, 2)) -> bytes:
    """A GIF of two colours with one frame of each size."""
    header = b"GIF89a" + struct.pack("<HHBBB", *canvas, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frames = (b"\x2c" + struct.pack("<HHHHB", 0, 0, *size, 0) + FRAME for size in frame_sizes)
    return header + b"".join(frames) + b";"


@pytest.mark.parametrize("raw", [gif_of((60_000, 60_000), canvas=(60_000, 60_000)), bytes(40)])
def test_a_small_file_that_claims_billions_of_pixels_is_skipped(raw: bytes) -> None:
    with pytest.raises(PictureError, match=r"3,600 megapixels|not a picture"):
        copy_of(raw)


def test_an_icon_is_no_picture_whatever_size_it_claims() -> None:
    with pytest.raises(PictureError, match="not a picture"):
        copy_of(b"\0\0\1\0\1\0" + b"\0\0\0\0\1\0\x20\0\xff\xff\xff\xff\x16\0\0\0", "bomb.ico")


def test_a_later_frame_that_grows_is_never_decoded() -> None:
    copy = copy_of(gif_of((2, 2), (60_000, 60_000)))
    assert (copy.width, copy.height) == (2, 2)
    assert copy.notice == FIRST_FRAME_USED


def test_a_first_frame_that_is_larger_than_its_canvas_is_skipped() -> None:
    with pytest.raises(PictureError, match=r"^cat/3\.jpg "):
        copy_of(gif_of((60_000, 60_000)))


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_text_that_unpacks_to_a_hundred_megabytes_costs_little_memory(kind: bytes) -> None:
    packer = zlib.compressobj(9)
    block = bytes(10 * MEGABYTE)
    packed = b"".join(packer.compress(block) for _ in range(10)) + packer.flush()
    start = b"k\0\1\0\0\0" if kind == b"iTXt" else b"k\0\0"
    raw = png_with((kind, start + packed))
    tracemalloc.start()
    try:
        copy_of(raw)
    except PictureError as error:
        assert str(error).startswith("cat/3.jpg ")
    finally:
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak_bytes < 20 * MEGABYTE


def sixteen_bit_png(colour_type: int, *rows_W: np.ndarray) -> bytes:
    """A 16-bit PNG of 64 equal rows, with one channel for each of `rows_W`."""
    row = b"\0" + np.stack(rows_W, axis=1).astype(">u2").tobytes()
    header = struct.pack(">IIBBBBB", len(rows_W[0]), 64, 16, colour_type, 0, 0, 0)
    content = ((b"IHDR", header), (b"IDAT", zlib.compress(row * 64)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, part) for kind, part in content)


def test_sixteen_bits_are_scaled_with_colours_and_transparency_too() -> None:
    ramp_W, full_W = np.linspace(0, 65535, 256).round(), np.full(256, 65535)
    for raw in (
        sixteen_bit_png(0, ramp_W),
        sixteen_bit_png(2, ramp_W, ramp_W, ramp_W),
        sixteen_bit_png(4, ramp_W, full_W),
        sixteen_bit_png(6, ramp_W, ramp_W, ramp_W, full_W),
    ):
        assert abs(pixels_of(raw).mean() - 127) <= 2


def moving(image_format: str, frames: int) -> bytes:
    if image_format == "GIF":
        return gif_of(*[(2, 2)] * frames)
    images = [
        Image.new("RGB", (4, 4), (number % 256, number // 256, 0)) for number in range(frames)
    ]
    options = {"save_all": True, "append_images": images[1:], "duration": 20}
    return pictures.encoded(images[0], image_format, **options)


def quickest(raw: bytes) -> float:
    seconds = []
    for _ in range(3):
        began = time.thread_time()
        copy_of(raw)
        seconds.append(time.thread_time() - began)
    return min(seconds)


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG"])
def test_ten_thousand_frames_are_as_quick_as_one(image_format: str) -> None:
    raw = moving(image_format, 10_000)
    assert copy_of(raw).notice == FIRST_FRAME_USED
    assert quickest(raw) < 20 * quickest(moving(image_format, 1)) + 0.05


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_a_lab_profile_and_a_huge_one_do_not_matter(image_format: str) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    plain = pixels_of(pictures.encoded(pictures.quadrants(), image_format))
    for profile in (lab, lab * 3_000):
        raw = pictures.encoded(pictures.quadrants(), image_format, icc_profile=profile)
        assert np.array_equal(pixels_of(raw), plain)


def growth_by_phone_pictures() -> tuple[int, int]:
    """Bytes by which this process's peak grows over a plain 48 MP JPEG, then a progressive one."""
    image = Image.new("RGB", (8_000, 6_000), (10, 60, 90))
    raws = [pictures.encoded(image, progressive=progressive) for progressive in (False, True)]
    del image
    pictures.encoded(Image.new("RGB", (8_000, 6_000)))  # what making them took is not counted
    growths = []
    for raw in raws:
        Path("/proc/self/clear_refs").write_text("5")
        before = peak_bytes()
        assert copy_of(raw).height == 384
        growths.append(peak_bytes() - before)
    return growths[0], growths[1]


def peak_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="nothing tells the peak of a while here"
)
def test_a_phones_picture_is_decoded_at_an_eighth_and_takes_little_memory() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        plain, progressive = pool.submit(growth_by_phone_pictures).result()
    assert plain < 60 * MEGABYTE  # 5 MB; whole it would be 144
    assert progressive < 200 * MEGABYTE  # 146 MB: its coefficients are kept


def located(image_format: str, side: int) -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 17.0)})
    exif[0x010F] = "SecretCameraMaker"
    image = pictures.pattern(0, side, width=side, height=side)
    return pictures.encoded(image, image_format, exif=exif)


def test_nothing_that_is_kept_or_shown_says_where_a_picture_was_taken(
    store: DatasetStore, tmp_path: Path
) -> None:
    folder = tmp_path / "set" / "cat"
    folder.mkdir(parents=True)
    for image_format in ("JPEG", "PNG", "WEBP"):
        for side in (90, 1200):
            raw = located(image_format, side)
            assert b"SecretCameraMaker" in raw
            (folder / f"{side}.{image_format.lower()}").write_bytes(raw)
    dataset = imported(store, tmp_path / "set")
    assert dataset.images.counts() == (6,)
    kept = [path.read_bytes() for path in (tmp_path / "datasets").rglob("*") if path.is_file()]
    shown = [
        store.thumbnail(dataset.dataset_id, image.image_id, 64) for image in dataset.images.images
    ]
    for content in (*kept, *shown):
        assert b"SecretCameraMaker" not in content
        assert b"Exif" not in content


def test_a_page_inside_a_picture_is_not_kept() -> None:
    page = b"<html><script>alert(1)</script></html>"
    for raw in (
        pictures.encoded(pictures.pattern(0, 0), comment=page) + page,
        pictures.encoded(pictures.pattern(0, 0), "GIF", comment=page) + page,
        png_with((b"tEXt", b"Comment\0" + page)) + page,
    ):
        assert page in raw
        assert b"<script>" not in copy_of(raw).encoded
    with pytest.raises(PictureError, match="not a picture"):
        copy_of(page, "cat/page.png")


FOREIGN = {
    "heic": b"\x00\x00\x00\x18ftypheic" + bytes(60),
    "avif": b"\x00\x00\x00\x1cftypavif" + bytes(60),
    "jxl": b"\x00\x00\x00\x0cJXL \r\n\x87\n" + bytes(60),
    "jp2": b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(60),
    "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>' + bytes(40),
    "psd": b"8BPS\x00\x01" + bytes(60),
    "eps": b"\xc5\xd0\xd3\xc6" + bytes(60),
    "pdf": b"%PDF-1.7\n" + bytes(60),
    "tif": b"II*\0\x08\0\0\0" + bytes(60),
    "ico": b"\0\0\1\0\1\0" + bytes(60),
    "fits": b"SIMPLE  =                    T" + bytes(60),
    "wmf": b"\xd7\xcd\xc6\x9a" + bytes(60),
}


@pytest.mark.parametrize("kind", sorted(FOREIGN))
def test_another_format_is_refused_whatever_its_name_and_no_reader_is_tried(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "open", lambda *_args, **_options: pytest.fail("a reader was tried"))
    for name in ("cat/x.png", "cat/x.jpg", f"cat/x.{kind}" if kind != "tif" else "cat/x.gif"):
        with pytest.raises(PictureError, match=r"not a picture|HEIC") as caught:
            copy_of(FOREIGN[kind], name)
        assert "JPG" in str(caught.value.hint)


def mutated(raw: bytes, random_numbers: random.Random) -> bytes:
    """`raw` with a few bytes changed, dropped or put in, mostly near its beginning."""
    content = bytearray(raw)
    for _ in range(random_numbers.choice((1, 2, 8))):
        at = random_numbers.randrange(random_numbers.choice((40, 200, len(content))))
        kind = random_numbers.randrange(4)
        if kind == 0:
            content[at : at + 1] = bytes([random_numbers.randrange(256)])
        elif kind == 1:
            content[at : at + 4] = random_numbers.choice((b"\xff" * 4, bytes(4), b"\x7f" * 4))
        elif kind == 2:
            del content[at : at + random_numbers.randrange(1, 30)]
        else:
            content[at:at] = random_numbers.randbytes(random_numbers.randrange(1, 20))
        content.extend(bytes(max(0, 40 - len(content))))
    return bytes(content)


OTHERS: dict[str, Callable[[], bytes]] = {
    "lzw.tif": lambda: pictures.encoded(pictures.pattern(0, 0), "TIFF", compression="tiff_lzw"),
    "fax.tif": lambda: pictures.encoded(
        pictures.pattern(0, 0).convert("1"), "TIFF", compression="group4"
    ),
    "moving.webp": lambda: pictures.animation("WEBP"),
    "moving.png": lambda: pictures.animation("PNG"),
    "palette.bmp": lambda: pictures.encoded(pictures.pattern(0, 0).convert("P"), "BMP"),
    "turned.jpg": lambda: pictures.turned_jpeg(6),
}


@pytest.mark.filterwarnings("ignore")  # Pillow warns of what it finds in broken files
@pytest.mark.parametrize("name", sorted({**pictures.UNUSUAL, **OTHERS}))
def test_damage_of_any_kind_is_a_picture_or_a_clean_skip(name: str) -> None:
    raw = {**pictures.UNUSUAL, **OTHERS}[name]()
    random_numbers = random.Random(name)
    for _ in range(60):
        content = mutated(raw, random_numbers)
        try:
            copy = make_working_copy(content, name=f"cat/{name}", limits=LOCAL_LIMITS)
        except PictureError as error:
            assert str(error).startswith(f"cat/{name} ")
            assert error.hint
        else:
            assert Image.open(io.BytesIO(copy.encoded)).format == "JPEG"


def endless() -> dict[str, bytes]:
    """Pictures that their readers would be at for hours: scans, segments, chunks."""
    image = Image.new("RGB", (12_000, 9_000), (10, 60, 90))
    raw = pictures.encoded(image, progressive=True)
    last = raw[raw.rfind(b"\xff\xda") : raw.rfind(b"\xff\xd9")]  # 150 bytes, 0.1 s
    plain, png = pictures.jpeg(), pictures.encoded(pictures.quadrants(), "PNG")
    nothing = chunk(b"prIv", b"")
    return {
        "scans.jpg": raw[:-2] + last * 50_000 + b"\xff\xd9",
        "segments.jpg": plain[:2] + b"\xff\xfe\x00\x02" * 1_000_000 + plain[2:],
        "comments.gif": gif_of((2, 2))[:19] + b"!\xfe\x01x\x00" * 1_000_000 + gif_of((2, 2))[19:],
        "chunks.png": png[:PNG_START_BYTES] + nothing * 1_000_000 + png[PNG_START_BYTES:],
    }


def test_a_picture_that_would_be_read_for_hours_is_skipped_at_once() -> None:
    for name, raw in endless().items():
        began = time.thread_time()
        with pytest.raises(PictureError, match="more parts than any picture needs"):
            copy_of(raw, name)
        assert time.thread_time() - began < 1
