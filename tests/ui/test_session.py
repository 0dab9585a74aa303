"""Who asks: nothing for nobody."""

import pytest

from tlapp.errors import NotFoundError
from tlapp.ui.session import Page
from tlapp.workspace import owner_of


@pytest.mark.parametrize("token", ["", "a", "x" * 42, "x" * 44, "x" * 42 + "\n", None, 7, ["x"]])
def test_whoever_sends_no_token_of_ours_is_nobody(page: Page, token: object) -> None:
    with pytest.raises(NotFoundError) as refused:
        page.owner_of(token)  # type: ignore[arg-type]  # a browser may send anything
    assert refused.value.hint


def test_a_token_of_ours_stands_for_its_owner(page: Page, token: str) -> None:
    assert page.owner_of(token) == owner_of(token)
    assert token not in page.owner_of(token)
