"""The page's `Blocks`: what a client has sent is checked before Gradio works with it, and whatever
fails outside our handlers is told in words too.

Every call passes here, whether it comes through the queue or by itself.
"""

import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.data_classes import BlocksConfigDict
from gradio.utils import diff, get_upload_folder, is_in_or_equal, is_prop_update

from tlapp.bounds import NESTED, PATH_CHARACTERS
from tlapp.errors import DataError
from tlapp.messages import NOTHING, Message, joined, words
from tlapp.ui.handling import TITLES, as_plain_text, client_faults_as_words, errors_as_words
from tlapp.ui.languages import ASKED_IN, language_of
from tlapp.ui.later import in_words, message_of
from tlapp.ui.text import asked as text
from tlapp.ui.widgets.folder_drop import FolderDrop
from tlapp.ui.widgets.picture_drop import PictureDrop

_TAKE_FILES = (gr.File, FolderDrop, PictureDrop)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)  # a drive has one letter only
_FILE_MARK = "gradio.FileData"


class AppBlocks(gr.Blocks):
    """Blocks in the language of whoever asks for the page, whose every answer to a wrong call is a
    sentence."""

    def __init__(self, *, title: Message = NOTHING) -> None:
        self._config: BlocksConfigDict
        self._spoken: dict[str, BlocksConfigDict] = {}  # by language
        self._title = title
        super().__init__(analytics_enabled=False)

    @property
    def title(self) -> str:
        """The page's title."""
        return words(ASKED_IN.get()).say(self._title)

    @title.setter
    def title(self, _: str) -> None:
        """Gradio's own title is not used."""

    @property
    def config(self) -> BlocksConfigDict:
        """What a browser is told of the page: what Gradio makes, with its messages in words."""
        language = ASKED_IN.get()
        if language not in self._spoken:
            said: BlocksConfigDict = in_words(self._config, words(language))
            said["title"] = self.title
            self._spoken[language] = said
        return self._spoken[language]

    @config.setter
    def config(self, config: BlocksConfigDict) -> None:
        self._config = config
        self._spoken = {}

    async def preprocess_data(
        self,
        block_fn: BlockFunction,
        inputs: list[Any],
        state: Any,
        explicit_call: bool = False,
    ) -> Any:
        """The values for the handler. Raises `gr.Error` for what cannot be read as such."""
        unread = joined(text.NOT_READ, text.SEE_THE_LIST)
        with client_faults_as_words(_event_name(block_fn), unread):
            if block_fn.fn is None:
                raise DataError(text.PAGE_ALONE, hint=text.SEE_THE_LIST)
            check_inputs(block_fn.inputs, inputs)
            return await super().preprocess_data(block_fn, inputs, state, explicit_call)

    async def call_function(self, block_fn: BlockFunction | int, *args: Any, **options: Any) -> Any:
        """What the handler gives, where the end of a generator leaves every output alone: for
        Gradio, the end of one that gave nothing empties them."""
        result = await super().call_function(block_fn, *args, **options)
        event = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        is_over = result["iterator"] is None and not result["is_generating"]
        if is_over and _is_generator(event) and event.outputs:
            result["prediction"] = gr.skip()
        return result

    async def postprocess_data(
        self, block_fn: BlockFunction, *args: Any, **options: Any
    ) -> list[Any]:
        """What is sent, where a widget that an update leaves alone keeps its properties."""
        values: list[Any] = await super().postprocess_data(block_fn, *args, **options)
        return [keep_properties(value) for value in values]

    def handle_streaming_diffs(
        self,
        block_fn: BlockFunction,
        data: list[Any],
        session_hash: str | None,
        run: str | None,
        final: bool,
        simple_format: bool = False,
    ) -> list[Any]:
        """What is sent of a generator's next update; at the end, to the page, nothing once more.

        Gradio repeats the last update at the end, as programs expect it: on a page it would undo
        what another event has drawn meanwhile.
        """
        if block_fn.api_visibility == "public":
            return super().handle_streaming_diffs(
                block_fn, data, session_hash, run, final, simple_format
            )
        known = self.pending_diff_streams.get(session_hash, {}).get(run)
        before, after = None if known is None else list(known), list(data)
        super().handle_streaming_diffs(block_fn, data, session_hash, run, final, simple_format=True)
        if before is None or final:
            return after
        return [changes(*each) for each in zip(before, after, strict=True)]

    async def process_api(self, block_fn: BlockFunction | int, *args: Any, **options: Any) -> Any:
        """What the handler answers. Raises `gr.Error` and nothing else, in the language of the
        request."""
        event = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        before = ASKED_IN.set(language_of(options.get("request")))
        try:
            with errors_as_words(_event_name(event)):
                return await super().process_api(block_fn, *args, **options)
        except gr.Error as error:
            if event.api_visibility == "public":  # for programs, which show no HTML
                error.message = as_plain_text(error.message)
            elif error.title in TITLES:
                error.title = words(ASKED_IN.get()).say(TITLES[error.title])
            raise
        finally:
            ASKED_IN.reset(before)


def changes(before: Any, after: Any) -> list[Any]:
    """The edits by which the page makes an output's update from the one before it.

    Gradio's own edits change the earlier update in place, also what it has given to a widget
    already. Where one update of the two leaves the output alone or sets properties, these edits
    would take the value's fields away from a widget that has not looked at it yet, since its place
    was never opened: there the later one is sent as a whole.
    """
    if is_prop_update(before) or is_prop_update(after):
        return [] if before == after else [["replace", [], after]]
    edits: list[Any] = diff(before, after)
    return edits


def keep_properties(value: Any) -> Any:
    """An update without Gradio's own mark among a widget's properties, where it puts it: they
    replace those that a widget has which has not been seen yet, its words among them."""
    if not (is_prop_update(value) and "props" in value):
        return value
    properties = {name: each for name, each in value["props"].items() if name != "__type__"}
    others = {name: each for name, each in value.items() if name != "props"}
    return {**others, "props": properties} if properties else others


def _is_generator(block_fn: BlockFunction) -> bool:
    return inspect.isgeneratorfunction(block_fn.fn) or inspect.isasyncgenfunction(block_fn.fn)


def _event_name(block_fn: BlockFunction) -> str:
    return str(block_fn.api_name or block_fn.name or "?")


def check_inputs(components: Sequence[Any], values: Sequence[Any]) -> None:
    """Raise DataError unless there is a value for each component, nested no deeper than anybody
    needs, with files only where files are taken, and these uploaded."""
    if len(values) != len(components):
        fields = [message_of(label) for each in components if (label := _label(each))]
        raise DataError(
            text.wrong_count(len(components), fields, len(values)), hint=text.SEE_THE_LIST
        )
    for component, value in zip(components, values, strict=True):
        field = message_of(_label(component)) or text.UNNAMED_FIELD
        takes_files = isinstance(component, _TAKE_FILES)
        if isinstance(component, gr.File) and value is not None:
            _check_files(field, value, are_several=component.file_count == "multiple")
        for each in _objects(field, value):
            if takes_files and "path" in each:
                _check_upload(field, each)
            elif _is_file(each):
                raise DataError(text.takes_no_file(field), hint=text.SEE_THE_LIST)


def _label(component: Any) -> str:
    """What stands above a component; "" for nothing."""
    return str(getattr(component, "label", None) or "")


def _check_files(field: Message, value: Any, *, are_several: bool) -> None:
    """Refuse what is not one file, or a list of files."""
    if are_several and not isinstance(value, list):
        raise DataError(text.no_list(field), hint=text.WRITE_LIST)
    for each in value if are_several else [value]:
        if not isinstance(each, dict) or "path" not in each:
            raise DataError(text.not_a_file(field), hint=text.UPLOAD_FIRST)
        if not _is_file(each):
            raise DataError(text.no_mark(field), hint=text.WRITE_MARK)


def _objects(field: Message, value: Any) -> Iterator[dict[str, Any]]:
    """All JSON objects in a value; the lists of what is still to be seen, not recursion, so that no
    depth can be too much."""
    level = [value]
    for _ in range(NESTED):
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                yield each
                below += each.values()
            elif isinstance(each, list):
                below += each
        if not below:
            return
        level = below
    raise DataError(text.too_deep(field), hint=text.SEE_THE_LIST)


def _is_file(value: dict[str, Any]) -> bool:
    """Whether Gradio would take it for one, and look at its path."""
    meta = value.get("meta")
    return isinstance(meta, dict) and meta.get("_type") == _FILE_MARK


def _check_upload(field: Message, file: dict[str, Any]) -> None:
    """Refuse what is no file in Gradio's own folder; Gradio itself checks it once more."""
    path = file["path"]
    if isinstance(path, str) and _ADDRESS.match(path):
        raise DataError(text.an_address(field), hint=text.UPLOAD_FIRST)
    is_name = isinstance(path, str) and 0 < len(path) <= PATH_CHARACTERS
    if not is_name or file.get("is_stream") or not _is_uploaded(Path(path)):
        raise DataError(text.not_a_file(field), hint=text.UPLOAD_FIRST)


def _is_uploaded(path: Path) -> bool:
    try:
        return is_in_or_equal(path, get_upload_folder()) and path.is_file()
    except (OSError, ValueError):  # a name that no disk takes
        return False
