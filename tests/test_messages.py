"""Messages: made of ids and values, kept as such, put into the words of a language."""

import json
import math
import re

import pytest

from tests.catalogue import as_text, collect
from tlapp.messages import (
    CATALOGUE,
    ENGLISH,
    NOTHING,
    PSEUDO,
    Message,
    alone,
    counted_message,
    duration,
    joined,
    languages,
    message,
    number,
    percent,
    signed,
    significant,
    size,
    verbatim,
    words,
)
from tlapp.stored import plain

NAMES = re.compile(r"\{(\w+)\}")


def test_the_catalogue_has_every_message() -> None:
    said = "Run `python -m tests.catalogue`: messages have changed since the catalogue was made."
    assert CATALOGUE.read_text(encoding="utf-8") == as_text(collect()), said


@pytest.mark.parametrize("language", languages())
def test_every_message_of_every_catalogue_is_said_with_all_its_values(language: str) -> None:
    speaker = words(language)
    for entry in collect():
        if not entry.id:
            continue
        singular, plural = (entry.id, "") if isinstance(entry.id, str) else entry.id
        names = set(NAMES.findall(singular + plural)) - {"count"}
        values = tuple((name, f"<{name}>") for name in sorted(names))
        for count in (0, 1, 2, 5, 1_200):
            form = plural if plural and count != 1 else singular
            said = speaker.say(Message(singular, (*values, ("count", count)), plural))
            assert not NAMES.search(said), said
            wanted = [f"<{name}>" for name in NAMES.findall(form) if name != "count"]
            assert all(each in said for each in wanted), said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1_200, "1,200"),
        (number(0.5, 2), "0.50"),
        (number(1234.5), "1,234"),
        (number(0.155, 2), "0.15"),
        (number(math.nan, 2), "nan"),
        (signed(2.1, 1), "+2.1"),
        (signed(-1234.5), "-1,234"),
        (signed(-0.04, 1), "-0.0"),
        (significant(0.002), "0.002"),
        (significant(0.00005), "5e-5"),
        (significant(0.00287, 2), "0.0029"),
        (percent(0.845), "84\u00a0%"),
        (percent(0.845, 1), "84.5\u00a0%"),
        (duration(0.2), "under 1 s"),
        (duration(89), "89 s"),
        (duration(100), "1 min 40 s"),
        (duration(125), "2 min"),
        (duration(180), "3 min"),
        (duration(9_000), "2.5 h"),
        (size(0), "0 MB"),
        (size(300), "1 MB"),
        (size(45_200_000), "45 MB"),
        (size(1_040_000_000), "1.0 GB"),
        (message("inner {n}", n=2), "inner 2"),
        ("{a person's own}", "{a person's own}"),
    ],
)
def test_values_are_written_as_english_writes_them(value: object, said: str) -> None:
    assert str(message("{value}.", value=value)) == f"{said}."  # type: ignore[arg-type]  # each is a Value


def test_a_number_decides_about_the_form() -> None:
    def said(count: int) -> str:
        return str(counted_message("{count} picture", "{count} pictures", count=count))

    assert [said(count) for count in (0, 1, 2)] == ["0 pictures", "1 picture", "2 pictures"]
    forms = words(ENGLISH).forms(counted_message("{count} picture", "{count} pictures", count=0))
    assert forms == {"one": "{count} picture", "other": "{count} pictures"}


def test_what_says_nothing_is_left_out() -> None:
    assert not joined(NOTHING, verbatim(""))
    assert joined(NOTHING, message("A.")) == message("A.")
    assert str(joined(message("A."), NOTHING, message("B."))) == "A. B."


def test_a_message_comes_back_from_a_file_as_it_was() -> None:
    said = joined(
        counted_message("{count} of {name}", "{count} of {name}", count=3, name="{cat}"),
        message("{share} in {time}", share=percent(0.5), time=duration(61)),
    )
    kept = json.loads(json.dumps(plain(said)))
    assert Message.from_json(kept) == said
    assert hash(Message.from_json(kept)) == hash(said)


@pytest.mark.parametrize(
    "kept",
    [
        None,
        3,
        [],
        {},
        {"id": 3},
        {"id": "{a}", "values": []},
        {"id": "{a}", "values": {"a": None}},
        {"id": "{a}", "values": {"a": 0.5}},
        {"id": "{a}", "values": {"a": {"unit": "parsec", "value": 1}}},
        {"id": "{a}", "values": {"a": {"unit": "size", "value": "1"}}},
        {"id": "{a}", "plural": 2},
    ],
)
def test_what_is_no_message_is_refused(kept: object) -> None:
    with pytest.raises(ValueError, match=r"^no "):
        Message.from_json(kept)


def test_a_sentence_of_an_earlier_version_stays_as_it_is() -> None:
    said = Message.from_json("Stopped. {The best} epoch is kept.")
    assert str(said) == "Stopped. {The best} epoch is kept."


def test_the_pseudo_language_brackets_the_catalogue_and_nothing_else() -> None:
    speak = words(PSEUDO).say
    assert speak(message("{minutes} min", minutes=3)) == "[3 min ~~~~~]"
    assert speak(verbatim("my class")) == "my class"
    assert speak(message("no such template")) == "no such template"
    assert speak(message("{number}\u00a0%", number=percent(0.5))).startswith("[[50")


def test_a_value_alone_has_no_words_around_it() -> None:
    assert words(PSEUDO).say(alone(significant(0.002))) == "0.002"
