"""What the server remembers of visits: bounded, safe for threads, nothing for nobody."""

import threading
from dataclasses import replace

import pytest

from tlapp.errors import NotFoundError
from tlapp.ui.session import Page, Visit, Visits
from tlapp.workspace import owner_of


def test_an_unknown_visitor_has_a_fresh_visit_and_is_not_remembered_for_it() -> None:
    visits = Visits(most=1)
    visits.change("a", lambda visit: replace(visit, pending_dataset_id="d"))
    assert visits.get("b") == Visit()
    assert visits.get("a").pending_dataset_id == "d"


def test_one_visitors_choice_is_not_anothers() -> None:
    visits = Visits()
    changed = visits.change("a", lambda visit: replace(visit, pending_dataset_id="d"))
    assert visits.get("a") is changed
    assert visits.get("b") == Visit()


def test_the_longest_unused_visit_makes_room() -> None:
    visits = Visits(most=2)
    for owner in ("a", "b"):
        visits.change(owner, lambda visit: replace(visit, pending_dataset_id="d"))
    visits.get("a")
    visits.change("c", lambda visit: replace(visit, pending_dataset_id="d"))
    kept = [visits.get(owner).pending_dataset_id for owner in ("a", "b", "c")]
    assert kept == ["d", None, "d"]


def test_changes_from_many_threads_are_all_kept() -> None:
    visits = Visits()
    start = threading.Barrier(8)

    def add() -> None:
        start.wait()
        for _ in range(200):
            visits.change(
                "a",
                lambda visit: replace(
                    visit, pending_dataset_id=(visit.pending_dataset_id or "") + "x"
                ),
            )

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert visits.get("a").pending_dataset_id == "x" * 1600


def test_a_change_that_fails_leaves_the_visit_as_it_was() -> None:
    visits = Visits()
    before = visits.change("a", lambda visit: replace(visit, pending_dataset_id="d"))
    with pytest.raises(ZeroDivisionError):
        visits.change("a", lambda visit: 1 // 0)  # type: ignore[arg-type,return-value]
    assert visits.get("a") is before


@pytest.mark.parametrize("token", ["", "a", "x" * 42, "x" * 44, "x" * 42 + "\n", None, 7, ["x"]])
def test_whoever_sends_no_token_of_ours_is_nobody(page: Page, token: object) -> None:
    with pytest.raises(NotFoundError) as refused:
        page.owner_of(token)  # type: ignore[arg-type]  # a browser may send anything
    assert refused.value.hint


def test_a_token_of_ours_stands_for_its_owner(page: Page, token: str) -> None:
    assert page.owner_of(token) == owner_of(token)
    assert token not in page.owner_of(token)
