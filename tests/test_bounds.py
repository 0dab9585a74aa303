"""How values are shown in messages, and which texts can be written anywhere."""

from typing import Any

import pytest

from tlapp.bounds import SHOWN_CHARACTERS, is_text, shortened, shown

DEEP: list[Any] = []
for _ in range(5_000):
    DEEP = [DEEP]


@pytest.mark.parametrize("value", [None, True, 1.5, "cat", [1, "a"], {"a": 1}], ids=str)
def test_a_short_value_is_shown_as_it_is_written(value: object) -> None:
    assert str(shown(value)) == repr(value)


@pytest.mark.parametrize(
    "value",
    ["x" * 100_000, ["x" * 100_000], {"y" * 9_999: 1}, list(range(9_999)), DEEP, "\ud800" * 999],
    ids=["text", "list", "name", "numbers", "deep", "half characters"],
)
def test_no_value_is_shown_in_more_characters_than_the_limit(value: object) -> None:
    assert 0 < len(str(shown(value))) <= SHOWN_CHARACTERS
    str(shown(value)).encode()


@pytest.mark.parametrize("digits", [40, 400, 4_400, 100_000])
def test_a_number_that_python_may_refuse_to_write_is_shown_by_its_length(digits: int) -> None:
    number = 10 ** (digits - 1)
    for value in (number, -number):
        assert str(shown(value)) == f"a number of {digits:,} digits"
    assert len(str(shown([number]))) <= SHOWN_CHARACTERS


def test_a_text_is_cut_at_its_end() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abc..."


def test_only_bounded_texts_that_can_be_written_are_texts() -> None:
    assert is_text("é", 1)
    assert not is_text("ab", 1)
    assert not is_text("\ud800", 9)
    assert not is_text(b"a", 9)
    assert not is_text(None, 9)
