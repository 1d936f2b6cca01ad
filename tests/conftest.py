"""Fixtures of all tests: one live server with a warm kernel is shared where a test does not harm it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .fakes.backends import backend, empty_url, postgresql_backend, sqlite_backend, url
from .live import SHARED, Home, LiveServer
from .live import home as make_home
from .objects import bucket, s3_endpoint
from .postgres import postgres, postgres_database

__all__ = [
    "backend",
    "bucket",
    "empty_url",
    "home",
    "postgres",
    "postgres_database",
    "postgresql_backend",
    "s3_endpoint",
    "server",
    "shared",
    "sqlite_backend",
    "url",
]


#: what starts servers and kernels
SLOW = {"home", "server", "shared"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with servers and kernels first, so that no worker has only long ones left at the end."""
    slow = {item.path for item in items if SLOW.intersection(getattr(item, "fixturenames", ()))}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def server() -> Iterator[LiveServer]:
    """A server with defaults, shared by the whole session."""
    with LiveServer() as live:
        yield live


@pytest.fixture
def home() -> Iterator[Home]:
    """Folders of a Jupyter user of this test's own."""
    with make_home() as made:
        yield made


@pytest.fixture(scope="session")
def shared() -> object:
    """The folder with data sets and conformance tests, where it is there."""
    if not SHARED.is_dir():
        pytest.skip(
            "the shared folder with data sets and conformance tests is not beside this checkout"
        )
    return SHARED
