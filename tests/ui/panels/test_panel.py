"""One update out of several: nothing that one of them says is lost."""

import gradio as gr

from tlapp.ui.panels.panel import merged


def test_updates_of_other_components_stand_side_by_side() -> None:
    one, other = gr.HTML(render=False), gr.HTML(render=False)
    assert merged({one: "a"}, {}, {other: None}) == {one: "a", other: None}
    assert merged() == {}


def test_properties_of_one_component_are_all_kept_and_the_later_value_counts() -> None:
    ladder = gr.HTML(render=False)
    value, moved = gr.update(value="stages"), gr.update(label="moved")
    assert merged({ladder: value}, {ladder: moved}) == {
        ladder: gr.update(value="stages", label="moved")
    }
    assert merged({ladder: value}, {ladder: gr.update(value="b")}) == {ladder: gr.update(value="b")}
    assert value == gr.update(value="stages"), "what a panel has drawn is not changed"


def test_of_plain_values_the_later_one_counts() -> None:
    drop = gr.HTML(render=False)
    for earlier in ("a", gr.update(label="moved"), {"kept": 1}):
        assert merged({drop: earlier}, {drop: {"kept": 2}}) == {drop: {"kept": 2}}
