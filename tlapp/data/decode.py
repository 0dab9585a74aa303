"""The one decoder: whatever a person brings becomes the working copy that every later step reads.

Order, and why: recognise by content, never by name; check the size before a pixel is decoded;
decode the first frame (JPEG at a reduced scale); scale, composite, turn upright; store without
metadata. A plain small JPEG is kept as it is, minus its metadata: decoding it again costs least,
and nothing is lost by compressing twice.
"""

import hashlib
import io
import math
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from tlapp.data.gif import has_more_blocks
from tlapp.data.jpeg import has_more_parts, without_metadata
from tlapp.data.memory import DECODING_BYTES, bytes_per_pixel, decoding_bytes
from tlapp.data.pixels import LONG_SIDE_PIXELS, upright_transpose, working_pixels
from tlapp.data.png import has_more_chunks, without_texts
from tlapp.errors import PictureError
from tlapp.messages import NOTHING, Message, counted_message, message
from tlapp.settings import Limits

HEAD_BYTES = 32  # enough to recognise a format
KEPT_SHORT_SIDE_PIXELS = 512  # a plain JPEG up to this is not scaled: that costs 5 decodes
KEPT_BYTES = 600_000
DRAFT_SHORT_SIDE_PIXELS = 360  # 3000 / 8 = 375: a phone's photo is read at an eighth
LONGEST_TO_SHORTEST = 128  # thinner pictures would become gigantic when a network resizes them
# A progressive JPEG has 10. Each passes the whole picture (0.1 s for 108 megapixels, in 150 bytes
# of a file that is made to do harm); libjpeg itself sets no limit.
MOST_SCANS = 50
MOST_PARTS = 50_000  # segments of a JPEG, chunks of a PNG: Pillow takes 10 us for each
MOST_BLOCKS = 5_000  # of a GIF beside its picture: Pillow copies all comments for each
JPEG_QUALITY = 95  # with full colour resolution; 64 kB for 400 x 533

FIRST_FRAME_USED: Final = message("animated: first frame used")
_SAVE_SMALLER = message("Save it as a smaller picture.")
_MEGAPIXEL = 1_000_000
_MEGABYTE = 1_000_000
_BMP_HEADER_SIZES = frozenset(struct.pack("<I", size) for size in (12, 40, 52, 56, 64, 108, 124))
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})
# Pillow's readers raise all of these on damaged files (and say so in their own tests).
_DECODER_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


class NotAPictureError(PictureError):
    """The content is of no format that we read."""


@dataclass(frozen=True)
class WorkingCopy:
    """One picture as every later step reads it."""

    encoded: bytes  # a JPEG without metadata
    image_id: str  # SHA-256 (hex) of size and RGB pixels before they were encoded
    width: int
    height: int
    notice: Message  # what the person may want to know: "animated: first frame used"
    is_exact: bool  # `encoded` decodes to the very pixels that the file holds


def make_working_copy(raw: bytes, *, name: str, limits: Limits) -> WorkingCopy:
    """The working copy of one picture file: upright, RGB, on white, without metadata.

    The short side has at most 384 pixels (512 for a plain JPEG, which is kept), the long one at
    most 1536; nothing is enlarged. Raises `PictureError`, with `name` in its text.
    """
    return working_copy(open_picture(raw, name=name, limits=limits), raw, name=name)


def open_working_copy(encoded: bytes) -> Image.Image:
    """The pixels of a working copy: RGB, upright. Raises `PictureError` if it is damaged."""
    try:
        return _read_jpeg(encoded)
    except _DECODER_FAULTS as fault:
        raise PictureError(
            message("A stored picture is damaged."),
            hint=message("Delete this data set and import it again."),
        ) from fault


def open_picture(raw: bytes, *, name: str, limits: Limits) -> ImageFile:
    """The picture with its header read and its size accepted; no pixel is decoded yet.

    Raises `PictureError`.
    """
    check_byte_count(len(raw), name=name, limit_bytes=limits.image_bytes)
    reader = find_reader(raw[:HEAD_BYTES], name=name)
    _check_parts(reader, raw, name)
    try:
        image = reader(io.BytesIO(without_texts(raw) if reader is PngImageFile else raw))
    except _DECODER_FAULTS as fault:
        raise _damaged(name) from fault
    limit = limits.jpeg_pixels if isinstance(image, JpegImageFile) else limits.image_pixels
    affordable = DECODING_BYTES // bytes_per_pixel(image)
    _check_size(image.size, name=name, limit_pixels=min(limit, affordable))
    return image


def working_copy(image: ImageFile, raw: bytes, *, name: str) -> WorkingCopy:
    """The working copy of `image`, which `open_picture` made from `raw`. Raises `PictureError`."""
    needed_bytes = decoding_bytes(image)  # before a JPEG's draft changes the size that it tells
    try:
        kept = _kept_as_it_is(image, raw)
        pixels, notice = (_read_jpeg(kept), NOTHING) if kept is not None else _decoded(image)
        encoded = kept if kept is not None else _encoded(pixels)
    except MemoryError as fault:
        raise _short_of_memory(name) from fault
    except _DECODER_FAULTS as fault:
        raise (
            _damaged(name) if _has_memory_for(needed_bytes) else _short_of_memory(name)
        ) from fault
    image_id = _image_id(pixels)
    return WorkingCopy(encoded, image_id, *pixels.size, notice, is_exact=kept is not None)


def check_byte_count(count: int, *, name: str, limit_bytes: int) -> None:
    """Raise `PictureError` if a file of `count` bytes is empty or too large."""
    if count == 0:
        raise PictureError(
            message("{name} is empty.", name=name),
            hint=message("Copy the picture again, or leave it out."),
        )
    if count > limit_bytes:
        raise PictureError(
            message(
                "{name} is larger than {limit} MB, which is the limit.",
                name=name,
                limit=limit_bytes // _MEGABYTE,
            ),
            hint=_SAVE_SMALLER,
        )


def find_reader(head: bytes, *, name: str) -> Callable[[io.BytesIO], ImageFile]:
    """What reads a file that begins with `head`. Raises `NotAPictureError`.

    Pillow's own look-up is not used: it would try formats that run other programs.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return JpegImageFile  # also for MPO: the first of its pictures is an ordinary JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PngImageFile
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WebPImageFile
    if head.startswith((b"GIF87a", b"GIF89a")):
        return GifImageFile
    if head.startswith(b"BM") and head[14:18] in _BMP_HEADER_SIZES:
        return BmpImageFile
    if name.lower().endswith((".tif", ".tiff")) and head.startswith((b"II*\0", b"MM\0*")):
        return TiffImageFile
    raise _not_a_picture(head, name)


def _not_a_picture(head: bytes, name: str) -> NotAPictureError:
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return NotAPictureError(
            message("{name} is a HEIC photo, which cannot be read here.", name=name),
            hint=message(
                "Set the iPhone's camera to Most Compatible, or export the photos as JPG."
            ),
        )
    if head.startswith(b"version https://git-lfs"):
        return NotAPictureError(
            message("{name} is a Git LFS pointer, not the picture itself.", name=name),
            hint=message("Run git lfs pull where the pictures come from."),
        )
    return NotAPictureError(
        message("{name} is not a picture we can read (JPG, PNG, WebP, GIF, BMP, TIFF).", name=name),
        hint=message("Save it as JPG or PNG, or leave it out."),
    )


def _damaged(name: str) -> PictureError:
    return PictureError(
        message("{name} is damaged: it cannot be read to its end.", name=name),
        hint=message("Copy or download the picture again, or leave it out."),
    )


def _short_of_memory(name: str) -> PictureError:
    return PictureError(
        message("{name} needs more memory than this machine has left.", name=name),
        hint=_SAVE_SMALLER,
    )


def _has_memory_for(needed_bytes: int) -> bool:
    """Whether this could be had for decoding; libjpeg calls the want of it a broken file."""
    try:
        bytearray(needed_bytes)  # the system gives the pages when they are written to
    except MemoryError:
        return False
    return True


def _check_size(size: tuple[int, int], *, name: str, limit_pixels: int) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise _damaged(name)
    if width * height > limit_pixels:
        raise PictureError(
            counted_message(
                "{name} has {count} megapixel; the limit is {limit}.",
                "{name} has {count} megapixels; the limit is {limit}.",
                count=math.ceil(width * height / _MEGAPIXEL),
                name=name,
                limit=limit_pixels // _MEGAPIXEL,
            ),
            hint=message("Save it as a smaller picture, or as JPG."),
        )
    if max(size) > LONGEST_TO_SHORTEST * min(size):
        raise PictureError(
            message("{name} is too thin: {size} pixels.", name=name, size=f"{width} x {height}"),
            hint=message("Cut it so that it is less than a hundred times as long as it is wide."),
        )


def _check_parts(reader: Callable[[io.BytesIO], ImageFile], raw: bytes, name: str) -> None:
    """Raise `PictureError` for a file that would be read for minutes or hours."""
    if reader is JpegImageFile:
        is_endless = has_more_parts(raw, scans=MOST_SCANS, segments=MOST_PARTS)
    elif reader is PngImageFile:
        is_endless = has_more_chunks(raw, MOST_PARTS)
    else:
        is_endless = reader is GifImageFile and has_more_blocks(raw, MOST_BLOCKS)
    if is_endless:
        raise PictureError(
            message("{name} is made of more parts than any picture needs.", name=name),
            hint=message("Save it again as an ordinary JPG or PNG."),
        )


def _kept_as_it_is(image: ImageFile, raw: bytes) -> bytes | None:
    """The JPEG to keep, without its metadata; None if this picture has to be made again."""
    is_small = min(image.size) <= KEPT_SHORT_SIDE_PIXELS and max(image.size) <= LONG_SIDE_PIXELS
    if not isinstance(image, JpegImageFile) or not is_small:
        return None
    if upright_transpose(image) is not None:
        return None
    kept = without_metadata(raw)
    return kept if kept is not None and len(kept) <= KEPT_BYTES else None


def _decoded(image: ImageFile) -> tuple[Image.Image, Message]:
    """The working pixels of the first frame, upright, and a notice if there are more frames."""
    if isinstance(image, JpegImageFile):
        image.draft(None, (DRAFT_SHORT_SIDE_PIXELS, DRAFT_SHORT_SIDE_PIXELS))
    image.load()
    pixels = working_pixels(image)
    transpose = upright_transpose(image)
    if transpose is not None:
        pixels = pixels.transpose(transpose)
    return pixels, FIRST_FRAME_USED if _is_animated(image) else NOTHING


def _read_jpeg(encoded: bytes) -> Image.Image:
    image = JpegImageFile(io.BytesIO(encoded))
    image.load()
    # A conversion that changes nothing would still copy every pixel: as slow as decoding.
    return image if image.mode == "RGB" else image.convert("RGB")


def _is_animated(image: ImageFile) -> bool:
    """Whether another frame follows. Looks no further than the next frame's header."""
    if isinstance(image, TiffImageFile):
        return False  # further pages of a scan are no animation
    try:
        return bool(getattr(image, "is_animated", False))
    except _DECODER_FAULTS:
        return False


def _encoded(pixels: Image.Image) -> bytes:
    pixels.info.clear()  # Pillow would write the comment that it read
    stream = io.BytesIO()
    pixels.save(stream, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return stream.getvalue()


def _image_id(pixels: Image.Image) -> str:
    """The id of what the file's pixels are, whatever they are encoded as.

    A PNG and the JPEG that decodes to the same pixels are one picture, kept on one side of the
    split. Their working copies differ by a rounding; where both come, that of the JPEG is stored,
    whichever was read first, so that the same files always give the same pixels to learn from.
    """
    digest = hashlib.sha256(f"{pixels.width} x {pixels.height} RGB\n".encode())
    digest.update(pixels.tobytes())
    return digest.hexdigest()
