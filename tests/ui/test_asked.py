"""Values of programs and pages: any JSON may come, and each refusal names the field."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from tlapp.bounds import ID_CHARACTERS, MOST_SEED, SETTINGS
from tlapp.data.dataset import Dataset
from tlapp.errors import DataError, NotFoundError, TlappError, TrainingError
from tlapp.settings import LOCAL_LIMITS, PUBLIC_LIMITS
from tlapp.ui import api
from tlapp.ui.actions import data as data_actions
from tlapp.ui.actions import experiments as experiment_actions
from tlapp.ui.actions import runs as run_actions
from tlapp.ui.actions import settings as settings_actions
from tlapp.ui.actions.data import SplitForm
from tlapp.ui.asked import (
    asked_flag,
    asked_folder,
    asked_id,
    asked_percent,
    asked_seed,
    asked_settings,
    asked_text,
    asked_whole,
    event_text,
)
from tlapp.ui.page import Page
from tlapp.ui.sent import Reads, Sent
from tlapp.ui.table import Panels

MOST_MESSAGE = 700  # characters; a hint may list all settings, or all backbones
WRONG: list[Any] = [
    True,
    0,
    -1,
    1.5,
    10**400,
    float("nan"),
    "x" * 100_000,
    "\ud800",
    [],
    [["a"]],
    {},
    {"a": 1},
    [10**5_000],
]


def _said(error: TlappError) -> str:
    said = f"{error} {error.hint}"
    assert len(said) <= MOST_MESSAGE
    assert "x" * 200 not in said
    said.encode()
    return said


@pytest.mark.parametrize("value", [None, "", *WRONG], ids=lambda value: str(type(value)))
@pytest.mark.parametrize("field", ["dataset_id", "run_id", "experiment_id"])
def test_what_is_no_id_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(NotFoundError) as refusal:
        asked_id(field, value)
    assert _said(refusal.value).count(field) >= 2  # what is wrong, and where to get it
    assert asked_id(field, "a" * ID_CHARACTERS) == "a" * ID_CHARACTERS


@pytest.mark.parametrize("value", ["no", "false", 0, 1, *WRONG[1:]], ids=lambda v: str(type(v)))
def test_only_true_and_false_are_true_and_false(value: Any) -> None:
    with pytest.raises(TrainingError) as refusal:
        asked_flag("scratch", value, usual=False)
    assert "scratch" in _said(refusal.value)
    assert asked_flag("scratch", True, usual=False) is True
    assert asked_flag("scratch", None, usual=True) is True


@pytest.mark.parametrize("value", WRONG, ids=lambda value: str(type(value)))
def test_only_a_bounded_text_is_a_text(value: Any) -> None:
    with pytest.raises(TrainingError) as refusal:
        asked_text("backbone", value, usual="")
    assert "backbone" in _said(refusal.value)
    assert asked_text("backbone", None, usual="resnet18") == "resnet18"


@pytest.mark.parametrize("value", ["7", -1, 1.5, MOST_SEED + 1, True, 10**400, 1e300, [], {}])
def test_only_a_whole_number_is_a_seed(value: Any) -> None:
    with pytest.raises(TrainingError) as refusal:
        asked_seed(value)
    assert "seed" in _said(refusal.value)
    assert [asked_seed(each) for each in (None, 0, 3.0, MOST_SEED)] == [0, 0, 3, MOST_SEED]


@pytest.mark.parametrize("value", ["20", 4, 51, True, float("nan"), 10**400, [], None])
def test_only_the_slider_s_percents_can_be_held_out(value: Any) -> None:
    with pytest.raises(DataError):
        asked_percent(value)
    assert [asked_percent(each) for each in (5, 20.0, 50)] == [5, 20, 50]


@pytest.mark.parametrize(
    "path", [None, "", ' "" ', "\x00", "\ud800", "x" * 300, "/" + "x/" * 5_000, "~nobody/a", 3, []]
)
def test_what_names_no_folder_is_refused_before_anything_is_read(path: Any) -> None:
    with pytest.raises(DataError) as refusal:
        asked_folder(path)
    _said(refusal.value)


def test_a_folder_may_be_typed_with_quotes_around_it(tmp_path: Path) -> None:
    assert asked_folder(f' "{tmp_path}" ') == tmp_path


def test_settings_are_an_object_of_known_names() -> None:
    known = frozenset(("epochs", "seed"))
    assert asked_settings(None, known) == {}
    assert asked_settings({"epochs": None}, known) == {"epochs": None}
    too_many = {str(number): 1 for number in range(SETTINGS + 1)}
    for value in ([1], "epochs", 3, True, {"x" * 9_999: 1}, {"\ud800": 1}, too_many):
        with pytest.raises(TrainingError) as refusal:
            asked_settings(value, known)
        _said(refusal.value)


@pytest.mark.parametrize("said", [{}, {"name": 3}, {"name": "x" * 999}, {"name": ["cat"]}], ids=str)
def test_an_event_that_does_not_say_what_it_is_about_is_refused(said: Any) -> None:
    with pytest.raises(DataError) as refusal:
        event_text(said, "name")
    assert "name" in _said(refusal.value)


def test_what_an_event_says_is_read_by_its_name() -> None:
    assert event_text({"name": "cat", "rate": 0.5}, "name") == "cat"


@pytest.mark.parametrize("said", [{}, {"run": ["a"], "name": {}, "stage": 3}], ids=str)
def test_page_events_without_their_values_are_refused_in_words(
    page: Page, panels: Panels, token: str, said: Any
) -> None:
    compare = [
        (panels.compare.reads_run(), action)
        for action in (
            run_actions.rename,
            run_actions.pin,
            run_actions.unpin,
            run_actions.remove,
            run_actions.show_run,
            run_actions.adopt_settings,
        )
    ]
    readers: list[tuple[Reads[Any], Callable[..., Any]]] = [
        *compare,
        (panels.data.reads_edit(), data_actions.edit_classes),
        (panels.mistakes.reads_guess(), experiment_actions.make_mistake),
        (panels.ladder.reads_preset(), settings_actions.choose_preset),
        (panels.backbones.reads_download(), settings_actions.download),
        (panels.settings.reads_rate(), settings_actions.change_rate),
    ]
    for reads, action in readers:
        sent = Sent(dict.fromkeys(reads.components), said)
        with pytest.raises(TlappError) as refusal:
            action(page.visit(token), reads.make(sent))
        _said(refusal.value)


def test_a_split_of_the_page_is_refused_in_words(panels: Panels) -> None:
    share, seed = panels.data.held_out_percent, panels.data.split_seed
    reads = panels.data.reads_split()
    for percent, number in ((float("nan"), 0), (20, 10**400), (20, -1), ("20", 0), (20, "x")):
        with pytest.raises(TlappError):
            reads.make(Sent({share: percent, seed: number}, {}))
    assert reads.make(Sent({share: 25, seed: 3}, {})) == SplitForm(share=0.25, seed=3)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"phases": "head:1," * 5_000}, "phases"),
        ({"phases": ",".join(["head:1"] * 11)}, "phases"),
        ({"phases": ["head:1"]}, "phases"),
        ({"phases": "head:150,none:100"}, "epochs"),
        ({"phases": "head:201"}, "epochs"),
        ({"phases": "head:0"}, "epochs"),
        ({"phases": "head:" + "9" * 900}, "epochs"),
        ({"scratch": "no"}, "scratch"),
        ({"epochs": 201}, "epochs"),
        ({"head_epochs": 10**400, "freeze": "none"}, "epochs of the head"),
        ({"head_epochs": 100, "epochs": 150, "freeze": "none"}, "epochs"),
        ({"learning_rate": 5e-324}, "The learning rate"),
        ({"learning_rate": 10**400}, "The learning rate"),
        ({"backbone": ["resnet18"]}, "backbone"),
        ({"backbone": "x" * 100_000}, "backbone"),
        ({"freeze": "stage 1," * 99_000}, "freeze"),
        ({"stage_rates": [["stage 1", 0.1]] * 101}, "stages have a rate"),
        ({"stage_rates": [[["a"], 0.1]]}, "stage"),
        ({"stage_rates": [["x" * 100_000, 0.1]]}, "stage"),
        ({"stage_rates": [["stage 1", 10**400]]}, "learning rate of 'stage 1'"),
        ({"weight_decay": 1e300}, "weight decay"),
        ({"seed": 10**400}, "seed"),
        ({"batch_size": True}, "batch size"),
        ({"optimizer": ["adamw"]}, "optimizer"),
        ({"x" * 100_000: 1}, "setting"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_settings_are_refused_by_the_right_name_and_this_machine_s_limit(
    settings: Any, field: str
) -> None:
    with pytest.raises(TlappError) as refusal:
        api.wished_phases(settings, PUBLIC_LIMITS)
    said = _said(refusal.value)
    assert field in said
    assert "10000" not in said
    if "epochs" in field and "head" not in field:
        assert f"{PUBLIC_LIMITS.epochs}" in said
        assert f"{LOCAL_LIMITS.epochs:,}" not in said


def test_wrong_settings_are_refused_before_anything_is_looked_at_or_computed(
    page: Page, dataset: Dataset, steps: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[str] = []
    for owner, name in (
        (type(page.workspace), "dataset"),
        (type(page.workspace.trainings), "plan"),
        (type(page.workspace.models.estimates), "seconds"),
        (type(page.workspace.models.estimates), "sketch"),
    ):
        original = getattr(owner, name)

        def counted(*args: Any, _name: str = name, _original: Any = original, **kw: Any) -> Any:
            computed.append(_name)
            return _original(*args, **kw)

        monkeypatch.setattr(owner, name, counted)
    for settings in ({"phases": "head:1," * 5_000}, {"epochs": 10**6}, {"scratch": "no"}):
        with pytest.raises(TrainingError):
            api.train_with(page, dataset.dataset_id, settings)
    for values in (("resnet18", "head", 0), ("nothing", "head", None), (["a"], "head", None)):
        with pytest.raises(TlappError):
            api.train(page, dataset.dataset_id, *values)
    for backbone, seed in (("nothing", 0), ("resnet18", -1), ({}, 0)):
        with pytest.raises(TlappError):
            api.race(page, dataset.dataset_id, backbone, seed)
    assert computed == []
    api.train_with(page, dataset.dataset_id, {"epochs": 1})
    assert {"dataset", "plan", "seconds", "sketch"} <= set(computed)  # the count can count


def test_a_prediction_without_a_run_says_so(page: Page) -> None:
    for value in (None, "", [], 7):
        with pytest.raises(NotFoundError) as refusal:
            api.predict(page, value, ["a.jpg"], gr.Request())
        assert "Name the run" in _said(refusal.value)
    with pytest.raises(NotFoundError):
        api.predict(page, "r_" + "a" * 32, ["a.jpg"], gr.Request())  # before the pictures are read


@pytest.mark.parametrize("value", [1.0, -3.0, 2.0**62, 2.0**63, 1e30, 1.5, float("inf"), "1", None])
def test_a_whole_number_is_one_while_a_file_takes_it(value: Any) -> None:
    read = asked_whole(value)
    assert read == value
    assert not isinstance(read, int) or abs(read) <= MOST_SEED
