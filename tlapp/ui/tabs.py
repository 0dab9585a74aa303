"""The open tabs: what each has been shown, and the one watcher that tells it what is new.

When a later watcher of a tab begins, the earlier one ends.
"""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

from tlapp.ui.panels.panel import Panel, Update, merged
from tlapp.ui.visit import Visit

MOST_TABS = 2_000  # whose views are remembered: some kB each
UPDATE_SECONDS = 0.25  # between rounds: the page is updated four times a second
MOST_WAITED_SECONDS = 2.0  # for an earlier watcher that is told to end
SILENCE_SECONDS = 10.0  # without news there is a round all the same (queue position, time left)

Unsubscribe = Callable[[], None]
Listen = Callable[[Callable[[], object]], Unsubscribe]
TabKey = tuple[str, str]  # its visitor, and Gradio's name of the open page


@dataclass(eq=False)
class _Watcher:
    """Somebody who follows what changes, for one tab."""

    is_newest: bool = True  # False: a later one does it
    wake: Callable[[], object] = lambda: None
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, eq=False)
class Drawn:
    """An update of a tab, and the views that it draws."""

    update: Update
    views: Mapping[Panel, object]


class Tabs:
    """What every open tab shows. Watchers are for the coroutines of one event loop; the rest is
    safe for several threads."""

    def __init__(self) -> None:
        self._views: OrderedDict[TabKey, dict[Panel, object]] = OrderedDict()
        self._lock = threading.Lock()
        self._newest: dict[TabKey, _Watcher] = {}

    def show(self, visit: Visit, panels: Iterable[Panel]) -> Update:
        """The update that draws these panels; it is remembered that the tab has them."""
        return self._draw(visit, {panel: panel.view(visit) for panel in panels})

    def show_changed(self, visit: Visit, panels: Iterable[Panel]) -> Update:
        """The same for those whose view is another than the tab has."""
        return self.draw_changed(visit, panels).update

    def draw_changed(self, visit: Visit, panels: Iterable[Panel]) -> Drawn:
        """The same, for whoever can say when it was sent: see `note_sent`."""
        with self._lock:
            known = dict(self._of(visit))
        views = {panel: panel.view(visit) for panel in panels}
        changed = {
            panel: view
            for panel, view in views.items()
            if panel not in known or known[panel] != view
        }
        return Drawn(self._draw(visit, changed), changed)

    def note_sent(self, visit: Visit, drawn: Drawn) -> None:
        """What was drawn has been sent. What somebody else has drawn of it meanwhile may have been
        sent before it, so that nobody knows what the tab shows there: that is drawn again."""
        with self._lock:
            known = self._of(visit)
            for panel, view in drawn.views.items():
                if known.get(panel, view) != view:
                    del known[panel]

    def has_all(self, visit: Visit, panels: Iterable[Panel]) -> bool:
        """Whether it is known of each of these panels what the tab shows."""
        with self._lock:
            known = self._of(visit)
            return all(panel in known for panel in panels)

    def _draw(self, visit: Visit, views: Mapping[Panel, object]) -> Update:
        update = merged(*(panel.render(visit) for panel in views))
        with self._lock:
            self._of(visit).update(views)
        return update

    def forget(self, visit: Visit, _: object = None) -> None:
        """Nobody knows what the tab shows: all of it is drawn again."""
        with self._lock:
            self._views.pop((visit.owner, visit.tab), None)

    @asynccontextmanager
    async def rounds(self, visit: Visit, listen: Listen) -> AsyncIterator[AsyncIterator[None]]:
        """The rounds of `rounds_of_news`; they end when a later watcher begins for this tab."""
        with self._begin((visit.owner, visit.tab)) as (watcher, earlier):
            if earlier is not None:  # what it has drawn is to reach the page before what comes
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(earlier.ended.wait(), MOST_WAITED_SECONDS)

            def listen_too(wake: Callable[[], object]) -> Unsubscribe:
                watcher.wake = wake
                return listen(wake)

            async with rounds_of_news(listen_too) as rounds:
                yield _while_newest(watcher, rounds)

    def __len__(self) -> int:
        """How many tabs have a watcher."""
        return len(self._newest)

    def _of(self, visit: Visit) -> dict[Panel, object]:
        """The views of this visit's tab. For whoever holds the lock."""
        key = visit.owner, visit.tab
        views = self._views.setdefault(key, {})
        self._views.move_to_end(key)
        while len(self._views) > MOST_TABS:
            self._views.popitem(last=False)
        return views

    @contextmanager
    def _begin(self, key: TabKey) -> Iterator[tuple[_Watcher, _Watcher | None]]:
        """The tab's newest watcher, until the block is left or another begins; and the one before
        it, which is told to end."""
        watcher = _Watcher()
        earlier = self._newest.get(key)
        self._newest[key] = watcher
        if earlier is not None:
            earlier.is_newest = False
            earlier.wake()
        try:
            yield watcher, earlier
        finally:
            watcher.ended.set()
            if self._newest.get(key) is watcher:
                del self._newest[key]


async def _while_newest(watcher: _Watcher, rounds: AsyncIterator[None]) -> AsyncIterator[None]:
    async for _ in rounds:
        if not watcher.is_newest:
            return
        yield


@asynccontextmanager
async def rounds_of_news(listen: Listen) -> AsyncIterator[AsyncIterator[None]]:
    """Rounds of a loop: one at once, then one after each change, until the loop is left.

    `listen(wake)` subscribes `wake`, which any thread may call, and returns how to unsubscribe.
    Read the state inside a round: then no change is missed.
    """
    changed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wake() -> None:
        with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            loop.call_soon_threadsafe(changed.set)

    unsubscribe = listen(wake)

    async def rounds() -> AsyncIterator[None]:
        while True:
            changed.clear()
            yield
            await asyncio.sleep(UPDATE_SECONDS)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(changed.wait(), SILENCE_SECONDS)

    try:
        yield rounds()
    finally:
        unsubscribe()
