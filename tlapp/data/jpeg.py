"""What can be told of a JPEG, and left out of it, without decoding it.

Marker codes: ITU-T T.81, table B.1. The order of the segments is kept.
"""

import re

_START = b"\xff\xd8"
_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"  # no density, no thumbnail
_NEEDED_MARKERS = frozenset({0xDB, 0xC4, 0xDD})  # quantisation, Huffman tables, restart interval
_BASELINE_MARKERS = frozenset({0xC0, 0xC1})
_OTHER_FRAME_MARKERS = frozenset(range(0xC2, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN_MARKER, _JFIF_MARKER, _ADOBE_MARKER, _END_MARKER = 0xDA, 0xE0, 0xEE, 0xD9
_ADOBE_BYTES = 12  # the segment's payload: "Adobe", version, flags, colour transform
_MARKER_IN_SCAN = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")


def without_metadata(raw: bytes) -> bytes | None:
    """The same picture with nothing but what decoding needs; None if `raw` is not that plain.

    Plain is: baseline, 8 bits, grey or three colours, one scan. EXIF, GPS, thumbnails, colour
    profiles, comments and whatever follows the picture are gone; the decoded pixels are the same.
    """
    if not raw.startswith(_START):
        return None
    kept = [_START]
    has_frame = False
    at = 2
    while at + 4 <= len(raw):
        if raw[at] != 0xFF:
            return None
        marker = raw[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        end = at + 2 + int.from_bytes(raw[at + 2 : at + 4], "big")
        if end > len(raw) or end < at + 4:
            return None
        if marker == _SCAN_MARKER:
            scan = _only_scan(raw, at, end)
            return b"".join([*kept, scan]) if scan and has_frame else None
        if marker in _BASELINE_MARKERS:
            if has_frame or not _is_plain_frame(raw[at + 4 : end]):
                return None
            has_frame = True
            kept.append(raw[at:end])
        elif marker in _NEEDED_MARKERS:
            kept.append(raw[at:end])
        elif marker in _OTHER_FRAME_MARKERS:
            return None
        else:
            kept.append(_colour_hint(marker, raw[at + 4 : end]))
        at = end
    return None


def has_more_parts(raw: bytes, *, scans: int, segments: int) -> bool:
    """Whether the first picture in `raw` has more scans, or more segments, than that; looks no
    further."""
    at = len(_START)
    while found := _MARKER_IN_SCAN.search(raw, at):
        marker = found.group(1)[0]
        if marker == _END_MARKER:
            break
        scans -= marker == _SCAN_MARKER
        segments -= 1
        if scans < 0 or segments < 0:
            return True
        after = found.end()
        at = after + int.from_bytes(raw[after : after + 2], "big")
    return False


def _is_plain_frame(frame: bytes) -> bool:
    """`frame`: precision, height (2 bytes), width (2 bytes), number of colours, ..."""
    return len(frame) > 5 and frame[0] == 8 and frame[5] in (1, 3)


def _colour_hint(marker: int, payload: bytes) -> bytes:
    """What says how colours are stored: a bare JFIF segment, Adobe's segment, or nothing."""
    if marker == _JFIF_MARKER and payload.startswith(b"JFIF\x00"):
        return _JFIF
    if marker == _ADOBE_MARKER and payload.startswith(b"Adobe") and len(payload) >= _ADOBE_BYTES:
        length = (_ADOBE_BYTES + 2).to_bytes(2, "big")
        return bytes((0xFF, marker)) + length + payload[:_ADOBE_BYTES]
    return b""


def _only_scan(raw: bytes, start: int, header_end: int) -> bytes | None:
    """The scan that begins at `start`, to the end marker; None if anything else comes before it."""
    found = _MARKER_IN_SCAN.search(raw, header_end)
    if found is None or found.group(1)[0] != _END_MARKER:
        return None
    return raw[start : found.end()]
