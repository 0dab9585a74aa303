"""Texts and profiles of a PNG, which are never unpacked."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests import pictures
from tlapp.data.decode import make_working_copy, open_working_copy
from tlapp.data.png import has_more_chunks, without_texts
from tlapp.settings import LOCAL_LIMITS

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


def with_texts(*, compressed: bool = True) -> bytes:
    """`quadrants()` as a PNG with a text before its pixels, a profile, and a text behind them."""
    info = PngInfo()
    info.add_text("Comment", "secret words " * 200_000, zip=compressed)
    info.add_itxt("Title", "secret words " * 200_000, zip=compressed)
    raw = pictures.encoded(pictures.quadrants(), "PNG", pnginfo=info, icc_profile=bytes(3_000_000))
    text = b"More\0" + b"secret words" * 100_000
    late = struct.pack(">I", len(text)) + b"tEXt" + text
    late += struct.pack(">I", zlib.crc32(b"tEXt" + text))
    return raw[:-12] + late + raw[-12:]


@pytest.mark.parametrize("compressed", [False, True])
def test_texts_and_profiles_of_any_size_are_left_out_and_the_picture_is_the_same(
    compressed: bool,
) -> None:
    raw = with_texts(compressed=compressed)
    left = without_texts(raw)
    assert len(left) < len(pictures.encoded(pictures.quadrants(), "PNG")) + 100
    assert b"secret words" not in left
    assert np.array_equal(Image.open(io.BytesIO(left)), pictures.quadrants())
    copy = make_working_copy(raw, name="a.png", limits=LOCAL_LIMITS)
    assert (copy.width, copy.height) == pictures.quadrants().size


def test_a_picture_without_texts_is_left_as_it_is() -> None:
    raw = pictures.encoded(pictures.quadrants(), "PNG", transparency=(9, 9, 9))
    assert without_texts(raw) is raw


def test_a_text_that_says_how_a_picture_is_turned_is_obeyed() -> None:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP)
    raw = pictures.encoded(pictures.quadrants(), "PNG", pnginfo=info)
    copy = make_working_copy(raw, name="a.png", limits=LOCAL_LIMITS)
    assert (copy.height, copy.width) == pictures.quadrants().size
    pixels_HW3 = np.asarray(open_working_copy(copy.encoded)).astype(int)
    assert np.abs(pixels_HW3[16, 36] - (220, 30, 30)).max() < 40  # its left upper corner


@pytest.mark.parametrize("length", range(8, 120, 7))
def test_a_picture_that_is_cut_off_stays_as_it_is(length: int) -> None:
    raw = pictures.encoded(pictures.quadrants(), "PNG")[:length]
    assert without_texts(raw) == raw


def test_very_many_tiny_texts_take_no_more_memory_than_the_file() -> None:
    raw = pictures.encoded(pictures.quadrants(), "PNG")
    tiny = struct.pack(">I", 2) + b"tEXtk\0" + bytes(4) + struct.pack(">I", 0) + b"prIv" + bytes(4)
    many = raw[:33] + tiny * 100_000 + raw[33:]
    tracemalloc.start()
    left = without_texts(many)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(left) == len(raw) + 100_000 * 12
    assert peak_bytes < 2 * len(many)


def test_chunks_are_counted() -> None:
    raw = pictures.encoded(Image.new("L", (9, 9)), "PNG")  # header, pixels, end
    assert has_more_chunks(raw, 2)
    assert not has_more_chunks(raw, 3)
    assert not has_more_chunks(raw[:-1], 2)
