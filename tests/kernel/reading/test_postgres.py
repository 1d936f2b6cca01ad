"""Tables and queries in a real PostgreSQL: read in pieces, changing nothing, within limits."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from jupyter_pycaret_ops.common.protocol import DataSpec, ReadLimits
from jupyter_pycaret_ops.kernel import reading
from jupyter_pycaret_ops.kernel.reading import LoadedTable, SourceUnreadable
from jupyter_pycaret_ops.kernel.reading.inspection import inspect_source
from jupyter_pycaret_ops.kernel.reading.postgres import BATCH_BYTES, RowReader
from jupyter_pycaret_ops.kernel.reading.redaction import (
    MAX_MESSAGE_LENGTH,
    errors_redacted,
    redacted_message,
)

from ...live import free_port
from ...postgres import Cluster


class Database:
    """A database of this test's own, and sources in it."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name

    def execute(self, *statements: str) -> None:
        import psycopg

        with psycopg.connect(self.cluster.url(self.name, "postgresql"), autocommit=True) as line:
            for statement in statements:
                line.execute(statement.encode())

    def config(self, **more: Any) -> dict[str, Any]:
        return {
            "host": self.cluster.host,
            "port": self.cluster.port,
            "database": self.name,
            "user": self.cluster.user,
            "password": self.cluster.password,
            **more,
        }

    def count(self, table: str) -> int:
        import psycopg

        with psycopg.connect(self.cluster.url(self.name, "postgresql")) as line:
            found = line.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
        assert found is not None
        return int(found[0])


@pytest.fixture
def database(postgres: Cluster, postgres_database: str) -> Database:
    made = Database(postgres, postgres_database)
    made.execute("CREATE TABLE t AS SELECT n AS id, n / 7.0 AS x FROM generate_series(1, 50) n")
    return made


def spec(config: dict[str, Any], **limits: Any) -> DataSpec:
    return DataSpec(
        "postgres", config, ReadLimits(**{"allow_private": True, "timeout_s": 30.0} | limits)
    )


def read(config: dict[str, Any], **limits: Any) -> LoadedTable:
    return reading.read(spec(config, **limits), lambda: None)


TYPES = """
CREATE TABLE kinds AS SELECT * FROM (VALUES
  (1::int8, 1.5::numeric, 0.1::float8, true, 'ä'::text, date '2026-01-02',
   timestamptz '2026-01-02 03:04:05+02', '{"a": 1}'::jsonb, array[1,2], 'x'::bytea, interval '1 day'),
  (null, 'NaN', 'Infinity', null, null, 'infinity', '0044-03-15 BC', null, null, null, null)
) AS v (n, d, f, ok, s, day, at, deep, list, raw, span)
"""


def test_columns_have_dtypes_of_their_postgres_types(database: Database) -> None:
    database.execute(TYPES)
    frame = read(database.config(table="kinds")).frame
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "n": "Int64",
        "d": "float64",
        "f": "float64",
        "ok": "boolean",
        "s": "str",
        "day": "datetime64[us]",
        "at": "datetime64[us]",
        "deep": "str",
        "list": "str",
        "raw": "str",
        "span": "str",
    }
    first = frame.iloc[0]
    assert (first["n"], first["d"], first["ok"], first["s"]) == (1, 1.5, True, "ä")
    assert str(first["at"]) == "2026-01-02 01:04:05"
    assert frame.iloc[1].isna().sum() == len(frame.columns) - 1  # infinity is a number
    assert str(read(database.config(table="t")).frame["id"].dtype) == "int64"


def test_preview_has_columns_and_first_rows(database: Database) -> None:
    database.execute(TYPES)
    seen = inspect_source(spec(database.config(table="kinds")), 1)
    json.dumps(seen, allow_nan=False)
    assert [(c["name"], c["dtype"], c["missing"]) for c in seen["columns"][:7]] == [
        ("n", "integer", 1),
        ("d", "number", 1),
        ("f", "number", 0),
        ("ok", "boolean", 1),
        ("s", "string", 1),
        ("day", "datetime", 0),
        ("at", "datetime", 0),
    ]
    assert seen["rows"][0]["n"] == 1
    assert (len(seen["rows"]), seen["total_rows"], seen["examined_rows"]) == (1, 2, 2)
    assert seen["suggestion"]["target"]


def test_large_table_is_read_in_batches_and_previewed_by_first_rows(database: Database) -> None:
    database.execute("CREATE TABLE many AS SELECT n, n::text AS s FROM generate_series(1, 70000) n")
    batches: list[int] = []
    loaded = reading.read(spec(database.config(table="many")), lambda: batches.append(1))
    assert (loaded.n_rows, loaded.frame["n"].sum()) == (70_000, 70_000 * 70_001 // 2)
    assert len(batches) > 3
    seen = inspect_source(spec(database.config(table="many")), 3)
    assert (seen["total_rows"], seen["examined_rows"]) == (None, 5_000)


def test_same_rows_have_same_digest(database: Database) -> None:
    first = read(database.config(table="t")).sha256
    assert read(database.config(table="t")).sha256 == first
    database.execute("UPDATE t SET x = 0 WHERE id = 7")
    assert read(database.config(table="t")).sha256 != first


@pytest.mark.parametrize("end", ["", ";", " ;  ", " -- why"])
def test_query_returns_its_rows(database: Database, end: str) -> None:
    query = f"SELECT id, x AS id, '100%s' AS s FROM t WHERE id % 2 = 0 ORDER BY 1{end}"
    frame = read(database.config(query=query)).frame
    assert (len(frame), list(frame.columns)) == (25, ["id", "id.1", "s"])
    assert frame["s"][0] == "100%s"


def test_table_name_cannot_inject_sql(database: Database) -> None:
    """Quotes, blanks, dots and statements in a name are parts of it."""
    odd = 'a "b".c; DROP TABLE t; --'
    quoted = odd.replace('"', '""')
    database.execute(f'CREATE SCHEMA "{quoted}"', f'CREATE TABLE "{quoted}"."{quoted}" (a int)')
    database.execute(f'INSERT INTO "{quoted}"."{quoted}" VALUES (1)')
    assert read(database.config(table=odd, schema=odd)).n_rows == 1
    for name in ('t"; DROP TABLE t; --', "t; DROP TABLE t", "public.t", "t WHERE true"):
        with pytest.raises(SourceUnreadable, match="does not exist"):
            read(database.config(table=name))
    assert database.count("t") == 50


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM t",
        "DELETE FROM t RETURNING *",
        "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
        "SELECT 1; DELETE FROM t",
        "SELECT 1; COMMIT; DELETE FROM t",
        "SELECT nextval('s')",
        "SELECT set_config('transaction_read_only', 'off', true), wipe()",
        "SELECT wipe()",
        "COMMIT",
        "DROP TABLE t",
        "SELECT 1) AS x; DROP TABLE t; --",
    ],
)
def test_query_cannot_change_data(database: Database, query: str) -> None:
    database.execute(
        "CREATE SEQUENCE s",
        "CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'DELETE FROM t; SELECT 1'",
    )
    with pytest.raises(SourceUnreadable):
        read(database.config(query=query))
    assert database.count("t") == 50


def test_query_is_rolled_back_so_that_nothing_is_notified(database: Database) -> None:
    import psycopg

    url = database.cluster.url(database.name, "postgresql")
    with psycopg.connect(url, autocommit=True) as listener:
        listener.execute("LISTEN pco")
        config = database.config(query="SELECT pg_notify('pco', 'read')::text AS x")
        read(config)
        inspect_source(spec(config), 5)
        listener.execute("NOTIFY pco, 'sent'")
        # in order: what the queries had sent would come first
        (first,) = listener.notifies(timeout=20, stop_after=1)
    assert first.payload == "sent"


def test_own_messages_are_not_redacted(database: Database) -> None:
    config = database.config(table="missing_table") | {"host": "localhost"}
    for password in ("missing", "table", "e"):  # a gap in the name would tell the password
        with (
            pytest.raises(SourceUnreadable) as refused,
            errors_redacted(spec(config | {"password": password})),
        ):
            raise SourceUnreadable("The table “missing_table” does not exist.")
        assert "“missing_table” does not exist" in refused.value.message


def test_secret_is_redacted_before_message_is_shortened() -> None:
    told = redacted_message(
        "x" * (MAX_MESSAGE_LENGTH - 4) + "s3cr3t-word", spec({"password": "s3cr3t-word"})
    )
    assert "s3cr" not in told


def test_table_over_a_cap_is_refused_with_advice(database: Database) -> None:
    assert read(database.config(table="t"), cap_rows=50).n_rows == 50
    with pytest.raises(SourceUnreadable, match="connector_cap_rows"):
        read(database.config(table="t"), cap_rows=49)
    with pytest.raises(SourceUnreadable, match="connector_cap_bytes") as refused:
        read(
            database.config(query="SELECT repeat('x', 1000000) FROM generate_series(1, 10000)"),
            cap_bytes=300_000_000,
        )
    assert refused.value.kind == "user"


def test_slow_statement_is_ended_at_time_limit(database: Database) -> None:
    with pytest.raises(SourceUnreadable, match="was not read within 1 s") as refused:
        read(database.config(query="SELECT pg_sleep(60)"), timeout_s=1.0)
    assert refused.value.kind == "timeout"


def test_query_cannot_change_its_time_limit(database: Database) -> None:
    slow = "SELECT set_config('statement_timeout', '0', true), pg_sleep(60)"
    with pytest.raises(SourceUnreadable, match="was not read within 1 s"):
        read(database.config(query=slow), timeout_s=1.0)


def test_connection_and_query_errors_say_what_to_check(database: Database) -> None:
    config = database.config(table="t")
    for change, why in (
        ({"password": "wrong-and-distinct"}, "Check database, user and password"),
        ({"password": None}, "requires a password"),
        ({"database": "nowhere"}, "“nowhere”.*does not exist"),
        ({"table": "missing"}, "“missing”.*does not exist"),
        ({"table": None, "query": "SELEC 1"}, "syntax error"),
        ({"table": "pg_authid"}, "cannot be read by “ada”"),
        ({"port": free_port()}, "cannot be connected to"),
        ({"host": "nowhere.invalid"}, "no address"),
        ({"sslmode": "require"}, "agree on TLS"),
        ({"table": None, "query": "SELECT 1/0"}, "division by zero"),
    ):
        with pytest.raises(SourceUnreadable, match=why) as refused:
            read({name: value for name, value in (config | change).items() if value is not None})
        assert database.cluster.password not in str(refused.value)
        assert "wrong-and-distinct" not in str(refused.value)
        assert refused.value.__suppress_context__


def test_password_in_server_message_is_redacted(database: Database) -> None:
    word = database.cluster.password
    with pytest.raises(SourceUnreadable, match="…") as refused:
        read(database.config(query=f"SELECT '{word}'::int"))
    assert word not in str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1"])
def test_private_address_is_refused_unless_allowed(database: Database, host: str) -> None:
    with pytest.raises(SourceUnreadable, match="connector_allow_private"):
        read(database.config(table="t") | {"host": host}, allow_private=False)


def test_host_name_is_resolved_once_and_connected_to(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that answers another address the second time is not asked a second time."""
    answers: list[str] = []

    def rebinding(host: str, port: int, **_: Any) -> list[Any]:
        answers.append(host)
        address = "127.0.0.1" if len(answers) == 1 else "203.0.113.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    config = database.config(table="t") | {"host": "rebinding.example.org"}
    assert read(config).n_rows == 50
    assert answers == ["rebinding.example.org"]


def test_credentials_of_server_user_are_not_used(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", database.cluster.password)
    config = database.config(table="t")
    del config["password"]
    with pytest.raises(SourceUnreadable, match="requires a password"):
        read(config)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Listen on a port, accept connections and never respond."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        held: list[socket.socket] = []

        def hold() -> None:
            while True:
                try:
                    held.append(listener.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=hold, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        for line in held:
            line.close()


def test_silent_server_is_given_up_in_time(database: Database, silent_port: int) -> None:
    config = database.config(table="t") | {"port": silent_port}
    with pytest.raises(SourceUnreadable, match="does not respond"):
        read(config, timeout_s=2.0)


def test_missing_extra_is_named(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SourceUnreadable, match=r"jupyter-pycaret-ops\[postgres\]"):
        read(database.config(table="t"))


def test_batches_stay_near_their_size_limit(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of 1 MiB, first of all: a batch is kept in memory, so its size in bytes is limited."""
    database.execute(
        "CREATE TABLE wide AS SELECT repeat(chr(65 + n), 1 << 20) AS x FROM generate_series(1, 40) n",
        "CREATE TABLE late AS SELECT 'short' AS x FROM generate_series(1, 5000)",
        "INSERT INTO late SELECT repeat('x', 1 << 18) FROM generate_series(1, 100)",
    )
    batches: list[int] = []
    fetch = RowReader.fetch

    def recording_fetch(self: RowReader) -> list[tuple[str | None, ...]]:
        before = self.n_bytes
        batch = fetch(self)
        batches.append(self.n_bytes - before)
        return batch

    monkeypatch.setattr(RowReader, "fetch", recording_fetch)
    assert read(database.config(table="wide")).n_rows == 40
    assert max(batches) <= 2 * BATCH_BYTES
    assert batches[0] < 2 << 20, "the first batch is one row"
    batches.clear()
    assert read(database.config(table="late")).n_rows == 5_100
    assert max(batches) <= 4 * BATCH_BYTES
