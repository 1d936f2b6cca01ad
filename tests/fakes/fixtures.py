"""Fixtures of rooms that stand on a store; a folder's conftest imports those that it needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_pycaret_ops.server.store.session import Store

from . import HandClock
from .records import World


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = Store(url)
    yield made
    made.close()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def world(store: Store, clock: HandClock) -> World:
    """People, a workspace, a project and an experiment."""
    return World(store, clock)
