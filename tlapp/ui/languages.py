"""Which language a visitor reads: what the address says, else what was chosen before, else what the
browser prefers."""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

import gradio as gr

from tlapp.messages import ENGLISH, PSEUDO, languages

CHOICE = "lang"  # of the address: `?lang=xx`
COOKIE = "tlapp_lang"  # keeps the choice


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
    weighed = []
    for part in accepted.split(","):
        name, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), name.strip().lower()))
        except ValueError:
            continue
    known = {each.lower(): each for each in languages() if each != PSEUDO}
    for _, name in sorted(weighed, key=lambda each: each[0]):
        for candidate in (name, name.partition("-")[0]):
            if candidate in known:
                return known[candidate]
    return ENGLISH


def _cookie(header: str) -> str | None:
    """The choice that was kept; None where there is none, or nobody can read the header."""
    try:
        kept = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return None if kept is None else kept.value
