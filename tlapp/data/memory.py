"""How much memory decoding takes, and a budget that keeps all of it together within bounds."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import _imaging
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.WebPImagePlugin import WebPImageFile

# A server with PyTorch and Gradio takes 0.8 GB; with this it stays below 1.5 GB.
DECODING_BYTES = 600_000_000
# Pillow's blocks of 16 MB stay in the C library's heap; larger ones go back to the system.
_BLOCK_BYTES = 64 << 20

# Bytes a pixel at the peak, measured with Pillow 12 on pictures of 49 megapixels.
_JPEG_BYTES = 3  # a progressive one keeps its coefficients; others take a tenth of it
_WEBP_BYTES = 16  # two canvases, the frame, and Pillow's copy of it
_PLAIN_BYTES = 4
_TRANSPARENT_BYTES = 8  # Pillow multiplies with the transparency before it scales
_KEYED_BYTES = 12  # the same for one transparent colour, which becomes a channel first
_DEEP_BYTES = 12  # 32 bits a pixel: the file's, and two copies in NumPy

WEBP_PIXELS = DECODING_BYTES // _WEBP_BYTES  # the largest WebP


def bytes_per_pixel(image: ImageFile) -> int:
    """About how much memory a pixel of `image` takes while it is decoded and scaled."""
    if isinstance(image, JpegImageFile):
        return _JPEG_BYTES
    if isinstance(image, WebPImageFile):
        return _WEBP_BYTES
    if "transparency" in image.info:
        return _KEYED_BYTES
    if image.mode in ("LA", "PA", "RGBA"):
        return _TRANSPARENT_BYTES
    return _DEEP_BYTES if image.mode in ("I", "F") else _PLAIN_BYTES


def decoding_bytes(image: ImageFile) -> int:
    """About how much memory it takes to decode and scale `image`."""
    return image.width * image.height * bytes_per_pixel(image)


class MemoryBudget:
    """So many bytes for all threads; each waits until what it needs is free, first come first."""

    def __init__(self, total_bytes: int = DECODING_BYTES) -> None:
        """Tells Pillow, for the whole process, to give large pictures' memory back at once."""
        self._total = total_bytes
        self._held = 0
        self._queue = threading.Lock()  # whoever is first waits with it, so that none overtakes
        self._changed = threading.Condition()
        _imaging.set_block_size(_BLOCK_BYTES)

    @contextmanager
    def hold(self, wanted_bytes: int) -> Iterator[None]:
        """Wait for the bytes, and give them back afterwards. More than there are: all of them."""
        taken = min(wanted_bytes, self._total)
        with self._queue, self._changed:
            self._changed.wait_for(lambda: self._held + taken <= self._total)
            self._held += taken
        try:
            yield
        finally:
            with self._changed:
                self._held -= taken
                self._changed.notify_all()
