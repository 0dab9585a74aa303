"""The fields: what they show, what is said at one of them, and what is sent of them."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from tests.ui.filled import FIELDS, settings_sent
from tlapp.messages import ENGLISH, words
from tlapp.training.config import TrainConfig
from tlapp.ui.later import in_words
from tlapp.ui.page import Page
from tlapp.ui.panels.settings import WRONG_FIELD
from tlapp.ui.table import Panels
from tlapp.ui.wiring import open_page

TOKEN = gr.State()  # stands for the component that holds the visitor's token
LAST = TrainConfig(freeze="last:1")


def test_the_fields_show_the_settings_and_are_sent_as_the_same(
    page: Page, panels: Panels, token: str
) -> None:
    config = replace(LAST, epochs=7, optimizer="sgd", class_weights=True)
    page.visit(token).keep(config=config)
    shown = panels.settings.render(page.visit(token))
    assert {field.elem_id: update["value"] for field, update in shown.items()} == {
        panels.settings.fields[name].elem_id: getattr(config, name) for name in FIELDS
    }
    form = panels.settings.reads().make(settings_sent(page, panels, config))
    assert form.config(page.visit(token)) == config


def test_the_rate_of_a_stage_comes_with_the_settings(
    page: Page, panels: Panels, token: str
) -> None:
    reads = panels.settings.reads_rate()
    form = reads.make(settings_sent(page, panels, LAST, {"stage": "top", "rate": 2e-4}))
    assert (form.stage, form.rate) == ("top", 2e-4)
    assert form.settings.config(page.visit(token)) == LAST
    assert reads.make(settings_sent(page, panels, LAST, {"stage": "top"})).rate is None


def test_a_field_says_why_it_cannot_hold_a_value_and_only_then(
    page: Page, panels: Panels, token: str
) -> None:
    field = panels.settings.fields["epochs"]
    wrong = panels.settings.render_note("epochs", page.visit(token), 0)[field]
    assert wrong["elem_classes"] == WRONG_FIELD
    assert "number of epochs" in wrong["info"]
    right = panels.settings.render_note("epochs", page.visit(token), 7)[field]
    assert (right["elem_classes"], right["info"]) == ([], in_words(field.info, words(ENGLISH)))


def test_an_empty_field_says_what_it_stands_for(page: Page, panels: Panels, token: str) -> None:
    field = panels.settings.fields["epochs"]
    note = panels.settings.render_note("epochs", page.visit(token), None)[field]
    assert note["elem_classes"] == []
    assert str(TrainConfig().epochs) in note["info"]


def test_settings_that_another_version_kept_are_drawn_as_the_defaults(
    page: Page, panels: Panels, token: str
) -> None:
    page.visit(token).keep(config=TrainConfig(backbone="gone_net", epochs=99))
    shown = panels.settings.render(page.visit(token))
    assert shown[panels.settings.fields["epochs"]]["value"] == TrainConfig().epochs


def test_what_is_pressed_while_the_page_is_filled_is_not_undone(
    page: Page, panels: Panels, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, drawn = panels.settings.render, []

    def slowly(visit: Any) -> Any:
        update = draw(visit)
        if not drawn:
            visit.keep(config=LAST)
        drawn.append(visit.config)
        return update

    monkeypatch.setattr(panels.settings, "render", slowly)
    request: Any = SimpleNamespace(session_hash="tab")
    opened = (panels.ladder, panels.settings)
    update = open_page(page, opened, TOKEN, lambda visit: {}, {TOKEN: token}, request)  # type: ignore[arg-type]  # stands for it
    assert drawn == [TrainConfig(), LAST]
    stages = update[panels.ladder.ladder]["value"].stages
    assert [stage.name for stage in stages if stage.rate is not None] == ["top"]
    assert update[panels.settings.fields["epochs"]]["value"] == LAST.epochs
