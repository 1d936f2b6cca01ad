"""The one door to the database: what happens when it is locked, full, slow or left in the middle."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from jupyter_pycaret_ops.common.errors import Conflict, Invalid, Unavailable
from jupyter_pycaret_ops.server.store import session as session_room
from jupyter_pycaret_ops.server.store import users
from jupyter_pycaret_ops.server.store.bootstrap import ensure_schema
from jupyter_pycaret_ops.server.store.models import Deployment, User
from jupyter_pycaret_ops.server.store.session import Store, file_system_of

from ...fakes import in_loop
from ...fakes.backends import POSTGRESQL_ONLY, SQLITE_ONLY
from ...postgres import Cluster

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
tmpfs /tmp tmpfs rw 0 0
server:/homes /home nfs4 rw 0 0
ada@host: /home/ada/near fuse.sshfs rw 0 0
/dev/sdb1 /home/ada/my\\040disk xfs rw 0 0
broken line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/data", "ext4"),
        ("/tmp/x", "tmpfs"),
        ("/tmpfoo/x", "ext4"),
        ("/home/ada/.local", "nfs4"),
        ("/home", "nfs4"),
        ("/home/ada/near/x", "fuse.sshfs"),
        ("/home/ada/my disk/x", "xfs"),
    ],
)
def test_the_longest_mount_point_tells_the_file_system(path: str, kind: str) -> None:
    assert file_system_of(Path(path), MOUNTS) == kind


def test_no_mounts_tell_nothing() -> None:
    assert file_system_of(Path("/x"), "") == ""


def pragma(store: Store, name: str) -> Any:
    return store.read_now(lambda session: session.scalar(text(f"PRAGMA {name}")))


@SQLITE_ONLY
def test_a_local_file_is_in_wal_mode_with_keys_on(url: str) -> None:
    store = Store(url)
    assert pragma(store, "journal_mode") == "wal"
    assert pragma(store, "foreign_keys") == 1
    assert pragma(store, "busy_timeout") == session_room.BUSY_TIMEOUT_MS
    store.close()


@SQLITE_ONLY
def test_on_a_network_file_system_the_journal_is_a_plain_one(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_room, "file_system_of", lambda _path: "nfs4")
    store = Store(url)
    assert pragma(store, "journal_mode") == "delete"
    assert pragma(store, "synchronous") == 2
    store.write_now(users.ensure_user, "ada")
    store.close()


@pytest.fixture
def hasty(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store that waits for locks for a twentieth of a second."""
    monkeypatch.setattr(session_room, "BUSY_TIMEOUT_MS", 50)
    made = Store(url)
    yield made
    made.close()


def file_of(store: Store) -> str:
    assert store.url.database
    return store.url.database


@SQLITE_ONLY
def test_a_database_locked_by_another_program_is_said_to_be(hasty: Store) -> None:
    with closing(sqlite3.connect(file_of(hasty), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked by another program") as refused:
            hasty.write_now(users.ensure_user, "ada")
        assert refused.value.retry_after_s > 0
        assert hasty.read_now(users.counts) == (0, 0)  # who reads is not held up
        other.execute("ROLLBACK")
    hasty.write_now(users.ensure_user, "ada")
    assert hasty.read_now(users.counts) == (1, 0)


@SQLITE_ONLY
def test_a_full_disk_is_said_and_leaves_nothing_half_written(url: str) -> None:
    store = Store(url)
    limit: list[int] = [0]

    @event.listens_for(store.engine, "connect")
    def _limit(connection: sqlite3.Connection, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        limit[0] = limit[0] or pages + 4
        connection.execute(f"PRAGMA max_page_count={limit[0]}")

    def work(session: Session) -> None:
        users.ensure_user(session, "ada")
        session.add_all([User(name=f"{n}", display_name="x" * 250) for n in range(500)])

    with pytest.raises(Unavailable, match="disk that holds the database is full") as refused:
        store.write_now(work)
    assert refused.value.retry_after_s >= 10
    assert store.read_now(users.counts) == (0, 0)
    store.engine.dispose()
    limit[0] = 1 << 30  # somebody has freed some space
    store.write_now(work)
    assert store.read_now(users.counts) == (501, 0)
    store.close()


@SQLITE_ONLY
def test_a_file_that_cannot_be_written_is_said_to_be(store: Store) -> None:
    @event.listens_for(store.engine, "connect")
    def _read_only(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA query_only=ON")

    with pytest.raises(Unavailable, match="cannot be written to"):
        store.write_now(users.ensure_user, "ada")


# ---------------------------------------------------------------- SQLite's file is gone


@SQLITE_ONLY
@pytest.mark.parametrize(
    "how", ["removed", "moved", "emptied", "replaced", "replaced by a database"]
)
def test_lost_file_is_noticed_and_no_other_one_is_begun(url: str, tmp_path: Path, how: str) -> None:
    store = Store(url)
    store.write_now(users.ensure_user, "ada")
    file = Path(file_of(store))
    if how == "removed":
        file.unlink()
    elif how == "moved":
        file.rename(tmp_path / "elsewhere.db")
    elif how == "emptied":
        os.truncate(file, 0)
    else:
        file.unlink()
        if how == "replaced":
            file.touch()
        else:
            with closing(sqlite3.connect(file)) as other:
                other.execute("CREATE TABLE t (x)")
    size = file.stat().st_size if file.exists() else None
    for _ in range(2):
        for use in (store.read_now, store.write_now):
            with pytest.raises(Unavailable, match="removed or replaced") as refused:
                use(lambda session: users.ensure_user(session, "bob"))
            assert str(tmp_path) not in refused.value.message
    assert (file.stat().st_size if file.exists() else None) == size
    if how == "moved":
        (tmp_path / "elsewhere.db").rename(file)
        assert store.read_now(users.counts) == (1, 0)
    store.close()


def test_new_database_and_its_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "ops.db"
    ensure_schema(f"sqlite:///{file}", auto_migrate=True)
    store = Store(f"sqlite:///{file}")
    store.write_now(users.ensure_user, "ada")
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    for made in file.parent.iterdir():  # the file and its journals
        assert stat.S_IMODE(made.stat().st_mode) == 0o600, made.name
    store.close()


# ---------------------------------------------------------------- one deadline


@SQLITE_ONLY
@in_loop
async def test_writes_that_wait_their_turn_share_one_deadline(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_room, "BUSY_TIMEOUT_MS", 400)
    store = Store(url)
    with closing(sqlite3.connect(file_of(store), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        asked = [store.write(users.ensure_user, f"u{number}") for number in range(20)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        took_s = time.monotonic() - began
        other.execute("ROLLBACK")
    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert took_s < 4 * 0.4  # in turn it were twenty times as long
    await store.write(users.ensure_user, "later")
    assert await store.read(users.counts) == (1, 0)
    assert pragma(store, "busy_timeout") == 400
    store.close()


@SQLITE_ONLY
@in_loop
async def test_write_behind_a_slow_one_is_done_although_its_time_is_up(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_room, "BUSY_TIMEOUT_MS", 50)
    store = Store(url)
    slow = store.write(lambda _session: time.sleep(0.2))
    await asyncio.gather(slow, store.write(users.ensure_user, "ada"))
    assert await store.read(users.counts) == (1, 0)
    store.close()


@SQLITE_ONLY
@in_loop
async def test_transactions_of_one_request_share_its_time(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_room, "BUSY_TIMEOUT_MS", 400)
    store = Store(url)
    session_room.lock_budget.set(session_room.LockBudget())
    with closing(sqlite3.connect(file_of(store), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        for _ in range(5):
            with pytest.raises(Unavailable, match="locked"):
                await store.write(users.ensure_user, "ada")
        took_s = time.monotonic() - began
        other.execute("ROLLBACK")
    assert 0.4 <= took_s < 4 * 0.4
    session_room.lock_budget.set(None)
    store.close()


# ---------------------------------------------------------------- PostgreSQL


@POSTGRESQL_ONLY
def test_transaction_that_loses_a_deadlock_is_done_again(store: Store) -> None:
    ids = [store.write_now(users.ensure_user, name).id for name in ("ada", "bob")]
    both = threading.Barrier(2, timeout=20)
    attempts: list[str] = []

    def lock_both(session: Session, first: str, second: str) -> None:
        attempts.append(first)
        session.get_one(User, first, with_for_update=True)
        if len(attempts) <= 2:
            both.wait()
        session.get_one(User, second, with_for_update=True)

    with ThreadPoolExecutor(2) as threads:
        done = [threads.submit(store.write_now, lock_both, *pair) for pair in (ids, reversed(ids))]
        assert [item.result(30) for item in done] == [None, None]
    assert len(attempts) == 3


@POSTGRESQL_ONLY
def test_transaction_that_loses_twice_is_a_conflict(store: Store) -> None:
    attempts = []

    def lose(session: Session) -> None:
        attempts.append(1)
        session.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$"))

    with pytest.raises(Conflict, match="try again"):
        store.write_now(lose)
    assert len(attempts) == 2


@POSTGRESQL_ONLY
def test_a_url_without_a_driver_is_understood(url: str) -> None:
    store = Store(url.replace("postgresql+psycopg:", "postgresql:"))
    assert store.read_now(users.counts) == (0, 0)
    assert store.url.drivername == "postgresql+psycopg"
    store.close()


@POSTGRESQL_ONLY
def test_a_driver_that_is_missing_is_named_with_what_brings_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Unavailable, match=r"psycopg.*jupyter-pycaret-ops\[postgres\]"):
        Store(url)


@POSTGRESQL_ONLY
def test_connections_that_were_cut_are_made_anew(store: Store, postgres: Cluster) -> None:
    def cut() -> None:
        database = store.url.database
        postgres.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
        )

    def work(session: Session) -> None:
        users.ensure_user(session, "ada")
        cut()
        users.ensure_user(session, "bob")

    with pytest.raises(Unavailable, match="did not answer"):
        store.write_now(work)
    assert store.read_now(users.counts) == (0, 0)
    store.write_now(users.ensure_user, "ada")
    cut()
    assert store.read_now(users.counts) == (1, 0)


@POSTGRESQL_ONLY
def test_a_standby_that_cannot_be_written_is_said_to_be(store: Store) -> None:
    @event.listens_for(store.engine, "begin")
    def _read_only(connection: Any) -> None:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    with pytest.raises(Unavailable, match="cannot be written to"):
        store.write_now(users.ensure_user, "ada")


@POSTGRESQL_ONLY
def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(Unavailable, match="cannot be written to"):
        store.read_now(users.ensure_user, "ada")
    store.write_now(users.ensure_user, "ada")


@POSTGRESQL_ONLY
@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "\ud800"])
def test_what_the_database_cannot_keep_is_the_callers_fault(store: Store, name: str) -> None:
    with pytest.raises(Invalid, match="too long"):
        store.write_now(users.ensure_user, name)


# ---------------------------------------------------------------- both


def test_numbers_beyond_what_a_column_holds_are_the_callers_fault(store: Store) -> None:
    def work(session: Session) -> None:
        session.add(
            Deployment(
                workspace_id="w",
                pipeline_id="p",
                endpoint_slug="s",
                status="active",
                auth_mode="public",
                inference_count=10**30,
            )
        )

    with pytest.raises(Invalid, match="too large"):
        store.write_now(work)


def test_what_fails_is_rolled_back_whole(store: Store) -> None:
    def work(session: Session) -> None:
        users.ensure_user(session, "ada")
        raise Invalid("no")

    with pytest.raises(Invalid):
        store.write_now(work)
    assert store.read_now(users.counts) == (0, 0)


def test_a_row_that_another_transaction_made_first_is_a_conflict(store: Store) -> None:
    store.write_now(users.ensure_user, "ada")
    with pytest.raises(Conflict):
        store.write_now(lambda session: session.add(User(name="ada", display_name="ada")))


@SQLITE_ONLY
def test_a_message_never_repeats_what_the_database_said(hasty: Store) -> None:
    with closing(sqlite3.connect(file_of(hasty), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable) as refused:
            hasty.write_now(users.ensure_user, "ada")
    assert "sqlite" not in refused.value.message.lower()
    assert "INSERT" not in refused.value.message
    assert file_of(hasty) not in refused.value.message


def test_a_reader_sees_one_moment_while_others_write(store: Store) -> None:
    """A read transaction answers from where it began: counts and rows of one page belong together."""

    def work(session: Session) -> tuple[tuple[int, int], tuple[int, int]]:
        before = users.counts(session)
        other = threading.Thread(target=store.write_now, args=(users.ensure_user, "ada"))
        other.start()
        other.join()
        return before, users.counts(session)

    before, after = store.read_now(work)
    assert before == after == (0, 0)
    assert store.read_now(users.counts) == (1, 0)


def test_writers_stand_in_line(store: Store) -> None:
    names = [f"user {n}" for n in range(40)]
    failed: list[BaseException] = []

    def write(share: list[str]) -> None:
        try:
            for name in share:
                store.write_now(users.ensure_user, name)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(names[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert store.read_now(users.counts)[0] == 40


@in_loop
async def test_a_caller_that_goes_away_leaves_a_whole_transaction(store: Store) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(session: Session) -> None:
        begun.set()
        go_on.wait(5)
        users.ensure_user(session, "ada")

    writing = asyncio.create_task(store.write(work))
    await asyncio.to_thread(begun.wait, 5)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    go_on.set()
    await store.write(users.ensure_user, "bob")
    async with asyncio.timeout(10):  # only SQLite's writers stand in line
        while (await store.read(users.counts))[0] != 2:
            await asyncio.sleep(0)


@in_loop
async def test_nothing_of_the_database_runs_on_the_event_loop(store: Store) -> None:
    mine = threading.get_ident()
    for call in (store.read, store.write):
        assert await call(lambda _session: threading.get_ident()) != mine


@in_loop
async def test_rows_stay_readable_after_their_transaction(store: Store) -> None:
    user = await store.write(users.ensure_user, "ada")
    assert (user.name, user.display_name) == ("ada", "ada")


ROUND_TRIPS: list[Callable[[], datetime]] = [
    lambda: datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=-7))),
]


@pytest.mark.parametrize("moment", ROUND_TRIPS)
def test_times_come_back_aware_in_utc_and_to_the_microsecond(
    store: Store, moment: Callable[[], datetime]
) -> None:
    def work(session: Session) -> str:
        user = users.ensure_user(session, "ada")
        user.created_at = moment()
        session.flush()
        return user.id

    user_id = store.write_now(work)
    found = store.read_now(lambda session: session.get_one(User, user_id).created_at)
    assert found == moment()
    assert found.tzinfo is UTC
