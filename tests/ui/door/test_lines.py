"""The lines behind the door: clients take turns, and so do the sessions of one client."""

import asyncio

import pytest

from tests.ui.door.crowding import PAGE, WORK, Crowded, make_blocks
from tlapp.ui.door.lines import OPEN_LINE, QUICK_LINE, fair_place


@pytest.mark.parametrize(
    ("line", "newcomer", "place"),
    [
        ("", "a", 0),
        ("aaa", "a", 3),
        ("aaa", "b", 1),
        ("aba", "b", 3),
        ("abaa", "b", 3),
        ("abab", "c", 2),
        ("abcab", "c", 5),
        ("aab", "b", 3),
    ],
)
def test_a_newcomer_stands_where_its_turn_is(line: str, newcomer: str, place: int) -> None:
    assert fair_place(line, newcomer) == place


def test_a_client_with_a_hundred_events_does_not_keep_another_waiting() -> None:
    crowded = Crowded()

    async def arrive() -> None:
        for number in range(10):
            assert await crowded.join("1.1.1.1", f"flood{number}", PAGE) == 200
        assert await crowded.join("2.2.2.2", "page", PAGE) == 200

    asyncio.run(arrive())
    assert crowded.waiting(PAGE).index("page") == 1


def test_the_sessions_of_one_address_take_turns_in_the_order_of_each() -> None:
    crowded = Crowded()

    async def arrive() -> None:
        for session in ("a", "a", "a", "b", "b"):
            assert await crowded.join("1.1.1.1", session) == 200

    asyncio.run(arrive())
    assert crowded.waiting(WORK) == ["a", "b", "a", "b", "a"]
    line = crowded.queue.event_queue_per_concurrency_id[QUICK_LINE].queue
    for session in ("a", "b"):
        times = [event.enqueue_time for event in line if event.session_hash == session]
        assert times == sorted(times)


def test_an_event_that_names_no_line_waits_in_the_common_one() -> None:
    crowded = Crowded()
    functions = crowded.blocks.fns
    assert functions[WORK].concurrency_id == QUICK_LINE
    assert functions[PAGE].concurrency_id == OPEN_LINE
    lines = crowded.queue.event_queue_per_concurrency_id
    assert lines[QUICK_LINE].concurrency_limit == 4
    assert lines[OPEN_LINE].concurrency_limit == 2


def test_gradio_keeps_no_table_of_earlier_events() -> None:
    queue = Crowded().queue
    assert queue.ANALYTICS_MAX_EVENTS == 1
    queue.events_recorded = 10**6
    assert queue.compute_analytics_summary([{"function": "x"}]) == {"functions": {}}


def test_gradio_has_what_the_lines_are_made_of() -> None:
    """Its inner tables are nobody's promise: a version without one of them must fail here."""
    blocks = make_blocks()
    queue = vars(blocks._queue)
    assert queue.keys() >= {
        *("event_queue_per_concurrency_id", "event_ids_to_events", "pending_event_ids_session"),
        *("pending_messages_per_session", "process_time_per_fn", "max_thread_count"),
        *("ANALYTICS_MAX_EVENTS", "ANAYLTICS_CACHE_FREQUENCY"),
    }
    assert vars(blocks).keys() >= {
        "pending_streams",
        "pending_diff_streams",
        "state_session_capacity",
    }
