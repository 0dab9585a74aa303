"""Which language a visitor reads: the address, then the kept choice, then the browser's wishes."""

import gradio as gr
import pytest

from tlapp.messages import ENGLISH, PSEUDO
from tlapp.ui import languages
from tlapp.ui.languages import language_for, language_of, preferred, tag_of

SPOKEN = ("en", "de", "pt_BR", "zh_Hant", PSEUDO)


@pytest.fixture(autouse=True)
def spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Translations that tlapp does not have."""
    monkeypatch.setattr(languages, "languages", lambda: SPOKEN)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", ENGLISH),
        ("de", "de"),
        ("DE-at", "de"),
        ("pt-BR", "pt_BR"),
        ("zh-hant", "zh_Hant"),
        ("fr, de;q=0.5", "de"),
        ("en;q=0.8, de;q=0.9", "de"),
        ("en;q=0.8, de; q=0.9", "de"),
        ("en;q=0.8 , de ; q = 0.9", "de"),
        ("de, en", "de"),  # both are wished for as much: the first of them
        ("de;q=0, en;q=0.1", ENGLISH),
        ("de;q=0", ENGLISH),
        ("fr, *", ENGLISH),
        ("xx", ENGLISH),  # no browser prefers it
        ("en-XA", ENGLISH),
        ("de;q=1.2.3", ENGLISH),
        ("de;q=", ENGLISH),
        ("de;level=1", ENGLISH),
        (";;;,,;q=,=", ENGLISH),
        ("\x00\xff de\u0661", ENGLISH),
        ("de," * 20_000 + "en", "de"),
    ],
)
def test_the_browser_prefers_languages_by_their_weights(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


@pytest.mark.parametrize(
    ("query", "headers", "language"),
    [
        ({}, {}, ENGLISH),
        ({"lang": "xx"}, {}, PSEUDO),
        ({"lang": "xx"}, {"cookie": "tlapp_lang=de", "accept-language": "de"}, PSEUDO),
        ({"lang": "??"}, {"cookie": "tlapp_lang=de", "accept-language": "en"}, "de"),
        ({"lang": ""}, {"cookie": "a=b; tlapp_lang=xx; c=d"}, PSEUDO),
        ({}, {"cookie": "tlapp_lang=fr", "accept-language": "de"}, "de"),
        ({}, {"cookie": "tlapp_lang=../../etc", "accept-language": "de"}, "de"),
        ({}, {"cookie": 'a[]{}="; tlapp_lang=', "accept-language": "de"}, "de"),
        ({}, {"cookie": "\x00" * 9_000, "accept-language": "nonsense"}, ENGLISH),
    ],
)
def test_the_address_decides_then_the_kept_choice_then_the_browser(
    query: dict[str, str], headers: dict[str, str], language: str
) -> None:
    assert language_for(query, headers) == language


def test_whoever_sends_no_request_is_spoken_to_in_english() -> None:
    assert language_of(None) == ENGLISH
    assert language_of(gr.Request()) == ENGLISH


def test_every_language_has_a_tag_that_browsers_know() -> None:
    assert [tag_of(each) for each in SPOKEN] == ["en", "de", "pt-BR", "zh-Hant", "en-XA"]
