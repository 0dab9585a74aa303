"""Visitors of the real server who come through the API."""

from collections.abc import Callable, Iterator

import pytest
from gradio_client import Client

from tests.app.visits import client_of
from tests.server import AppServer

NewClient = Callable[..., Client]


@pytest.fixture
def new_client(app_server: AppServer) -> Iterator[NewClient]:
    """Makes clients, each a visitor of its own; closed when the test ends."""
    clients: list[Client] = []

    def make(server: AppServer = app_server) -> Client:
        clients.append(client_of(server))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
