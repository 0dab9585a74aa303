"""At most one watcher a tab and thing: when a later one begins, the earlier one is told to end."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from tlapp.ui.news import Unsubscribe, news

Tab = tuple[str, str, str | None]  # what is followed, its visitor, Gradio's name of the open page


@dataclass(eq=False)
class Watcher:
    """Somebody who follows one thing for one tab."""

    is_newest: bool = True  # False: a later one follows it for this tab
    wake: Callable[[], object] = lambda: None


class Watchers:
    """The newest watcher of each tab that has one. For the coroutines of one event loop."""

    def __init__(self) -> None:
        self._newest: dict[Tab, Watcher] = {}

    @contextmanager
    def begin(self, tab: Tab) -> Iterator[Watcher]:
        """The tab's newest watcher, until the block is left or another begins."""
        watcher = Watcher()
        earlier = self._newest.get(tab)
        self._newest[tab] = watcher
        if earlier is not None:
            earlier.is_newest = False
            earlier.wake()
        try:
            yield watcher
        finally:
            if self._newest.get(tab) is watcher:
                del self._newest[tab]

    @asynccontextmanager
    async def news(
        self, tab: Tab, listen: Callable[[Callable[[], object]], Unsubscribe]
    ) -> AsyncIterator[AsyncIterator[None]]:
        """The rounds of `news.news`; they end when a later watcher begins for this tab."""
        with self.begin(tab) as watcher:

            def listen_too(wake: Callable[[], object]) -> Unsubscribe:
                watcher.wake = wake
                return listen(wake)

            async with news(listen_too) as changes:
                yield _while_newest(watcher, changes)

    def __len__(self) -> int:
        return len(self._newest)


async def _while_newest(watcher: Watcher, changes: AsyncIterator[None]) -> AsyncIterator[None]:
    async for _ in changes:
        if not watcher.is_newest:
            return
        yield
