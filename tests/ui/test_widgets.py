"""The Python half of the display widgets: values out, what visitors send in."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tlapp.errors import DataError
from tlapp.ui.widgets.assets import needs_of, read_script
from tlapp.ui.widgets.backbone_cards import BackboneCard, BackboneCards, BackboneCardsValue
from tlapp.ui.widgets.class_list import (
    THUMBNAILS_IN_ALL,
    ClassEdit,
    ClassList,
    ClassListValue,
    ClassRow,
    read_class_edit,
    skipped_rows,
    thumbnails_per_class,
)
from tlapp.ui.widgets.folder_drop import FolderDrop
from tlapp.ui.widgets.ladder import Ladder, LadderStage, LadderValue
from tlapp.ui.widgets.mistake_view import MistakeView
from tlapp.ui.widgets.picture_drop import PictureDrop
from tlapp.ui.widgets.predictions import Predictions
from tlapp.ui.widgets.race_view import RaceView
from tlapp.ui.widgets.rate_chart import RateChart
from tlapp.ui.widgets.run_list import RunList
from tlapp.ui.widgets.run_view import Curves, RunView, RunViewValue
from tlapp.ui.widgets.values import picture_address

DISPLAY_WIDGETS = (
    ClassList, BackboneCards, Ladder, RunView, RateChart, RunList, RaceView, MistakeView,
    Predictions,
)  # fmt: skip
ALL_WIDGETS = (*DISPLAY_WIDGETS, FolderDrop, PictureDrop)
FOLDER = Path(__file__).parents[2] / "tlapp" / "ui" / "widgets"
SCRIPTS = {path.name: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.js"))}
SHARED = {needed for name in SCRIPTS for needed in needs_of(name)}
JUNK = (None, 7, "x", [], {}, {"selected": 3}, {"frozen": "no"}, {"value": {"a": [1]}})


@pytest.mark.parametrize("widget", ALL_WIDGETS)
def test_a_template_holds_nothing_that_gradio_would_fill_in(widget: Any) -> None:
    template = widget().html_template
    assert not any(mark in template for mark in ("{{", "${", "`", "@children"))


@pytest.mark.parametrize("widget", ALL_WIDGETS)
def test_what_the_page_is_told_of_a_widget_is_plain_json(widget: Any) -> None:
    # Any quoted word of the script is an event for Gradio: one that is named like an argument
    # would put a function into the configuration.
    json.dumps(widget().get_config())


@pytest.mark.parametrize("widget", ALL_WIDGETS)
def test_a_widget_is_made_again_from_its_own_arguments(widget: Any) -> None:
    # Gradio does so for each `gr.update` and `gr.skip`.
    arguments = widget(elem_id="here").constructor_args
    assert widget(**arguments).elem_id == "here"


def test_importing_a_widget_writes_no_stub_beside_it() -> None:
    assert list(FOLDER.glob("*.pyi")) == []


# --- Scripts -------------------------------------------------------------------------------------


def top_names(script: str) -> list[str]:
    """What a script says to those after it: its functions, classes and constants."""
    return re.findall(r"^(?:async )?(?:function|class|const|let) (\w+)", script, re.M)


def uses(script: str, name: str) -> bool:
    """Whether a function of this name is called, or a constant or class of it read."""
    pattern = rf"(?<![\w.]){name}\b" + ("" if name[0].isupper() else r"\(")
    return name not in top_names(script) and re.search(pattern, script) is not None


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_scripts_first_line_names_the_scripts_that_it_needs(name: str) -> None:
    code = re.sub(r"/\*[\s\S]*?\*/|//.*", "", SCRIPTS[name])
    used = {
        other
        for other in SHARED - {name}
        if any(uses(code, each) for each in top_names(SCRIPTS[other]))
    }
    assert set(needs_of(name)) == used


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_scripts_first_line_names_the_values_that_it_reads(name: str) -> None:
    first, _, code = SCRIPTS[name].partition("\n")
    said = re.findall(r"\w+", first.partition(" Reads ")[2])
    through_display = r"\b(value|words)\(\)" if "display.js" in needs_of(name) else r"$^"
    assert set(said) == {*re.findall(r"\bprops\.(\w+)", code), *re.findall(through_display, code)}


@pytest.mark.parametrize("name", sorted(SCRIPTS.keys() - SHARED))
def test_a_script_comes_once_and_after_what_it_needs_and_no_name_twice(name: str) -> None:
    whole = read_script(name)
    places = {other: whole.find(SCRIPTS[other]) for other in SCRIPTS if SCRIPTS[other] in whole}
    for other, place in places.items():
        assert whole.count(SCRIPTS[other]) == 1
        assert all(places[needed] < place for needed in needs_of(other))
    names = top_names(whole)
    assert sorted(names) == sorted(set(names))


def test_numbers_are_put_into_words_in_one_place() -> None:
    for name, script in SCRIPTS.items():
        said = re.search(r"toLocaleString|toPrecision|toExponential|\\u00a0", script)
        assert name == "numbers.js" or said is None, name


def test_only_one_script_makes_lines_that_are_heard_and_not_seen() -> None:
    silent = re.compile(r"tl-hidden.*status")
    assert [name for name in SCRIPTS if silent.search(SCRIPTS[name])] == ["speech.js"]


# --- Values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", JUNK)
def test_nothing_that_a_visitor_sends_in_place_of_a_value_breaks_a_widget(sent: Any) -> None:
    for widget in (ClassList, RunView, RunList, Predictions):
        assert widget().preprocess(sent) is None
    assert BackboneCards().preprocess(sent) == ""
    assert Ladder().preprocess(sent) == ()


def test_a_listener_gets_the_chosen_name_and_the_locked_stages() -> None:
    card = BackboneCard(name="a", title="A", facts=(), ready=True, weights="ready offline")
    cards = BackboneCards()
    value = cards.postprocess(BackboneCardsValue(cards=(card,), selected="a"))
    assert cards.preprocess(value) == "a"
    ladder = Ladder()
    stages = (LadderStage("stem", "stem", 10, None), LadderStage("top", "top", 20, 1e-4))
    value = ladder.postprocess(
        LadderValue(stages=stages, head=LadderStage("head", "head", 5, 1e-3))
    )
    assert ladder.preprocess(json.loads(json.dumps(value))) == ("stem",)


def test_curves_travel_with_four_digits_and_keep_their_gaps() -> None:
    value = RunViewValue(
        state="running",
        status="Epoch 2 of 3.",
        epochs=Curves(valid=(1.23456789, None), train=(0.000123456, 1234.56)),
        interval=(0.7777777, 1.0),
    )
    sent = json.loads(json.dumps(RunView().postprocess(value)))
    assert sent["epochs"]["valid"] == [1.235, None]
    assert sent["epochs"]["train"] == [0.0001235, 1235.0]
    assert sent["interval"] == [0.7778, 1.0]


def test_a_loss_that_is_no_number_is_a_gap_and_not_broken_json() -> None:
    value = RunViewValue(
        state="failed", status="", epochs=Curves(valid=(float("nan"), float("inf"), 1.0))
    )
    assert RunView().postprocess(value)["epochs"]["valid"] == [None, None, 1.0]


def test_very_many_classes_get_fewer_thumbnails_each() -> None:
    assert thumbnails_per_class(0) == 6
    assert thumbnails_per_class(40) == 6
    for classes in (51, 100, 299, 1000, 100_000):
        assert thumbnails_per_class(classes) * classes <= THUMBNAILS_IN_ALL


def test_skipped_files_are_cut_to_what_can_be_read() -> None:
    rows = skipped_rows(((f"{index}.jpg", "It is empty.") for index in range(1000)), limit=3)
    assert [row.name for row in rows] == ["0.jpg", "1.jpg", "2.jpg"]


def test_an_edit_is_read_from_an_event() -> None:
    event = {"action": "rename", "index": 1, "class_name": "a", "name": "b"}
    assert read_class_edit(event) == ClassEdit("rename", 1, "a", name="b")
    merge = {"action": "merge", "index": 1, "class_name": "a", "target": 0}
    assert read_class_edit(merge) == ClassEdit("merge", 1, "a", target=0)
    remove = {"action": "remove", "index": 0, "class_name": "a", "name": "ignored"}
    assert read_class_edit(remove) == ClassEdit("remove", 0, "a")


@pytest.mark.parametrize(
    "sent",
    [
        *(each for each in JUNK if isinstance(each, dict)),  # no event says anything else
        {"action": "format", "index": 0, "class_name": "a"},
        {"action": "remove", "index": -1, "class_name": "a"},
        {"action": "remove", "index": True, "class_name": "a"},
        {"action": "remove", "index": "0", "class_name": "a"},
        {"action": "remove", "index": 0, "class_name": ["a"]},
        {"action": "rename", "index": 0, "class_name": "a", "name": None},
        {"action": "merge", "index": 0, "class_name": "a"},
        {"action": "merge", "index": 0, "class_name": "a", "target": 1.0},
    ],
)
def test_an_edit_that_is_none_is_refused(sent: Any) -> None:
    with pytest.raises(DataError, match="cannot be understood"):
        read_class_edit(sent)


def test_class_names_travel_as_they_are() -> None:
    name = "<img src=x onerror=alert(1)>${alert(1)}"
    value = ClassListValue(summary="", classes=(ClassRow(name, 1),))
    assert ClassList().postprocess(value)["classes"][0]["name"] == name


def test_a_picture_becomes_an_address_that_needs_no_request() -> None:
    assert picture_address(b"\xff\xd8") == "data:image/jpeg;base64,/9g="
