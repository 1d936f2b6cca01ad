"""Clients of the shared server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_pycaret_ops import Client

from ..live import LiveServer
from .relay import Relay


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Iterator[Client]:
    with Client(server.url, server.token) as made:
        yield made


@pytest.fixture
def relay(server: LiveServer) -> Iterator[Relay]:
    made = Relay(server.port)
    yield made
    made.close()
