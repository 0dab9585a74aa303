"""The Try zone: who answers, and what is said while nobody does."""

from dataclasses import replace

import pytest

from tests.pictures import jpeg
from tests.runs.examples import make_record
from tlapp.evaluation.predict import ClassProbability
from tlapp.evaluation.test_pictures import TestAnswer
from tlapp.messages import message
from tlapp.runs.live import LiveRun
from tlapp.training.config import TrainConfig
from tlapp.ui.actions.trying import try_samples
from tlapp.ui.page import Page
from tlapp.ui.table import Panels
from tlapp.ui.text import trying as words
from tlapp.ui.visit import Visit
from tlapp.ui.widgets.predictions import PredictionsValue


def shown(panels: Panels, visit: Visit) -> PredictionsValue:
    """The answers."""
    value = panels.trying.render(visit)[panels.trying.predictions]
    assert isinstance(value, PredictionsValue)
    return value


def bring(page: Page, owner: str) -> None:
    """One test picture of the visitor's."""
    visitors = page.workspace.visitors
    visitors.keep_test_pictures(owner, visitors.prepare([("a.jpg", jpeg())]))


def test_while_fine_tuning_waits_try_knows_that_there_is_a_head(
    page: Page, panels: Panels, token: str
) -> None:
    visit = page.visit(token)
    record = make_record()
    visit.__dict__["run"] = LiveRun(record=record, phase="waiting")
    assert shown(panels, visit).empty == str(words.NOTHING_TRIED)
    tuning = replace(record, continues="the head's run")
    visit.__dict__["run"] = LiveRun(record=tuning, phase="waiting")
    assert shown(panels, visit).empty == str(words.NOTHING_TRIED_YET)


def test_a_picture_shows_its_three_most_probable_classes_or_why_there_are_none(
    page: Page, panels: Panels, token: str, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranked = tuple(ClassProbability(name, 0.25) for name in "abcd")
    answers = [
        TestAnswer(name="<b>.jpg", thumbnail=b"jpeg", ranked=ranked),
        TestAnswer(name="<b>.jpg", thumbnail=b"", ranked=(), error=message("It is empty.")),
    ]
    monkeypatch.setattr(page.workspace.visitors, "imagenet_answers", lambda *_: answers)
    bring(page, owner)
    first, second = shown(panels, page.visit(token)).pictures
    assert [bar.name for bar in first.classes] == ["a", "b", "c"]
    assert (first.name, second.name) == ("<b>.jpg", "<b>.jpg")  # as text; the widget escapes
    assert first.key != second.key
    assert (second.thumbnail, second.classes, second.error) == ("", (), "It is empty.")


def test_a_backbone_that_is_not_here_cannot_answer(
    page: Page, panels: Panels, token: str, owner: str
) -> None:
    bring(page, owner)
    page.visit(token).keep(config=TrainConfig(backbone="resnet18"))
    assert shown(panels, page.visit(token)).empty == str(words.NO_WEIGHTS_TO_ANSWER)


def test_before_any_training_the_untouched_network_answers_to_the_samples(
    page: Page, panels: Panels, token: str
) -> None:
    before = panels.trying.view(page.visit(token))
    try_samples(page.visit(token))
    assert panels.trying.view(page.visit(token)) != before
    value = shown(panels, page.visit(token))
    assert value.heading == str(words.IMAGENET_ANSWERS)
    assert all(len(picture.classes) == 3 for picture in value.pictures)
    assert value.pictures
