"""Clients of the shared server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_pycaret_ops import Client

from ..live import LiveServer


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Iterator[Client]:
    with Client(server.url, server.token) as made:
        yield made
