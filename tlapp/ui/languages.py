"""Which language a visitor reads: what the address says, else what was chosen before, else what the
browser prefers."""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from http.cookies import CookieError, SimpleCookie
from typing import Final

import gradio as gr

from tlapp.messages import ENGLISH, PSEUDO, languages

CHOICE = "lang"  # of the address: `?lang=xx`
COOKIE = "tlapp_lang"  # keeps the choice
# Of the HTTP request that is being answered; events of the queue have a `gr.Request` instead.
ASKED_IN: Final[ContextVar[str]] = ContextVar("ASKED_IN", default=ENGLISH)
# What browsers and Babel call American English with strange letters, for tests of what was forgotten.
_PSEUDO_TAG = "en-XA"
_PREFERENCE = re.compile(r"\s*([a-z0-9-]+)\s*(?:;\s*q\s*=\s*([0-9.]+)\s*)?", re.ASCII | re.I)


def language_of(request: gr.Request | None) -> str:
    """The language of whoever caused an event of the page or of the API."""
    # A `gr.Request` that nobody has sent (Gradio's own calls) has none of these.
    return language_for(getattr(request, "query_params", {}), getattr(request, "headers", {}))


def language_for(query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The language of whoever sends a request with this query and these headers."""
    cookie = _cookie(headers.get("cookie", ""))
    chosen = next((each for each in (query.get(CHOICE), cookie) if each in languages()), None)
    return chosen or preferred(headers.get("accept-language", ""))


def preferred(accepted: str) -> str:
    """The first language of an Accept-Language header that tlapp speaks; English if there is none.

    https://www.rfc-editor.org/rfc/rfc9110#name-accept-language
    """
    weighed: list[tuple[float, str]] = []
    for part in accepted.split(","):
        read = _PREFERENCE.fullmatch(part)
        weight = _weight(read[2]) if read else 0.0
        if read and weight > 0:
            weighed.append((weight, read[1].lower()))
    known = {tag_of(each).lower(): each for each in languages() if each != PSEUDO}
    for _, name in sorted(weighed, key=lambda each: -each[0]):
        for candidate in (name, name.partition("-")[0]):
            if candidate in known:
                return known[candidate]
    return ENGLISH


def tag_of(language: str) -> str:
    """What HTML, HTTP and the browser's `Intl` call one of the languages.

    https://www.rfc-editor.org/rfc/rfc5646
    """
    return _PSEUDO_TAG if language == PSEUDO else language.replace("_", "-")


def _weight(said: str | None) -> float:
    """How much a language is wished for, 0 to 1; 0: not at all, or nobody can read it."""
    try:
        return 1.0 if said is None else float(said)
    except ValueError:
        return 0.0


def _cookie(header: str) -> str | None:
    """The choice that was kept; None where there is none, or nobody can read the header."""
    try:
        kept = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return None if kept is None else kept.value
