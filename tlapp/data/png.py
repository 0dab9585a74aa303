"""A PNG without its texts and its colour profile, which may be of any size and say nothing needed.

Pillow unpacks them while it reads the header, and refuses the whole picture when one is large.
Chunks: PNG specification, third edition, sections 5.3 and 11.3.
"""

from collections.abc import Iterator
from itertools import islice

_SIGNATURE_BYTES = 8
_LENGTH_BYTES, _TYPE_BYTES, _CRC_BYTES = 4, 4, 4
_LEFT_OUT = frozenset({b"tEXt", b"zTXt", b"iTXt", b"iCCP"})
# These may hold the orientation, and Pillow looks for it there.
_ORIENTING_KEYS = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")
_ORIENTING_BYTES = 1 << 16


def has_more_chunks(raw: bytes, most: int) -> bool:
    """Whether a PNG is in more pieces than that; looks no further."""
    return next(islice(_chunks(raw), most, None), None) is not None


def without_texts(raw: bytes) -> bytes:
    """The same picture without texts and profile, but for a short one that may say how it is
    turned. What follows a chunk that is cut off is left as it is."""
    view = memoryview(raw)
    kept = bytearray()  # pieces in a list would take more than the file, where they are small
    start = _SIGNATURE_BYTES
    for at, content, end in _chunks(raw):
        kind = raw[at + _LENGTH_BYTES : content]
        if kind in _LEFT_OUT and not _may_orient(raw, content, end):
            kept += view[start:at]
            start = end
    if start == _SIGNATURE_BYTES:
        return raw
    return b"".join((view[:_SIGNATURE_BYTES], kept, view[start:]))


def _chunks(raw: bytes) -> Iterator[tuple[int, int, int]]:
    """Where each whole chunk begins, where its content does, and where it ends."""
    at = _SIGNATURE_BYTES
    while (content := at + _LENGTH_BYTES + _TYPE_BYTES) <= len(raw):
        end = content + int.from_bytes(raw[at : at + _LENGTH_BYTES], "big") + _CRC_BYTES
        if end > len(raw):
            return
        yield at, content, end
        at = end


def _may_orient(raw: bytes, content: int, end: int) -> bool:
    return end - content <= _ORIENTING_BYTES and raw.startswith(_ORIENTING_KEYS, content)
