"""The one decoder: faults 1 to 8 and 11 to 18."""

import io
import os
import subprocess
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests import pictures
from tlapp.data.decode import FIRST_FRAME_USED, make_working_copy, open_working_copy
from tlapp.data.pixels import LONG_SIDE_PIXELS, SHORT_SIDE_PIXELS
from tlapp.errors import PictureError
from tlapp.settings import LOCAL_LIMITS


def decoded(raw: bytes, name: str = "cat/3.jpg") -> np.ndarray:
    copy = make_working_copy(raw, name=name, limits=LOCAL_LIMITS)
    image = open_working_copy(copy.encoded)
    assert image.mode == "RGB"
    assert image.size == (copy.width, copy.height)
    return np.asarray(image).astype(np.float32)


def refusal(raw: bytes, name: str = "cat/3.jpg") -> str:
    with pytest.raises(PictureError) as caught:
        make_working_copy(raw, name=name, limits=LOCAL_LIMITS)
    assert caught.value.hint
    return str(caught.value)


def corners(pixels_HW3: np.ndarray) -> list[tuple[int, int, int]]:
    height, width, _ = pixels_HW3.shape
    rows, columns = (height // 4, 3 * height // 4), (width // 4, 3 * width // 4)
    return [tuple(pixels_HW3[row, column].astype(int)) for row in rows for column in columns]


def assert_quadrants(pixels_HW3: np.ndarray, *, tolerance: float = 40) -> None:
    expected = corners(np.asarray(pictures.quadrants()))
    assert np.abs(np.array(corners(pixels_HW3)) - np.array(expected)).max() < tolerance


def test_an_empty_file_is_called_empty_by_its_name() -> None:
    assert refusal(b"") == "cat/3.jpg is empty."


def test_a_text_with_a_pictures_name_is_no_picture() -> None:
    expected = "cat/3.jpg is not a picture we can read (JPG, PNG, WebP, GIF, BMP, TIFF)."
    assert refusal(b"only text, whatever its name says") == expected


@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_a_cut_off_picture_is_damaged_and_never_used_in_part(
    image_format: str, share: float
) -> None:
    raw = pictures.encoded(pictures.pattern(0, 0, width=300, height=300), image_format)
    assert "damaged" in refusal(raw[: int(len(raw) * share)])


@pytest.mark.parametrize("name", sorted(pictures.BROKEN))
def test_what_is_no_sound_picture_is_refused_by_name(name: str) -> None:
    assert refusal(pictures.BROKEN[name](), f"cat/{name}").startswith(f"cat/{name} ")


@pytest.mark.parametrize("name", sorted(pictures.UNUSUAL))
def test_unusual_pictures_are_read(name: str) -> None:
    assert decoded(pictures.UNUSUAL[name](), name).std() > 1


@pytest.mark.parametrize("position", range(40, 4000, 97))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "WEBP", "BMP"])
def test_a_flipped_byte_is_a_picture_or_a_clear_refusal(image_format: str, position: int) -> None:
    raw = bytearray(pictures.encoded(pictures.pattern(1, 2), image_format))
    raw[position % len(raw)] ^= 0xA5
    try:
        make_working_copy(bytes(raw), name="cat/3.jpg", limits=LOCAL_LIMITS)
    except PictureError as error:
        assert str(error).startswith("cat/3.jpg ")


def test_content_decides_and_not_the_name() -> None:
    assert_quadrants(decoded(pictures.encoded(pictures.quadrants(), "PNG"), "cat/3.jpg"))


@pytest.mark.parametrize("name", ["scan.png", "scan.jpg"])
def test_a_tiff_with_another_name_is_refused(name: str) -> None:
    assert "not a picture" in refusal(pictures.encoded(pictures.quadrants(), "TIFF"), name)


def test_a_tiff_with_its_own_name_is_read() -> None:
    assert_quadrants(decoded(pictures.encoded(pictures.quadrants(), "TIFF"), "scan.TIF"))


def test_no_other_program_is_started_for_postscript(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", forbidden)
    monkeypatch.setattr(os, "system", forbidden)
    assert "not a picture" in refusal(pictures.BROKEN["print.png"](), "print.png")


def test_too_many_pixels_are_refused_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _self: pytest.fail("decoded"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        message = refusal(pictures.huge_png(), "cat/bomb.png")
    assert message == "cat/bomb.png has 169 megapixels; the limit is 50."


def test_a_gigantic_bmp_header_is_refused() -> None:
    header = b"BM" + bytes(12) + (40).to_bytes(4, "little")
    header += (2_500_000).to_bytes(4, "little") * 2 + b"\x01\x00\x18\x00" + bytes(24)
    assert "6,250,000 megapixels" in refusal(header + bytes(100), "reallybig.bmp")


def test_a_108_megapixel_jpeg_is_read_at_a_reduced_scale() -> None:
    raw = pictures.encoded(Image.new("L", (12_000, 9_000), 90))
    copy = make_working_copy(raw, name="phone.jpg", limits=LOCAL_LIMITS)
    assert min(copy.width, copy.height) == SHORT_SIDE_PIXELS


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(PictureError, match=r"^a\.jpg is larger than 1 MB"):
        make_working_copy(
            pictures.jpeg() + bytes(1_000_000),
            name="a.jpg",
            limits=replace(LOCAL_LIMITS, image_bytes=1_000_000),
        )


@pytest.mark.parametrize("size", [(1, 1), (1, 20), (100, 1), (2000, 20)])
def test_small_and_long_pictures_are_read_and_never_enlarged(size: tuple[int, int]) -> None:
    height, width, _ = decoded(pictures.encoded(Image.new("RGB", size), "PNG")).shape
    assert width <= size[0]
    assert height <= size[1]
    assert max(width, height) <= LONG_SIDE_PIXELS


@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 1)])
def test_a_line_is_too_thin(size: tuple[int, int]) -> None:
    message = refusal(pictures.encoded(Image.new("RGB", size), "PNG"))
    assert message == f"cat/3.jpg is too thin: {size[0]} x {size[1]} pixels."


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright(orientation: int) -> None:
    pixels_HW3 = decoded(pictures.turned_jpeg(orientation))
    assert pixels_HW3.shape == (48, 64, 3)
    assert_quadrants(pixels_HW3)


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_exif_orientation_is_obeyed_in_other_formats(image_format: str) -> None:
    exif = Image.Exif()
    exif[pictures.ORIENTATION_TAG] = 3
    turned = pictures.quadrants().transpose(Image.Transpose.ROTATE_180)
    assert_quadrants(decoded(pictures.encoded(turned, image_format, exif=exif)))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[pictures.ORIENTATION_TAG] = orientation
    assert_quadrants(decoded(pictures.encoded(pictures.quadrants(), exif=exif)))


def test_broken_exif_does_not_matter() -> None:
    assert_quadrants(decoded(pictures.broken_exif_jpeg()))


def test_cmyk_colours_are_right_and_not_inverted() -> None:
    assert_quadrants(decoded(pictures.cmyk_jpeg()), tolerance=60)


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    assert abs(decoded(pictures.gray_ramp_16_bit_png()).mean() - 127) <= 2


@pytest.mark.parametrize(("dtype", "top"), [(np.float32, 1), (np.float32, 9000), (np.int32, 65535)])
def test_float_and_int_pictures_are_scaled(dtype: type, top: float) -> None:
    ramp_HW = np.tile(np.linspace(0, top, 256).astype(dtype), (64, 1))
    stream = io.BytesIO()
    Image.fromarray(ramp_HW).save(stream, "TIFF")
    pixels_HW3 = decoded(stream.getvalue(), "ramp.tif")
    assert pixels_HW3.std() > 1
    if top != 9000:
        assert abs(pixels_HW3.mean() - 127) <= 2


def test_sixteen_bits_are_scaled_by_their_type_in_either_byte_order() -> None:
    dark_HW = np.tile(np.linspace(0, 200, 64).astype(">u2"), (30, 1))
    image = Image.frombytes("I;16B", (64, 30), dark_HW.tobytes())
    assert decoded(pictures.encoded(image, "TIFF"), "dark.tif").max() == 0


@pytest.mark.parametrize(
    ("value", "dtype"), [(np.nan, np.float32), (-5, np.float32), (10**5, "i4")]
)
def test_a_picture_without_any_range_of_values_is_black(value: float, dtype: str) -> None:
    values_HW = np.full((20, 20), value, dtype=dtype)
    stream = io.BytesIO()
    Image.fromarray(values_HW).save(stream, "TIFF")
    assert decoded(stream.getvalue(), "flat.tif").max() == 0


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pictures_lie_on_white(mode: str) -> None:
    pixels_HW3 = decoded(pictures.half_transparent_png(mode))
    assert pixels_HW3[:, 40:].min() > 245
    assert pixels_HW3[:, :24].mean() < 130


def test_a_transparent_colour_of_an_rgb_png_lies_on_white() -> None:
    image = Image.new("RGB", (40, 40), (9, 9, 9))
    raw = pictures.encoded(image, "PNG", transparency=(9, 9, 9))
    assert decoded(raw).min() == 255


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG"])
def test_a_moving_picture_gives_its_first_frame_and_a_notice(image_format: str) -> None:
    copy = make_working_copy(pictures.animation(image_format), name="a.gif", limits=LOCAL_LIMITS)
    assert copy.notice == FIRST_FRAME_USED
    difference = decoded(pictures.animation(image_format)) - np.asarray(pictures.pattern(0, 0))
    assert np.abs(difference).mean() < 25


@pytest.mark.parametrize("make", [pictures.jpeg, pictures.flat, pictures.two_picture_jpeg])
def test_a_still_picture_has_no_notice(make: Callable[[], bytes]) -> None:
    assert not make_working_copy(make(), name="a", limits=LOCAL_LIMITS).notice


def test_of_two_pictures_in_one_file_the_first_is_taken() -> None:
    assert_quadrants(decoded(pictures.two_picture_jpeg()))


def test_a_heic_photo_gets_a_hint_for_phones() -> None:
    with pytest.raises(PictureError, match="HEIC") as caught:
        make_working_copy(
            b"\x00\x00\x00\x18ftypheic" + bytes(60), name="1.heic", limits=LOCAL_LIMITS
        )
    assert "Most Compatible" in str(caught.value.hint)


def test_a_damaged_colour_profile_does_not_matter() -> None:
    raw = pictures.encoded(pictures.quadrants(), icc_profile=b"\x00\xffnonsense" * 50)
    assert_quadrants(decoded(raw))


@pytest.mark.parametrize(
    ("image_format", "options"), [("JPEG", {}), ("JPEG", {"progressive": True}), ("GIF", {})]
)
@pytest.mark.parametrize("side", [64, 1200])
def test_no_comment_is_kept(image_format: str, options: dict[str, object], side: int) -> None:
    image = pictures.pattern(0, 0, width=side, height=side)
    raw = pictures.encoded(image, image_format, comment=b"secret words", **options)
    assert b"secret words" in raw
    copy = make_working_copy(raw, name="a.jpg", limits=LOCAL_LIMITS)
    assert b"secret words" not in copy.encoded


@pytest.mark.parametrize("make", [pictures.located_jpeg, lambda: pictures.turned_jpeg(6)])
def test_no_metadata_is_kept(make: Callable[[], bytes]) -> None:
    copy = make_working_copy(make(), name="a.jpg", limits=LOCAL_LIMITS)
    assert not Image.open(io.BytesIO(copy.encoded)).getexif()
    assert b"Exif" not in copy.encoded
    assert b"SecretCameraMaker" not in copy.encoded


def test_a_camera_picture_is_scaled_to_the_working_size() -> None:
    copy = make_working_copy(pictures.camera_jpeg(1), name="a.jpg", limits=LOCAL_LIMITS)
    assert min(copy.width, copy.height) <= SHORT_SIDE_PIXELS
    assert copy.width / copy.height == pytest.approx(4 / 3, rel=0.01)


def test_equal_pixels_have_equal_ids_whatever_the_format() -> None:
    image = pictures.pattern(2, 5)
    raws = [pictures.encoded(image, name) for name in ("PNG", "BMP", "TIFF")]
    raws.append(pictures.encoded(image, "WEBP", lossless=True))
    copies = [make_working_copy(raw, name="a.tif", limits=LOCAL_LIMITS) for raw in raws]
    assert len({copy.image_id for copy in copies}) == 1
    other = make_working_copy(pictures.jpeg(2, 6), name="b", limits=LOCAL_LIMITS)
    assert other.image_id != copies[0].image_id


def test_metadata_and_trailing_bytes_do_not_change_the_id() -> None:
    image = pictures.pattern(0, 1)
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    raws = [
        pictures.encoded(image),
        pictures.encoded(image, exif=exif),
        pictures.encoded(image) + b"more",
    ]
    ids = {make_working_copy(raw, name="a", limits=LOCAL_LIMITS).image_id for raw in raws}
    assert len(ids) == 1


def test_a_working_copy_is_its_own_working_copy() -> None:
    first = make_working_copy(pictures.camera_jpeg(2), name="a", limits=LOCAL_LIMITS)
    again = make_working_copy(first.encoded, name="a", limits=LOCAL_LIMITS)
    assert again.encoded == first.encoded


def test_a_damaged_working_copy_is_a_clear_error() -> None:
    with pytest.raises(PictureError, match="damaged"):
        open_working_copy(b"\xff\xd8\xff nothing")
