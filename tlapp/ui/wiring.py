"""Which event of the page does what, and what is drawn then: a table, and how it is read.

Every event goes the same way: the visit is read, the action does its work, the visit is read again,
and panels draw it. Whatever else has changed is drawn by the tab's watcher, until nothing of the
visitor's is under way.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

import gradio as gr
from gradio.blocks import Block

from tlapp.errors import TlappError
from tlapp.messages import ENGLISH, Say, words
from tlapp.ui.door.lines import OPEN_LINE, OPENED_AT_ONCE
from tlapp.ui.handling import FOLLOWING, QUIET, bind
from tlapp.ui.languages import language_of
from tlapp.ui.page import Page
from tlapp.ui.panels.panel import Panel, Update, merged
from tlapp.ui.sent import NOTHING, Reads, Sent
from tlapp.ui.visit import Visit
from tlapp.workspace import is_token, new_visitor

NO_EVENT = gr.EventData(None, None)  # where a component says nothing of its event
PAGE_IS_OPEN = "() => { document.documentElement.classList.add('tl-open'); }"  # see theme.css


def look(visit: Visit, _: object = None) -> None:
    """The action of an event that only has something drawn."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """One event of the page."""

    event: Callable[..., Any]  # of a component: `button.click`
    action: Callable[[Visit, Any], Any] = look  # may be a generator, also an asynchronous one
    reads: Reads[Any] = NOTHING  # what is sent, as the action's form
    shows: tuple[Panel, ...] = ()  # drawn afterwards
    refreshes: tuple[Panel, ...] = ()  # drawn afterwards where another view is to be seen
    notes: Callable[[Visit, Any], Update] | None = None  # drawn of the form itself
    progress: Callable[[Visit, Any], Update] | None = None  # drawn at what a generator yields
    refused: Callable[[Visit, TlappError], Update] | None = None  # None: told over the page
    fills: tuple[Block, ...] = ()  # by `notes`, `progress` and `refused`, beside the panels
    is_followed: bool = True  # whether something else may have changed, or begun
    options: Mapping[str, Any] = field(default_factory=lambda: QUIET)

    @property
    def name(self) -> str:
        """What the log calls it."""
        return getattr(self.action, "__name__", "event")

    @property
    def outputs(self) -> list[Block]:
        """All components that may be filled, once each."""
        panels = (*self.shows, *self.refreshes)
        drawn = (component for panel in panels for component in panel.outputs)
        return list(dict.fromkeys((*drawn, *self.fills)))


@dataclass(frozen=True, eq=False)
class Wiring:
    """Gives components their events."""

    page: Page
    token: gr.BrowserState
    watched: tuple[tuple[Panel, ...], ...]  # in groups: the quick ones are drawn first

    def connect(self, rows: Sequence[Row]) -> None:
        """Connect every row of the table."""
        for row in rows:
            handler = bind(_way_of(row.action), self.page, row, self.token, name=row.name)
            inputs = {self.token, *row.reads.components}
            done = row.event(handler, inputs, row.outputs or None, **row.options)
            if row.is_followed:
                self.follow_after(done)

    def open_with(
        self,
        blocks: gr.Blocks,
        panels: tuple[Panel, ...],
        *,
        not_opened: Callable[[Say], Update],
        greeting: Callable[[Visit], Update],
        greeted: tuple[Block, ...],
    ) -> None:
        """Let the page open with these panels as its visitor left them; the watcher draws the
        others. `not_opened` is drawn when that fails."""
        outputs = [component for panel in panels for component in panel.outputs]
        opened = blocks.load(
            bind(open_page, self.page, panels, self.token, greeting),
            {self.token},
            [self.token, *greeted, *outputs],
            concurrency_id=OPEN_LINE,
            concurrency_limit=OPENED_AT_ONCE,
            **QUIET,
        )

        def tell(request: gr.Request) -> Update:
            return not_opened(words(language_of(request)).say)

        opened.failure(tell, None, list(not_opened(words(ENGLISH).say)), **QUIET)
        self.follow_after(opened.success(None, js=PAGE_IS_OPEN, api_visibility="private"))

    def follow_after(self, event: Any) -> None:
        """Draw what this event has changed, and what goes on from then on."""
        outputs = dict.fromkeys(
            component for panels in self.watched for panel in panels for component in panel.outputs
        )
        event.then(
            bind(follow, self.page, self.watched, self.token),
            {self.token},
            list(outputs),
            **FOLLOWING,
        )


def open_page(
    page: Page,
    panels: tuple[Panel, ...],
    token: gr.BrowserState,
    greeting: Callable[[Visit], Update],
    values: dict[Any, Any],
    request: gr.Request,
) -> Update:
    """Everything as this visitor left it; a visitor without a token gets one."""
    known = values[token] if is_token(values[token]) else new_visitor()
    look_again = _visits(page, known, request)
    visit = look_again()
    update = page.tabs.show(visit, panels)
    while (newer := look_again()).state != visit.state:  # something was pressed meanwhile
        visit, update = newer, page.tabs.show(newer, panels)
    return merged({token: known}, greeting(visit), update)


async def follow(
    page: Page,
    watched: tuple[tuple[Panel, ...], ...],
    token: gr.BrowserState,
    values: dict[Any, Any],
    request: gr.Request,
) -> AsyncIterator[Update]:
    """What has changed of the visitor's, until nothing is under way or the tab has a later watcher.

    Closing the tab ends the watcher and nothing else.
    """
    look_again = _visits(page, values[token], request)
    visit = look_again()
    listen = partial(page.workspace.changes.listen, visit.owner)
    async with page.tabs.rounds(visit, listen) as rounds:
        async for _ in rounds:
            visit = look_again()
            under_way = await asyncio.to_thread(getattr, visit, "under_way")
            for panels in watched:
                drawn = await asyncio.to_thread(page.tabs.draw_changed, visit, panels)
                if drawn.update:
                    yield drawn.update
                    page.tabs.note_sent(visit, drawn)
            if not under_way and page.tabs.has_all(visit, chain(*watched)):
                break


def _visits(page: Page, token: object, request: gr.Request) -> Callable[[], Visit]:
    """Gives the page of this token's visitor as it is then, whenever it is called."""
    return partial(page.visit, token, str(request.session_hash), language_of(request))


@dataclass(frozen=True, eq=False)
class _Call:
    """One event as it is carried out."""

    page: Page
    row: Row
    visit: Callable[[], Visit]  # the visitor's page as it is now
    sent: Sent

    def form(self) -> Any:
        """What the action works with. Raises TlappError for what cannot be."""
        return self.row.reads.make(self.sent)

    def done(self, form: Any) -> Update | None:
        """What is drawn when the action has done its work; None: nothing ever is."""
        row = self.row
        if not row.outputs:
            return None
        visit, tabs = self.visit(), self.page.tabs
        noted = row.notes(visit, form) if row.notes else {}
        update = merged(tabs.show(visit, row.shows), tabs.show_changed(visit, row.refreshes), noted)
        return update or {row.outputs[0]: gr.skip()}  # Gradio takes an empty one for a value

    def moved_on(self, value: Any) -> Update:
        """What is drawn at a value that the action yields."""
        assert self.row.progress is not None
        return self.row.progress(self.visit(), value)

    def refused(self, error: TlappError) -> Update:
        """What is drawn of a refusal; raises it where it is told over the page."""
        if self.row.refused is None:
            raise error
        return self.row.refused(self.visit(), error)


def _call(
    page: Page, row: Row, token: Any, values: dict[Any, Any], request: gr.Request, event: Any
) -> _Call:
    said = getattr(event, "_data", None)
    sent = Sent(
        values=values,
        event=said if isinstance(said, dict) else {},
        cookie=request.headers.get("cookie", ""),
    )
    return _Call(page, row, _visits(page, values[token], request), sent)


def carry_out(
    page: Page,
    row: Row,
    token: Any,
    values: dict[Any, Any],
    request: gr.Request,
    event: gr.EventData = NO_EVENT,
) -> Update | None:
    """An action that is done at once."""
    call = _call(page, row, token, values, request, event)
    visit = call.visit()
    try:
        form = call.form()
        row.action(visit, form)
    except TlappError as error:
        return call.refused(error)
    return call.done(form)


def carry_out_stepwise(
    page: Page,
    row: Row,
    token: Any,
    values: dict[Any, Any],
    request: gr.Request,
    event: gr.EventData = NO_EVENT,
) -> Iterator[Update | None]:
    """An action that tells how far it is."""
    call = _call(page, row, token, values, request, event)
    visit = call.visit()
    try:
        form = call.form()
        for value in row.action(visit, form):
            yield call.moved_on(value)
    except TlappError as error:
        yield call.refused(error)
        return
    yield call.done(form)


async def carry_out_waiting(
    page: Page,
    row: Row,
    token: Any,
    values: dict[Any, Any],
    request: gr.Request,
    event: gr.EventData = NO_EVENT,
) -> AsyncIterator[Update | None]:
    """An action that waits for others, and takes no thread while it does."""
    call = _call(page, row, token, values, request, event)
    visit = call.visit()
    form = call.form()
    async with aclosing(row.action(visit, form)) as steps:
        async for value in steps:
            yield await asyncio.to_thread(call.moved_on, value)
    yield await asyncio.to_thread(call.done, form)


def _way_of(action: Callable[..., Any]) -> Callable[..., Any]:
    """How an action of this kind is carried out."""
    if inspect.isasyncgenfunction(action):
        return carry_out_waiting
    return carry_out_stepwise if inspect.isgeneratorfunction(action) else carry_out
