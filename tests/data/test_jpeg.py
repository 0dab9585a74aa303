"""A JPEG without metadata has the same pixels."""

import io

import numpy as np
import pytest
from PIL import Image

from tests import pictures
from tlapp.data.jpeg import has_more_parts, without_metadata


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


def with_scans(more: int) -> bytes:
    """A progressive JPEG whose last scan, which refines the picture, comes so often again."""
    raw = pictures.encoded(pictures.quadrants(), progressive=True)
    last = raw[raw.rfind(b"\xff\xda") : raw.rfind(b"\xff\xd9")]
    return raw[:-2] + last * more + b"\xff\xd9"


@pytest.mark.parametrize(
    ("raw", "scans"),
    [
        (pictures.jpeg(), 1),
        (pictures.encoded(pictures.quadrants(), progressive=True), 10),
        (with_scans(30), 40),
        (with_scans(300), 310),
        (pictures.two_picture_jpeg(), 1),
        (pictures.jpeg() + b"\xff\xda\x00\x02" * 90, 1),  # behind its end
        (pictures.encoded(pictures.quadrants(), icc_profile=b"\xff\xda\x00\x02" * 90), 1),
        (b"\xff\xd8\xff\xda", 1),
    ],
)
def test_scans_of_the_first_picture_are_counted(raw: bytes, scans: int) -> None:
    assert not has_more_parts(raw, scans=scans, segments=9_999)
    assert has_more_parts(raw, scans=scans - 1, segments=9_999)


def test_segments_of_the_first_picture_are_counted() -> None:
    raw = pictures.encoded(pictures.quadrants(), comment=b"one")
    more = raw[:2] + b"\xff\xfe\x00\x02" * 40 + raw[2:]
    least = next(most for most in range(20) if not has_more_parts(raw, scans=1, segments=most))
    assert has_more_parts(more, scans=1, segments=least + 39)
    assert not has_more_parts(more, scans=1, segments=least + 40)


def test_what_is_cut_off_has_no_more_parts() -> None:
    assert not has_more_parts(b"\xff\xd8", scans=0, segments=0)
    assert not has_more_parts(b"\xff\xd8\xff\xda", scans=1, segments=1)
