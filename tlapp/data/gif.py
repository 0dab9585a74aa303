"""How many blocks Pillow would go through before the second picture of a GIF.

It joins comments piece by piece, which takes hours where they are many.
Blocks: GIF89a specification, sections 15 and 18 to 27.
"""

_HEADER_BYTES = 13  # signature and screen descriptor
_PICTURE_BYTES = 10  # an image descriptor, without its table of colours
_EXTENSION, _PICTURE, _END = 0x21, 0x2C, 0x3B
_HAS_TABLE, _TABLE_BITS = 0x80, 0x07


def has_more_blocks(raw: bytes, most: int) -> bool:
    """Whether there are more blocks than that beside the first picture; looks no further."""
    at = _HEADER_BYTES + _table_bytes(raw, _HEADER_BYTES - 3)
    pictures = 0
    while at < len(raw) and most >= 0:
        kind = raw[at]
        if kind == _EXTENSION:
            at += 2
            while at < len(raw) and raw[at] and most >= 0:
                at += 1 + raw[at]
                most -= 1
        elif kind == _PICTURE and not pictures:
            pictures += 1
            at += _PICTURE_BYTES + _table_bytes(raw, at + _PICTURE_BYTES - 1) + 1
            while at < len(raw) and raw[at]:
                at += 1 + raw[at]
        elif kind in (_PICTURE, _END):
            return False
        at += 1
        most -= 1
    return most < 0


def _table_bytes(raw: bytes, flags_at: int) -> int:
    """The length of the table of colours that these flags announce."""
    flags = raw[flags_at] if flags_at < len(raw) else 0
    return 3 << ((flags & _TABLE_BITS) + 1) if flags & _HAS_TABLE else 0
