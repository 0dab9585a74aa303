"""Blocks of a GIF beside its first picture."""

import pytest

from tests import pictures
from tlapp.data.gif import has_more_blocks

PLAIN = pictures.encoded(pictures.pattern(0, 0), "GIF")
COMMENT = b"!\xfe\x03abc\x01d\x00"  # 3 blocks: two pieces and the end


def blocks_of(raw: bytes) -> int:
    return next(most for most in range(1_000) if not has_more_blocks(raw, most))


def with_comments(raw: bytes, count: int, *, is_behind: bool = False) -> bytes:
    at = len(raw) - 1 if is_behind else raw.index(b",", 13 + 3 * 256)
    return raw[:at] + COMMENT * count + raw[at:]


@pytest.mark.parametrize("is_behind", [False, True])
@pytest.mark.parametrize("count", [1, 50])
def test_comments_are_counted_before_and_behind_the_first_picture(
    count: int, is_behind: bool
) -> None:
    raw = with_comments(PLAIN, count, is_behind=is_behind)
    assert blocks_of(raw) == blocks_of(PLAIN) + 3 * count


def test_the_pixels_of_a_picture_are_no_blocks_and_a_later_one_is_not_looked_at() -> None:
    large = pictures.encoded(pictures.pattern(4, 0, width=400, height=400), "GIF")
    assert blocks_of(large) == blocks_of(PLAIN)
    moving = pictures.animation("GIF")
    assert blocks_of(with_comments(moving, 50, is_behind=True)) == blocks_of(moving)


@pytest.mark.parametrize("length", range(0, 1_000, 37))
def test_what_is_cut_off_has_an_end(length: int) -> None:
    assert not has_more_blocks(PLAIN[:length], 1_000)


def test_what_is_no_block_counts_too() -> None:
    assert has_more_blocks(PLAIN[:13] + b"\x01" * 10_000, 5_000)
