"""Markers stand for messages in what is built once, and are put into words for each reader."""

import html
import json

import gradio as gr
import pytest

from tlapp.data.dataset import Dataset
from tlapp.messages import (
    ENGLISH,
    NOTHING,
    PSEUDO,
    counted_message,
    languages,
    message,
    percent,
    verbatim,
    words,
)
from tlapp.ui.blocks import AppBlocks
from tlapp.ui.languages import ASKED_IN
from tlapp.ui.later import in_words, is_marked, later, message_of
from tlapp.ui.layout import build_page
from tlapp.ui.page import Page
from tlapp.ui.table import Panels

KNOWN = message("Transfer Learning Lab")  # of the catalogue, which the pseudo-language reads
SAID = message("{name}: {share}", name='"<Käse>" & 字', share=percent(0.5))


def test_a_marker_survives_html_and_json() -> None:
    built = f"<p>{html.escape(later(SAID))}</p>"
    sent = json.loads(json.dumps({"value": [built]}))
    assert in_words(sent, words(ENGLISH)) == {"value": [f"<p>{SAID}</p>"]}


def test_each_language_has_its_own_words() -> None:
    assert in_words(later(KNOWN), words(ENGLISH)) == str(KNOWN)
    assert in_words(later(KNOWN), words(PSEUDO)) == words(PSEUDO).say(KNOWN) != str(KNOWN)


def test_a_counted_message_without_its_number_stands_for_its_forms() -> None:
    said = counted_message("{count} of {limit} file", "{count} of {limit} files", limit=9)
    forms = {"one": "{count} of 9 file", "other": "{count} of 9 files"}
    assert in_words({"words": {"files": later(said)}}, words(ENGLISH))["words"]["files"] == forms


def test_a_counted_message_with_its_number_is_a_text() -> None:
    said = counted_message("{count} file", "{count} files", count=2)
    assert in_words(later(said), words(ENGLISH)) == "2 files"


def test_what_says_nothing_has_no_marker() -> None:
    assert later(NOTHING) == ""
    assert not is_marked(later(NOTHING))


def test_values_without_markers_stay_the_same_objects() -> None:
    values = ["a text", 3, None, 0.5, True]
    assert all(in_words(each, words(PSEUDO)) is each for each in values)


@pytest.mark.parametrize("said", [SAID, KNOWN, verbatim("zip")])
def test_the_message_of_a_component_is_found_again(said: object) -> None:
    assert message_of(later(said)) == said  # type: ignore[arg-type]  # each is a message
    assert message_of("zip") == verbatim("zip")


def test_a_page_is_described_in_the_language_that_is_asked_for_and_remembered() -> None:
    with AppBlocks(title=KNOWN) as blocks:
        gr.HTML(f"<h1>{later(KNOWN)}</h1>")
    before = ASKED_IN.set(PSEUDO)
    try:
        config = blocks.config
        assert blocks.config is config
        assert config["title"] == blocks.title == words(PSEUDO).say(KNOWN)
        assert config["components"][0]["props"]["value"] == f"<h1>{words(PSEUDO).say(KNOWN)}</h1>"
    finally:
        ASKED_IN.reset(before)
    assert blocks.config["components"][0]["props"]["value"] == f"<h1>{KNOWN}</h1>"
    blocks.config = blocks.get_config_file()
    assert blocks.config is not config


@pytest.mark.parametrize("language", languages())
def test_no_marker_reaches_a_browser_or_a_program(
    page: Page, panels: Panels, dataset: Dataset, token: str, language: str
) -> None:
    blocks = build_page(page)
    before = ASKED_IN.set(language)
    try:
        served = json.dumps([blocks.config, blocks.title, blocks.get_api_info(all_endpoints=True)])
    finally:
        ASKED_IN.reset(before)
    assert "\\ue0f" not in served
    for keep in ({}, {"dataset_id": dataset.dataset_id}):
        page.visit(token).keep(**keep)
        visit = page.visit(token, language=language)
        for name, panel in vars(panels).items():
            assert "\\ue0f" not in repr(dict(panel.render(visit))), name


def test_what_a_choice_sends_is_no_words(page: Page) -> None:
    for block in build_page(page).blocks.values():
        sent = [value for _, value in getattr(block, "choices", None) or ()]
        assert not any(isinstance(value, str) and is_marked(value) for value in sent), block
