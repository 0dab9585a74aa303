"""The style sheet: only what Gradio's own repetition of every rule leaves whole."""

import re

from tlapp.ui.theme import make_theme, page_css

RULES = re.sub(r"/\*.*?\*/", "", page_css(), flags=re.S)


def test_only_kinds_of_rules_that_gradio_passes_on() -> None:
    kinds = set(re.findall(r"@([a-z-]+)", RULES))
    assert kinds <= {"media", "keyframes"}


def test_no_comma_stands_inside_a_selectors_brackets() -> None:
    # Gradio splits selectors at every comma.
    selectors = re.findall(r"([^{}]+)\{", RULES)
    inside = [text for text in selectors if re.search(r"\([^)]*,[^)]*\)", text.split("@")[0])]
    assert inside == []


def test_braces_are_balanced_and_nothing_is_fetched() -> None:
    assert RULES.count("{") == RULES.count("}")
    assert "url(" not in RULES
    assert "@import" not in RULES


def test_every_variable_that_is_used_is_set() -> None:
    set_ones = set(re.findall(r"(--tl-[a-z0-9-]+)\s*:", RULES))
    theme = " ".join(str(value) for value in vars(make_theme()).values())
    used = set(re.findall(r"var\((--tl-[a-z0-9-]+)", RULES + theme))
    assert used <= set_ones


def test_light_and_dark_have_the_same_colours() -> None:
    def names_in(selector: str) -> set[str]:
        block = re.search(re.escape(selector) + r"\s*\{(.*?)\}", RULES, flags=re.S)
        assert block is not None
        return set(re.findall(r"(--tl-[a-z0-9-]+)\s*:\s*#", block[1]))

    assert names_in(":root") == names_in(".dark")


def test_no_font_is_fetched_from_another_machine() -> None:
    assert make_theme()._stylesheets == []
