"""What a client sends is checked before Gradio works with it, and every failure has words."""

import asyncio
import html
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gradio as gr
import pytest

from tlapp.errors import DataError
from tlapp.messages import ENGLISH, PSEUDO, message, words
from tlapp.ui.blocks import AppBlocks, changes, check_inputs
from tlapp.ui.handling import INCIDENT_TITLE, REFUSED_TITLE, TITLES, bind
from tlapp.ui.languages import ASKED_IN
from tlapp.ui.later import later
from tlapp.ui.text import asked as text
from tlapp.ui.text import unexpected_error
from tlapp.ui.widgets.any_json import AnyJson
from tlapp.ui.widgets.folder_drop import FolderDrop
from tlapp.ui.widgets.picture_drop import PictureDrop
from tlapp.ui.widgets.run_list import RunList

MARK = {"_type": "gradio.FileData"}


@pytest.fixture(autouse=True)
def upload_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


def _file(path: object, **more: Any) -> dict[str, Any]:
    return {"path": path, "meta": MARK, **more}


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_a_file_that_was_uploaded_is_let_through(upload_folder: Path) -> None:
    path = upload_folder / "a.zip"
    path.write_bytes(b"x")
    several = gr.File(file_count="multiple", render=False)
    check_inputs([gr.File(render=False)], [_file(str(path))])
    check_inputs([several], [[_file(str(path)), _file(str(path))]])
    check_inputs([FolderDrop(render=False)], [{"file": _file(str(path)), "name": "a"}])
    check_inputs([PictureDrop(render=False)], [[_file(str(path))]])
    check_inputs([gr.File(render=False), several], [None, None])


@pytest.mark.parametrize(
    "path",
    [
        "http://localhost:1/a",
        "FILE:///etc/passwd",
        "/etc/passwd",
        "a",
        "",
        "x" * 9_999,
        "\x00",
        "\ud800",
        None,
        3,
        ["a"],
        ".",
        "uploads",
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_a_file_that_was_not_uploaded_is_refused(path: object, upload_folder: Path) -> None:
    named = str(upload_folder) if path == "uploads" else path
    kinds = (
        (gr.File(render=False), _file(named)),
        (gr.File(file_count="multiple", render=False), [_file(named)]),
        (FolderDrop(render=False), {"file": _file(named), "name": "a"}),
        (PictureDrop(render=False), [_file(named)]),
    )
    for component, value in kinds:
        with pytest.raises(DataError) as refusal:
            check_inputs([component], [value])
        assert str(upload_folder) not in f"{refusal.value} {refusal.value.hint}"


@pytest.mark.parametrize("value", ["a.zip", 3, True, [1], {}, {"path": "a"}, [[]], [{"a": 1}]])
def test_what_is_no_file_is_refused_where_one_is_wanted(value: object) -> None:
    for component in (gr.File(render=False), gr.File(file_count="multiple", render=False)):
        with pytest.raises(DataError):
            check_inputs([component], [value])


def test_a_file_is_refused_where_none_is_wanted() -> None:
    component = AnyJson(label="run_id")
    for value in (_file("/etc/passwd"), {"a": [_file("http://localhost:1/a")]}):
        with pytest.raises(DataError, match="run_id"):
            check_inputs([component], [value])
    check_inputs([component], [{"path": "no file", "meta": 3}])


def test_a_stream_is_no_file(upload_folder: Path) -> None:
    path = upload_folder / "a.zip"
    path.write_bytes(b"x")
    with pytest.raises(DataError):
        check_inputs([gr.File(render=False)], [_file(str(path), is_stream=True)])


@pytest.mark.parametrize("depth", [30, 900, 100_000])
def test_no_depth_is_too_much_to_be_refused(depth: int) -> None:
    with pytest.raises(DataError, match="too many lists"):
        check_inputs([AnyJson(label="settings")], [_nested(depth)])
    check_inputs([AnyJson(label="settings")], [_nested(10)])


@pytest.mark.parametrize("values", [[], [1], [1, 2, 3]], ids=len)
def test_a_wrong_number_of_values_is_told(values: list[Any]) -> None:
    with pytest.raises(DataError, match=r"takes 2 values \(a, b\)"):
        check_inputs([AnyJson(label="a"), AnyJson(label="b")], values)


def _call(blocks: gr.Blocks, *values: Any) -> Any:
    return asyncio.run(blocks.process_api(blocks.fns[0], list(values)))


def _blocks(component: Any, handler: Any = lambda value: value) -> AppBlocks:
    with AppBlocks() as blocks:
        value, button = component.render(), gr.Button()
        button.click(bind(handler), [value], gr.JSON(), api_name="ask")
    return blocks


@pytest.mark.parametrize(
    ("component", "value"),
    [
        (lambda: gr.Number(minimum=0, render=False), "x" * 10_000),
        (lambda: gr.Number(precision=0, render=False), [1]),
        (lambda: gr.Slider(5, 50, render=False), {}),
        (lambda: gr.Slider(5, 50, render=False), 99),
        (lambda: gr.Radio(["a", "b"], render=False), "<b>" + "x" * 10_000),
        (lambda: FolderDrop(render=False), {"name": 3}),
        (lambda: PictureDrop(render=False), "pictures"),
    ],
    ids=["number", "whole number", "slider", "range", "choice", "folder", "pictures"],
)
def test_what_gradio_refuses_is_told_in_words_without_a_traceback(
    component: Any, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(gr.Error) as shown:
        _call(_blocks(component()), value)
    assert shown.value.title == REFUSED_TITLE
    assert not shown.value.print_exception
    assert 0 < len(shown.value.message) < 500
    assert "<b>" not in shown.value.message
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["Refused ask"]
    assert caplog.records[0].exc_info is None


def test_a_defect_outside_of_a_handler_is_an_incident(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(AnyJson):
        def postprocess(self, value: Any) -> Any:
            if value == "break":
                raise RuntimeError("/srv/home/secret.db")
            return value

    with AppBlocks() as blocks:
        button = gr.Button()
        button.click(bind(lambda: "break"), None, Broken(), api_name="ask")
    with caplog.at_level(logging.ERROR), pytest.raises(gr.Error) as shown:
        _call(blocks)
    assert shown.value.title == INCIDENT_TITLE
    assert not shown.value.print_exception
    assert "secret" not in shown.value.message
    assert caplog.records[-1].getMessage().split()[-1] in shown.value.message


def test_a_disk_that_is_full_while_gradio_reads_is_no_fault_of_the_client(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Full(AnyJson):
        def preprocess(self, payload: Any) -> Any:
            raise OSError(28, "No space left on device")

    with caplog.at_level(logging.ERROR), pytest.raises(gr.Error) as shown:
        _call(_blocks(Full()), 1)
    assert shown.value.title == INCIDENT_TITLE
    assert "disk of this machine is full" in shown.value.message


def test_any_json_reaches_the_handler_as_it_was_sent() -> None:
    sent: list[Any] = []

    def keep(value: Any) -> None:
        sent.append(value)

    blocks = _blocks(AnyJson(label="settings"), keep)
    values: list[Any] = [None, True, 1, 1.5, "text", '{"a": 1}', [1, [2]], {"a": {"b": None}}]
    for value in values:
        _call(blocks, value)
    assert sent == values


def test_a_widget_that_an_update_leaves_alone_keeps_its_words() -> None:
    with AppBlocks() as blocks:
        left_alone, changed = RunList(), RunList()
        button = gr.Button()
        button.click(lambda: {changed: gr.update(visible=False)}, None, [left_alone, changed])
    event = next(iter(blocks.fns.values()))

    sent = asyncio.run(blocks.postprocess_data(event, {changed: gr.update(visible=False)}, None))

    assert sent == [
        {"__type__": "update"},
        {"__type__": "update", "visible": False},
    ]


def _in_pseudo(blocks: gr.Blocks, *values: Any) -> Any:
    class Sent:
        """What Gradio makes of a request whose address names a language."""

        query_params: Mapping[str, str] = MappingProxyType({"lang": PSEUDO})
        headers: Mapping[str, str] = MappingProxyType({})

    call = blocks.process_api(block_fn=blocks.fns[0], inputs=list(values), request=Sent())  # type: ignore[arg-type]  # as above
    return asyncio.run(call)


def test_every_error_is_in_the_language_of_the_request() -> None:
    def refuse(value: Any) -> None:
        raise DataError(text.NOT_READ, hint=text.RELOAD)

    def fail(value: Any) -> None:
        raise RuntimeError

    for handler, said in ((refuse, text.NOT_READ), (fail, unexpected_error("{incident}"))):
        with pytest.raises(gr.Error) as shown:
            _in_pseudo(_blocks(AnyJson(), handler), 1)
        begin = words(PSEUDO).say(said).partition("{")[0]
        assert html.unescape(shown.value.message).startswith(begin)
    field = message("Train")
    with pytest.raises(gr.Error) as shown:
        _in_pseudo(_blocks(AnyJson(label=later(field))), _nested(50))
    assert shown.value.message.startswith(f"[{words(PSEUDO).say(field)} has too many")
    assert ASKED_IN.get() == ENGLISH


def test_the_title_of_an_error_is_in_words_on_the_page_and_a_name_for_programs() -> None:
    def refuse(value: Any) -> None:
        raise DataError(text.NOT_READ, hint=text.RELOAD)

    for visibility, title in (
        ("private", words(PSEUDO).say(TITLES[REFUSED_TITLE])),
        ("public", REFUSED_TITLE),
    ):
        blocks = _blocks(AnyJson(), refuse)
        blocks.fns[0].api_visibility = visibility
        with pytest.raises(gr.Error) as shown:
            _in_pseudo(blocks, 1)
        assert shown.value.title == title


def test_a_label_that_is_yet_to_be_put_into_words_is_named_in_words() -> None:
    labels = [AnyJson(label=later(message(name))) for name in ("Epochs", "Rate")]
    with pytest.raises(DataError) as refused:
        check_inputs(labels, [1])
    assert str(refused.value) == "This takes 2 values (Epochs, Rate), and 1 were sent."


LEFT_ALONE = {"__type__": "update"}
SHOWN = {"__type__": "update", "visible": True}


@pytest.mark.parametrize(
    ("before", "after", "edits"),
    [
        ({"status": "First."}, LEFT_ALONE, [["replace", [], LEFT_ALONE]]),
        (LEFT_ALONE, {"status": "First."}, [["replace", [], {"status": "First."}]]),
        (SHOWN, LEFT_ALONE, [["replace", [], LEFT_ALONE]]),
        (LEFT_ALONE, LEFT_ALONE, []),
        ({"losses": [2, 1]}, {"losses": [2, 1, 0]}, [["add", ["losses", 2], 0]]),
    ],
    ids=["left alone", "told again", "properties", "still left alone", "a curve grows"],
)
def test_edits_take_nothing_from_what_a_widget_was_given(
    before: Any, after: Any, edits: list[Any]
) -> None:
    """The page makes the next update by these from the one before, in place."""
    assert changes(before, after) == edits


def _sent(handler: Any, *, api_visibility: Any = "private") -> list[list[Any]]:
    """All that is sent of a generator with two outputs, as the queue asks for it."""
    with AppBlocks() as blocks:
        first, second, button = gr.Textbox(), gr.Textbox(), gr.Button()
        button.click(
            bind(handler), None, [first, second], api_visibility=api_visibility, api_name="ask"
        )
    updates: list[list[Any]] = []

    async def ask() -> None:
        iterator = None
        while not updates or iterator is not None:
            answer = await blocks.process_api(
                blocks.fns[0], [], iterator=iterator, session_hash="tab", event_id="event"
            )
            iterator = answer["iterator"]
            updates.append(answer["data"])

    asyncio.run(ask())
    assert not blocks.pending_diff_streams, "what was sent is forgotten at the end"
    return updates


def _two_steps() -> Iterator[Any]:
    yield ["First.", gr.skip()]
    yield [gr.skip(), "Second."]


def test_the_end_of_a_generator_tells_the_page_nothing_once_more() -> None:
    assert _sent(_two_steps) == [
        ["First.", LEFT_ALONE],
        [[["replace", [], LEFT_ALONE]], [["replace", [], "Second."]]],
        [LEFT_ALONE, LEFT_ALONE],
    ]


def test_a_generator_that_has_nothing_to_tell_empties_nothing() -> None:
    def tell_nothing() -> Iterator[Any]:
        yield from ()

    assert _sent(tell_nothing) == [[LEFT_ALONE, LEFT_ALONE]]


def test_programs_are_sent_what_they_expect_of_gradio() -> None:
    sent = _sent(_two_steps, api_visibility="public")
    assert sent[-1] == [LEFT_ALONE, "Second."]
