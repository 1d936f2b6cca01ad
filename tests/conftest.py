"""Fixtures of all tests: one live server with a warm kernel is shared where a test does not harm it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .fakes.backends import backend, empty_url, postgresql_backend, sqlite_backend, url
from .fakes.light_engine import no_plots, one_thread
from .live import SHARED, Home, LiveServer
from .live import home as make_home
from .objects import bucket, s3_endpoint
from .postgres import postgres, postgres_database

__all__ = [
    "backend",
    "bucket",
    "empty_url",
    "home",
    "no_plots",
    "one_thread",
    "postgres",
    "postgres_database",
    "postgresql_backend",
    "s3_endpoint",
    "server",
    "shared",
    "sqlite_backend",
    "url",
]

# jsonschema checks addresses of the web with it where it is there: nothing here asks for that, and the
# import alone builds 38 grammars, for 1.7 s
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


#: what starts servers and kernels
SLOW = {"home", "server", "shared"}
HERE = Path(__file__).parent
#: folders and modules whose tests start processes or fit models, whatever their fixtures are called
SLOW_PLACES = tuple(
    HERE / place
    for place in (
        "browser",
        "cli",
        "contract",
        "docs/test_examples.py",
        "faults",
        "foreign_clients",
        "installations",
        "kernel/engine",
        "notebook",
        "packaging",
        "server/executors/test_start_up.py",
        "server/reproduction/test_notebook_again.py",
        "server/reproduction/test_notebook_plans.py",
        "server/reproduction/test_notebook_preparing.py",
        "server/serving/test_real_tables.py",
        "server/store/test_life.py",
        "server/test_doctor.py",
    )
)


#: where the engine and its libraries run in the test's process, and warn as they like
ENGINE_PLACES = (HERE / "kernel/engine", HERE / "server/reproduction")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Modules that are imported stay: the collector need not look at them, now or after each test."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import what `-m "not slow"` would leave out as a whole."""
    is_left_out = config.option.markexpr == "not slow" and _is_at(collection_path, SLOW_PLACES)
    return True if is_left_out else None


def _is_at(path: Path, places: tuple[Path, ...]) -> bool:
    return any(path.is_relative_to(at) for at in places)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with servers and kernels first, so that no worker has only long ones left at the end.

    They are marked `slow`, and so is what needs PostgreSQL; `make test-fast` leaves both out.
    """
    slow = {item.path for item in items if SLOW.intersection(getattr(item, "fixturenames", ()))}
    items.sort(key=lambda item: item.path not in slow)
    for item in items:
        is_slow = item.path in slow or _is_at(item.path, SLOW_PLACES)
        if is_slow or "postgresql" in item.nodeid or "postgres" in item.nodeid:
            item.add_marker("slow")
        if _is_at(item.path, ENGINE_PLACES):
            item.add_marker(pytest.mark.filterwarnings("default"))


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
