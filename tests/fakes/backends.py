"""The databases that the contract of the store is tested on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy.engine import make_url

from jupyter_pycaret_ops.server.store.bootstrap import ensure_schema
from jupyter_pycaret_ops.server.store.models import Base

from ..postgres import Cluster

#: for tests of what SQLite alone has: files, its journal, its locks
SQLITE_ONLY = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
POSTGRESQL_ONLY = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


class Backend(Protocol):
    """Where a test gets a database of its own."""

    def empty(self, folder: Path) -> str:
        """The URL of a database without a table."""
        ...

    def fresh(self, folder: Path) -> str:
        """The URL of a database with all tables and no row."""
        ...

    def drop(self, url: str) -> None:
        """Remove it."""
        ...


class SqliteBackend:
    """A file for each test, copied from one that was migrated once."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"
        ensure_schema(f"sqlite:///{self._template}", auto_migrate=True)

    def empty(self, folder: Path) -> str:
        return f"sqlite:///{folder / 'data' / 'records.db'}"

    def fresh(self, folder: Path) -> str:
        file = folder / "records.db"
        shutil.copyfile(self._template, file)
        return f"sqlite:///{file}"

    def drop(self, url: str) -> None:
        """Its folder is the test's own and goes with it."""


class PostgresqlBackend:
    """A database that one test after the other gets without a row: making one takes a third of a second."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._idle: list[str] = []
        self._ready: set[str] = set()

    def empty(self, _folder: Path) -> str:
        return self._cluster.url(self._cluster.create())

    def fresh(self, folder: Path) -> str:
        if not self._idle:
            url = self.empty(folder)
            ensure_schema(url, auto_migrate=True)
            self._ready.add(url)
            return url
        return self._idle.pop()

    def drop(self, url: str) -> None:
        name = str(make_url(url).database)
        if url in self._ready:
            tables = ", ".join(Base.metadata.tables)
            # whoever still holds a lock after its test has left something open: that is a failure
            self._cluster.execute(f"SET lock_timeout = '5s'; TRUNCATE {tables}", name)
            self._idle.append(url)
        else:
            self._cluster.drop(name)


@pytest.fixture(scope="session")
def sqlite_backend(tmp_path_factory: pytest.TempPathFactory) -> Backend:
    return SqliteBackend(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql_backend(postgres: Cluster) -> Backend:
    return PostgresqlBackend(postgres)


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each kind of database, one after the other."""
    made: Backend = request.getfixturevalue(f"{request.param}_backend")
    return made


@pytest.fixture
def url(backend: Backend, tmp_path: Path) -> Iterator[str]:
    """A database of this test's own, with all tables."""
    made = backend.fresh(tmp_path)
    yield made
    backend.drop(made)


@pytest.fixture
def empty_url(backend: Backend, tmp_path: Path) -> Iterator[str]:
    """A database of this test's own, without a table."""
    made = backend.empty(tmp_path)
    yield made
    backend.drop(made)
