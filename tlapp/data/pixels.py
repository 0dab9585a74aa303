"""From whatever a file holds to upright RGB: depth, transparency, colours, size."""

import numpy as np
from PIL import Image

SHORT_SIDE_PIXELS = 384  # the largest side that a backbone of the catalogue reads
LONG_SIDE_PIXELS = 4 * SHORT_SIDE_PIXELS
BACKGROUND = (255, 255, 255)  # shown through where a picture is transparent

_ORIENTATION_TAG = 0x0112  # EXIF 2.3, section 4.6.4
_UPRIGHT_BY = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BROKEN_EXIF = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError)


def upright_transpose(image: Image.Image) -> Image.Transpose | None:
    """What makes `image` upright, by its EXIF orientation; None if nothing has to be done.

    Broken EXIF and orientations that do not exist count as upright.
    """
    try:
        return _UPRIGHT_BY.get(image.getexif().get(_ORIENTATION_TAG, 1))
    except _BROKEN_EXIF:
        return None


def working_pixels(image: Image.Image) -> Image.Image:
    """`image` (loaded) as RGB, at most `SHORT_SIDE_PIXELS` x `LONG_SIDE_PIXELS`, never enlarged.

    Sixteen-bit and float pictures are scaled to 8 bits, not clipped; transparent ones lie on
    `BACKGROUND`. Orientation is left as it is.
    """
    eight_bit = _as_eight_bit(image)
    size = working_size(eight_bit.size)
    if size != eight_bit.size:
        # Reducing by whole factors first keeps big pictures quick; 2.0 leaves the filter its room.
        eight_bit = eight_bit.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return _on_background(eight_bit)


def working_size(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) of the working copy of a picture of this (width, height)."""
    scale = min(1.0, SHORT_SIDE_PIXELS / min(size), LONG_SIDE_PIXELS / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _as_eight_bit(image: Image.Image) -> Image.Image:
    """`image` in a mode that can be resized: L, LA, RGB, RGBA or CMYK."""
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_scaled_to_bytes(np.asarray(image)))
    if "transparency" in image.info and image.mode in ("1", "L", "P", "RGB"):
        return image.convert("RGBA")
    if image.mode == "PA":
        return image.convert("RGBA")
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return image
    return image.convert("RGB")


def _scaled_to_bytes(values: np.ndarray) -> np.ndarray:
    """Grey `values` of any depth as 0 to 255; by their type, or else by their own range."""
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:  # in either byte order
        return (values >> 8).astype(np.uint8)
    scaled = values.astype(np.float32)  # and from here on in place: the picture may be large
    np.nan_to_num(scaled, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(scaled.min()), float(scaled.max())
    if low >= 0 and high <= 1 and values.dtype.kind == "f":
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 255:
        low, high = 0.0, 255.0
    elif low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0
    scaled -= low
    scaled *= 255.0 / max(high - low, 1e-30)  # all equal: black
    return np.rint(scaled, out=scaled).astype(np.uint8)


def _on_background(image: Image.Image) -> Image.Image:
    if image.mode not in ("LA", "RGBA"):
        return image.convert("RGB")
    canvas = Image.new("RGBA", image.size, (*BACKGROUND, 255))
    return Image.alpha_composite(canvas, image.convert("RGBA")).convert("RGB")
