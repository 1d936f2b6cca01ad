"""A real PostgreSQL for tests: a cluster of Debian's binaries in a temporary folder, gone at the end."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import URL

from .live import free_port, until

#: the server refuses to run as root; Debian's package makes this user
SYSTEM_USER = "postgres"


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`, of the newest version that is installed."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3])
    )
    other = shutil.which("initdb")
    return found[-1].parent if found else Path(other).parent if other else None


class Cluster:
    """A server on a port of 127.0.0.1, which asks everybody for a password.

    Databases belong to `user`, a plain role that may do nothing else; `execute` is the superuser's.
    """

    host = "127.0.0.1"
    user = "ada"
    superuser = "admin"

    def __init__(self, folder: Path) -> None:
        # as those of people, it holds what a URL must escape
        self.password = f"p@ss/{secrets.token_hex(8)}"
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="pco-pg-"))
        self._bin = folder
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            shutil.chown(self._folder, SYSTEM_USER, SYSTEM_USER)
            self._as = {"user": SYSTEM_USER, "group": SYSTEM_USER, "extra_groups": []}
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        data, passwords, log = (self._folder / name for name in ("data", "password", "log"))
        passwords.write_text(self.password)
        passwords.chmod(0o644)  # its folder is closed
        subprocess.run(
            [
                *(self._bin / "initdb", "--pgdata", data, "--username", self.superuser),
                *("--auth", "scram-sha-256", "--pwfile", passwords, "--no-sync"),
                *("--encoding", "UTF8", "--locale", "C.UTF-8"),
            ],
            check=True,
            capture_output=True,
            cwd=self._folder,
            **self._as,
        )
        settings = {
            "listen_addresses": self.host,
            "unix_socket_directories": str(self._folder),
            # nothing here outlives the tests
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
        }
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    *(self._bin / "postgres", "-D", data, "-p", str(self.port)),
                    *(word for key, value in settings.items() for word in ("-c", f"{key}={value}")),
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                start_new_session=True,
                **self._as,
            )
        until(self._answers, "the start of PostgreSQL", 60)
        self.execute(f"CREATE ROLE {self.user} LOGIN PASSWORD '{self.password}'")

    def _answers(self) -> bool:
        import psycopg

        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"PostgreSQL ended: {(self._folder / 'log').read_text()[-2000:]}")
        with contextlib.suppress(psycopg.OperationalError):
            self.execute("SELECT 1")
            return True
        return False

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement as the superuser, outside of a transaction."""
        import psycopg

        with psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.superuser,
            password=self.password,
            dbname=database,
            autocommit=True,
        ) as connection:
            connection.execute(statement)

    def url(self, database: str, driver: str = "postgresql+psycopg") -> str:
        """Where `user` reaches that database, the password with it."""
        made = URL.create(driver, self.user, self.password, self.host, self.port, database)
        return made.render_as_string(hide_password=False)

    def create(self, template: str = "template1") -> str:
        """A new database, a copy of `template`; returns its name."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name} OWNER {self.user} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def stop(self) -> None:
        """End the server at once and remove its folder."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)  # at once: there is nothing to keep
            self._process.wait(30)
        shutil.rmtree(self._folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """The cluster of this session, started by the first test that asks for it."""
    folder = binaries()
    if folder is None:
        pytest.skip("PostgreSQL is not installed; .ci/system-packages installs it from Debian")
    cluster = Cluster(folder)
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def postgres_database(postgres: Cluster) -> Iterator[str]:
    """The name of an empty database of this test's own."""
    name = postgres.create()
    try:
        yield name
    finally:
        postgres.drop(name)
