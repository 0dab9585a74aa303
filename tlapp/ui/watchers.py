"""At most one watcher a tab: when a later one begins, the earlier one is woken and told to end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

Tab = tuple[str, str | None]  # its visitor, and what Gradio calls the open page


@dataclass(eq=False)
class Watcher:
    """Somebody who follows a run for one tab."""

    is_newest: bool = True  # False: a later one follows for this tab
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

    def __len__(self) -> int:
        return len(self._newest)
