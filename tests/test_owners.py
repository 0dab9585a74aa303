"""A list of one's own passes over what is known to be somebody else's."""

from tlapp.owners import Owners


def test_what_is_unknown_may_be_anybodys() -> None:
    assert set(Owners().possible({"a", "b"}, "anna")) == {"a", "b"}


def test_what_somebody_else_owns_is_passed_over() -> None:
    owners = Owners()
    owners.note("a", "anna")
    owners.note("b", "ben")
    assert set(owners.possible({"a", "b", "c"}, "anna")) == {"a", "c"}
    assert set(owners.possible({"a", "b", "c"}, "ben")) == {"b", "c"}


def test_what_is_gone_is_forgotten() -> None:
    owners = Owners()
    owners.note("b", "ben")
    assert owners.possible(set(), "anna") == ()
    assert owners.possible({"b"}, "anna") == ("b",)
