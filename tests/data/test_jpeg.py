"""A JPEG without metadata has the same pixels."""

import io

import numpy as np
import pytest
from PIL import Image

from tests import pictures
from tlapp.data.jpeg import without_metadata


def pixels(raw: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(raw)).convert("RGB"))


@pytest.mark.parametrize(
    "options",
    [{}, {"subsampling": 0}, {"keep_rgb": True}, {"quality": 100}, {"restart_marker_rows": 1}],
)
def test_a_plain_jpeg_keeps_its_pixels(options: dict[str, object]) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    raw = pictures.encoded(
        pictures.pattern(0, 0), exif=exif, comment=b"a comment", icc_profile=b"p" * 99, **options
    )
    kept = without_metadata(raw)
    assert kept is not None
    assert len(kept) < len(raw)
    assert b"a maker" not in kept
    assert b"a comment" not in kept
    assert (pixels(kept) == pixels(raw)).all()


def test_a_grey_jpeg_keeps_its_pixels() -> None:
    raw = pictures.encoded(pictures.pattern(0, 0).convert("L"))
    kept = without_metadata(raw)
    assert kept is not None
    assert (pixels(kept) == pixels(raw)).all()


def test_what_follows_the_picture_is_dropped() -> None:
    raw = pictures.jpeg()
    assert without_metadata(raw + b"hidden text") == without_metadata(raw)


@pytest.mark.parametrize("options", [{"progressive": True}, {"quality": 90, "mode": "CMYK"}])
def test_other_kinds_of_jpeg_are_not_kept(options: dict[str, object]) -> None:
    image = pictures.pattern(0, 0).convert(str(options.pop("mode", "RGB")))
    assert without_metadata(pictures.encoded(image, "JPEG", **options)) is None


def test_no_cut_off_jpeg_is_kept() -> None:
    raw = pictures.jpeg()
    assert all(without_metadata(raw[:end]) is None for end in range(0, len(raw) - 1, 37))


def test_nonsense_is_not_kept() -> None:
    random = np.random.default_rng(0)
    for _ in range(300):
        assert without_metadata(b"\xff\xd8\xff" + random.bytes(200)) is None
