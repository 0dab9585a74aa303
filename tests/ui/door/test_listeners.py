"""What nobody listens for is dropped; what somebody still wants is not."""

import asyncio

from tests.ui.door.crowding import FOLLOW, WORK, Crowded
from tlapp.ui.door.listeners import FORGET_SECONDS, GONE_SECONDS


def test_what_waits_and_nobody_listens_for_is_dropped() -> None:
    crowded = Crowded()

    async def wait() -> None:
        assert await crowded.join("1.1.1.1", "gone") == 200
        crowded.seconds = GONE_SECONDS - 1
        await crowded.crowd.listeners.sweep()
        assert crowded.waiting(WORK) == ["gone"]
        crowded.seconds = GONE_SECONDS
        await crowded.crowd.listeners.sweep()

    asyncio.run(wait())
    assert crowded.waiting(WORK) == []
    assert not crowded.queue.event_ids_to_events


def test_all_that_is_kept_for_a_silent_session_is_released() -> None:
    crowded = Crowded()

    async def wait() -> int:
        for number in range(20):
            assert await crowded.join("1.1.1.1", str(number)) == 200
        crowded.seconds = FORGET_SECONDS
        return await crowded.crowd.listeners.sweep()

    assert asyncio.run(wait()) == 20
    assert not crowded.blocks.state_holder.session_data
    assert not crowded.queue.pending_event_ids_session
    assert crowded.crowd.listeners.count_sessions("1.1.1.1") == 0


def test_a_session_that_listens_keeps_everything_however_long_it_takes() -> None:
    crowded = Crowded()
    listeners = crowded.crowd.listeners

    async def wait() -> None:
        assert await crowded.join("1.1.1.1", "page") == 200
        with listeners.listening("page", "1.1.1.1"):
            crowded.seconds = 10 * FORGET_SECONDS
            assert await listeners.sweep() == 0
        assert await listeners.sweep() == 0  # it has only just gone

    asyncio.run(wait())
    assert crowded.waiting(WORK) == ["page"]
    assert "page" in crowded.blocks.state_holder


def test_a_session_that_asks_again_is_not_silent() -> None:
    crowded = Crowded()

    async def wait() -> None:
        assert await crowded.join("1.1.1.1", "page") == 200
        crowded.seconds = GONE_SECONDS - 1
        assert await crowded.join("1.1.1.1", "page") == 200
        crowded.seconds = GONE_SECONDS + 1
        await crowded.crowd.listeners.sweep()

    asyncio.run(wait())
    assert crowded.waiting(WORK) == ["page", "page"]


def test_a_running_event_goes_on_but_one_that_follows_is_told_to_end() -> None:
    crowded = Crowded()

    async def wait() -> dict[int, bool]:
        assert await crowded.join("1.1.1.1", "gone", WORK) == 200
        assert await crowded.join("1.1.1.1", "gone", FOLLOW) == 200
        events = list(crowded.queue.event_ids_to_events.values())
        for line in crowded.queue.event_queue_per_concurrency_id.values():
            line.queue.clear()  # they run
        crowded.seconds = FORGET_SECONDS
        assert await crowded.crowd.listeners.sweep() == 0  # while something runs
        return {event.fn._id: event.alive for event in events}

    assert asyncio.run(wait()) == {WORK: True, FOLLOW: False}
    assert "gone" in crowded.blocks.state_holder
