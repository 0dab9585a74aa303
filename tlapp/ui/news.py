"""From a thread's callbacks to a coroutine's loop: at most four rounds a second, none missed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

UPDATE_SECONDS = 0.25  # between rounds: the page is updated four times a second
SILENCE_SECONDS = 10.0  # without news there is a round all the same (queue position, time left)

Unsubscribe = Callable[[], None]


@asynccontextmanager
async def news(
    listen: Callable[[Callable[[], object]], Unsubscribe],
) -> AsyncIterator[AsyncIterator[None]]:
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
