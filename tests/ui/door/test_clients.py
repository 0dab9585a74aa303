"""By which address a client's share is counted."""

import pytest

from tests.ui.door.asking import Behind, Request, ask
from tlapp.ui.door.clients import ClientAddress, client_address


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("127.0.0.1", "", "127.0.0.1"),
        ("10.0.0.9", "8.8.8.8", "8.8.8.8"),
        ("10.0.0.9", "1.1.1.1, 8.8.8.8", "8.8.8.8"),  # the first may be made up
        ("10.0.0.9", "8.8.8.8, 10.1.2.3", "8.8.8.8"),  # a proxy within
        ("10.0.0.9", "nonsense, ,", "10.0.0.9"),
        ("10.0.0.9", "192.168.1.1", "10.0.0.9"),
        ("2001:4860::1", "", "2001:4860::/64"),
        ("2001:4860::ffff:2", "", "2001:4860::/64"),
        ("", "", ""),
    ],
)
def test_the_nearest_address_from_outside_counts(
    peer: str, forwarded_for: str, address: str
) -> None:
    assert client_address(peer, forwarded_for) == address


def test_a_proxy_that_adds_a_line_of_its_own_is_the_nearest() -> None:
    part = ClientAddress(behind := Behind(), is_behind_proxy=True)
    own_line = ((b"x-forwarded-for", b"8.8.8.8"),)
    headers = {"x-forwarded-for": "1.1.1.1"}
    ask(part, Request(headers=headers, client="10.0.0.9", more_headers=own_line))
    assert behind.scopes[0]["tlapp.client"] == "8.8.8.8"


@pytest.mark.parametrize(("is_behind_proxy", "address"), [(True, "8.8.8.8"), (False, "10.0.0.9")])
def test_only_a_proxy_is_believed(is_behind_proxy: bool, address: str) -> None:
    part = ClientAddress(behind := Behind(), is_behind_proxy=is_behind_proxy)
    ask(part, Request(headers={"x-forwarded-for": "8.8.8.8"}, client="10.0.0.9"))
    assert behind.scopes[0]["tlapp.client"] == address
