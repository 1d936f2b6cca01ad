"""The one door to the database: transactions, in threads, never on the event loop."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InternalError,
    NoResultFound,
    OperationalError,
)
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from ...common.errors import Conflict, Invalid, NotFound, OpsError, Unavailable
from ..settings import make_private_folder
from ..threads import ThreadPool

P = ParamSpec("P")
T = TypeVar("T")

#: file systems on which SQLite's shared memory, and so WAL, does not work
NETWORK_FILE_SYSTEMS = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "9p",
        "fuse.sshfs",
        "lustre",
        "ceph",
        "glusterfs",
    }
)
BUSY_TIMEOUT_MS = 10_000

log = logging.getLogger("jupyter_pycaret_ops")


def file_system_of(path: Path, mounts: str | None = None) -> str:
    """The type of the file system that holds `path`, or `""` where it cannot be told.

    `mounts` is the text of `/proc/mounts`; read when not given.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
    resolved = str(path.resolve())
    best, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ")
        inside = resolved == point or resolved.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind


def make_engine(url: str | URL) -> Engine:
    """An engine for `url`, with SQLite's journal, keys and transactions set as this product needs them."""
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        try:
            return create_engine(parsed, pool_pre_ping=True, pool_size=8)
        except ModuleNotFoundError as error:
            raise Unavailable(
                f"The driver {error.name} of the database is not installed. "
                "For PostgreSQL: pip install 'jupyter-pycaret-ops[postgres]'.",
                retry_after_s=30,
            ) from error
    return _sqlite_engine(parsed)


def parse_url(url: str | URL) -> URL:
    """The URL, with the PostgreSQL driver that this product brings where it names none.

    A server that cannot be reached is said to be so after ten seconds, not after the minutes that TCP takes.
    """
    parsed = make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "postgresql" and "connect_timeout" not in parsed.query:
        parsed = parsed.update_query_dict({"connect_timeout": "10"})
    return parsed


def _sqlite_engine(parsed: URL) -> Engine:
    file = parsed.database
    if file and file != ":memory:":
        make_private_folder(Path(file).parent)
    wal = bool(file) and file_system_of(Path(str(file)).parent) not in NETWORK_FILE_SYSTEMS
    engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        # pysqlite would open transactions on its own, and too late; BEGIN is emitted below
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute(f"PRAGMA journal_mode={'WAL' if wal else 'DELETE'}")
        connection.execute("PRAGMA synchronous=NORMAL" if wal else "PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("sqlite_immediate", False)
        turn: Turn | None = getattr(_thread, "turn", None)
        left_ms = BUSY_TIMEOUT_MS if turn is None else turn.left_ms()
        # PRAGMA takes some microseconds: only where the connection waits for another time than it should
        if connection.info.get("busy_timeout_ms", BUSY_TIMEOUT_MS) != left_ms:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={left_ms}")
            connection.info["busy_timeout_ms"] = left_ms
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN DEFERRED")
        if turn is not None:
            turn.begun()

    return engine


class LockBudget:
    """How long one request may wait for the database, over all of its transactions."""

    #: waits shorter than this are work, not a lock
    NOTICED_S = 0.1
    #: a request that lasts longer waits for other things, and then has the whole time for each transaction
    LASTS_S = 30.0

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._left_s = BUSY_TIMEOUT_MS / 1000

    def left_s(self) -> float:
        """Return the seconds that the next transaction may wait."""
        if time.monotonic() - self._began > self.LASTS_S:
            return BUSY_TIMEOUT_MS / 1000
        return self._left_s

    def spend(self, waited_s: float) -> None:
        """Take what a transaction has waited off what is left."""
        if waited_s > self.NOTICED_S:
            self._left_s = max(0.0, self._left_s - waited_s)


class Turn:
    """One transaction that waits: first for a thread, then for SQLite's lock; one deadline for both."""

    def __init__(self) -> None:
        self._asked = time.monotonic()
        self._budget = lock_budget.get() or LockBudget()
        self._deadline = self._asked + self._budget.left_s()
        self._has_begun = False

    def left_ms(self) -> int:
        """Return how long SQLite may still wait for a lock; all of it where next to nothing was waited."""
        left = round((self._deadline - time.monotonic()) * 1000)
        return BUSY_TIMEOUT_MS if left > BUSY_TIMEOUT_MS * 0.95 else max(0, left)

    def begun(self) -> None:
        """Note that the transaction has begun; from here on it works."""
        if not self._has_begun:
            self._has_begun = True
            self._budget.spend(time.monotonic() - self._asked)

    def failed(self) -> None:
        """Note that the database did not answer, so that all of the time was waiting."""
        self._budget.spend(time.monotonic() - self._asked)


#: of the request that is being answered; what is no request waits on its own account
lock_budget: ContextVar[LockBudget | None] = ContextVar("lock_budget", default=None)
_thread = threading.local()


class Store:
    """Transactions over the records.

    `read` and `write` run a function of a session in a thread and return its result. Writes to SQLite
    go through one thread, for it has one writer anyway and queueing there is cheaper than waiting on locks.
    Rows stay readable after the transaction (`expire_on_commit=False`); there are no lazy attributes.
    """

    def __init__(self, url: str | URL) -> None:
        self.url = parse_url(url)
        self.engine = make_engine(self.url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        file = self.url.database if self.is_sqlite else None
        self._file = Path(file) if file and file != ":memory:" else None
        #: device and inode of SQLite's file when it was first used
        self._file_id: tuple[int, int] | None = None
        self._readers = ThreadPool("read", 4)
        self._writers = ThreadPool("write", 1 if self.is_sqlite else 6)
        # SQLite's readers see one moment and write nothing by themselves
        snapshot: dict[str, Any] = (
            {}
            if self.is_sqlite
            else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        self._read_session = sessionmaker(
            self.engine.execution_options(**snapshot), expire_on_commit=False, autoflush=True
        )
        self._write_session = sessionmaker(
            self.engine.execution_options(sqlite_immediate=True), expire_on_commit=False
        )

    async def read(
        self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `work(session, …)` in a read transaction, in a thread."""
        return await _in(self._readers, partial(self.read_now, work, *args, **kwargs), Turn())

    async def write(
        self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `work(session, …)` in a write transaction, in a thread; committed when it returns."""
        return await _in(self._writers, partial(self.write_now, work, *args, **kwargs), Turn())

    def read_now(
        self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`read`, in the calling thread."""
        self._refuse_lost_file()
        return _transact(self._read_session, work, *args, **kwargs)

    def write_now(
        self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`write`, in the calling thread."""
        self._refuse_lost_file()
        return _transact(self._write_session, work, *args, **kwargs)

    def _refuse_lost_file(self) -> None:
        """Raise Unavailable where SQLite's file is no longer the one that the server began with.

        SQLite itself would go on writing into a file that has no name any more, or make an empty one.
        """
        if self._file is None:
            return
        try:
            found = self._file.stat()
        except FileNotFoundError:
            found = None
        except OSError as error:
            log.warning("the database's file cannot be looked at: %s", error)
            raise Unavailable("The database cannot be read. Check the rights on it.") from error
        if self._file_id is None:
            if found is not None and found.st_size:
                self._file_id = (found.st_dev, found.st_ino)
            return
        if found is None or not found.st_size or (found.st_dev, found.st_ino) != self._file_id:
            raise Unavailable(
                "The file of the database was removed or replaced while the server ran. "
                "Put it back, then restart Jupyter.",
                retry_after_s=30,
            )

    def close(self) -> None:
        """Wait for what is under way, then close every connection."""
        self._writers.close(wait=True)
        self._readers.close(wait=True)
        self.engine.dispose()


async def _in(pool: ThreadPool, work: Callable[[], T], turn: Turn) -> T:
    # `run` is done to its end: a client that goes away must not leave a transaction half waited for
    return await pool.run(_take, turn, work)


def _take(turn: Turn, work: Callable[[], T]) -> T:
    """The result of `work`, done in this thread within the time that the turn leaves."""
    _thread.turn = turn
    try:
        return work()
    except Unavailable:
        turn.failed()
        raise
    finally:
        _thread.turn = None


def _transact(
    factory: sessionmaker[Session],
    work: Callable[Concatenate[Session, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """The result of `work`, committed; once more where another transaction was in a deadlock with it."""
    try:
        return _attempt(factory, work, *args, **kwargs)
    except _Deadlock:
        log.info("a transaction was in a deadlock and is done again")
    try:
        return _attempt(factory, work, *args, **kwargs)
    except _Deadlock as error:
        raise Conflict(
            "Something else changed the same rows at the same time. Look at them, and try again."
        ) from error


class _Deadlock(Exception):
    """The database ended the transaction for the sake of another one."""


#: PostgreSQL's deadlock_detected and serialization_failure
_DEADLOCKS = frozenset({"40P01", "40001"})


def _attempt(
    factory: sessionmaker[Session],
    work: Callable[Concatenate[Session, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    try:
        with factory.begin() as session:
            return work(session, *args, **kwargs)
    except OpsError:
        raise
    except IntegrityError as error:
        log.debug("integrity error", exc_info=error)
        raise Conflict("Something else holds that name or refers to that row.") from error
    except (NoResultFound, StaleDataError) as error:
        raise NotFound("The row is gone: somebody has just deleted it.") from error
    except (DataError, OverflowError, UnicodeEncodeError) as error:
        log.debug("the database cannot keep a value", exc_info=error)
        raise Invalid(
            "A value is too long, too large, or holds a character that no text has."
        ) from error
    except (OperationalError, InternalError) as error:
        if getattr(error.orig, "sqlstate", None) in _DEADLOCKS:
            raise _Deadlock from error
        raise _unavailable(error) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise _unavailable(error) from error
        raise


def _unavailable(error: DBAPIError) -> Unavailable:
    """What a database that cannot answer means for the caller; the detail goes to the log only."""
    text = str(error.orig).lower()
    log.warning("the database did not answer: %s", error.orig)
    if "locked" in text or "busy" in text:
        return Unavailable("The database is locked by another program. Try again.")
    if "full" in text or os.strerror(28).lower() in text:
        return Unavailable(
            "The disk that holds the database is full. Free some space, then try again.",
            retry_after_s=30,
        )
    if "readonly" in text or "read-only" in text:
        return Unavailable(
            "The database cannot be written to. Check the rights on it.", retry_after_s=30
        )
    return Unavailable("The database did not answer. Try again.", retry_after_s=5)
