"""Sessions of Gradio that keep what was changed, and no copy of the page."""

import gradio as gr
import pytest

from tlapp.ui.door.states import LightSession, use_light_states


def _blocks() -> gr.Blocks:
    blocks = gr.Blocks(analytics_enabled=False)
    with blocks:
        for number in range(50):
            gr.HTML(f"text {number}")
        gr.State(5)
    blocks.queue()
    return blocks


def test_a_fresh_session_describes_no_component(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = _blocks()
    app = gr.routes.App.create_app(blocks)
    use_light_states(app, blocks)
    monkeypatch.setattr(type(blocks.default_config), "config_for_block", None)
    session = app.state_holder["abc"]
    assert session is blocks.state_holder["abc"]
    assert isinstance(session, LightSession)
    assert list(session.components) == []


def test_a_session_keeps_its_own_changes() -> None:
    blocks = _blocks()
    first, second = LightSession(blocks), LightSession(blocks)
    key, state_key = next(iter(blocks.blocks)), list(blocks.blocks)[-1]
    first[key] = "changed"
    assert first.blocks_config.blocks[key] == "changed"
    assert second.blocks_config.blocks[key] is blocks.blocks[key]
    assert first[state_key] == 5
    first[state_key] = 6
    assert (first[state_key], second[state_key]) == (6, 5)


def test_all_that_gradio_gives_a_session_is_there() -> None:
    blocks = _blocks()
    theirs = gr.state_holder.SessionState(blocks)
    assert set(vars(LightSession(blocks))) == set(vars(theirs))
