"""The settings form: what its fields stand for."""

from typing import Any

import gradio as gr
import pytest

from tlapp.errors import TrainingError
from tlapp.settings import LOCAL_LIMITS
from tlapp.training.config import TrainConfig
from tlapp.ui.panels.form import TrainForm, build_form, field_values, read_form


@pytest.fixture
def form() -> TrainForm:
    """The form, on a page of its own."""
    with gr.Blocks():
        return build_form(most_epochs=1000)


def _read(form: TrainForm, *, freeze: str = "head", **changes: Any) -> TrainConfig:
    defaults = field_values(form, TrainConfig(freeze=freeze))
    values = dict(zip(form.components(), defaults, strict=True))
    values |= {getattr(form, name): value for name, value in changes.items()}
    return read_form(form, values, backbone_name="resnet18", freeze=freeze, limits=LOCAL_LIMITS)


@pytest.mark.parametrize("freeze", ["head", "last:2", "none"])
def test_untouched_fields_stand_for_the_defaults(form: TrainForm, freeze: str) -> None:
    assert _read(form, freeze=freeze) == TrainConfig(backbone="resnet18", freeze=freeze)


def test_an_empty_field_means_its_default(form: TrainForm) -> None:
    assert _read(form, epochs=None).epochs == TrainConfig().epochs


def test_a_whole_number_may_come_as_a_float(form: TrainForm) -> None:
    assert _read(form, epochs=7.0).epochs == 7


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("epochs", 0, "number of epochs"),
        ("epochs", 2.5, "number of epochs"),
        ("epochs", 1001, "number of epochs cannot be 1001"),
        ("epochs", 20_000, "number of epochs cannot be 20000"),
        ("head_epochs", 5000, "number of epochs of the head alone cannot be 5000"),
        ("learning_rate", -1, "learning rate"),
        ("seed", -5, "seed"),
        ("dropout", 1, "dropout"),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_its_name(
    form: TrainForm, field: str, value: float, words: str
) -> None:
    with pytest.raises(TrainingError, match=words) as caught:
        _read(form, **{field: value})
    assert "Choose" in caught.value.hint
