"""Read tables and queries in PostgreSQL: one read-only transaction, one server-side cursor, in batches.

Values are fetched as the server's texts and converted here, so that values without a Python type (dates
before Christ, infinite timestamps) are no error, and size and digest are those of the data sent.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_pycaret_ops.common.protocol import JSON, DataSpec
from jupyter_pycaret_ops.common.tables.csv_scan import column_names
from jupyter_pycaret_ops.common.tables.preview import EXAMINED_ROWS, preview_rows

from .addresses import resolve
from .interfaces import LoadedTable, SourceUnreadable, too_many_bytes, too_many_rows, too_slow
from .redaction import redacted_message
from .values import plain_value

if TYPE_CHECKING:
    import psycopg

CONNECT_S = 10
DEFAULT_PORT = 5432
#: rows of a batch: the first has one row, whose size is unknown; each next one grows by the sizes seen
MAX_BATCH_ROWS, BATCH_GROWTH = 2_000, 8
BATCH_BYTES = 8 << 20
#: type OIDs of PostgreSQL → column type
_DTYPES = {
    **dict.fromkeys((20, 21, 23, 26), "integer"),
    **dict.fromkeys((700, 701, 1700), "number"),
    16: "boolean",
    **dict.fromkeys((1082, 1114, 1184), "datetime"),
}
#: a path that cannot exist, so that no file of the server's user is read
_NO_FILE = f"{os.devnull}/none"


def read(spec: DataSpec, checkpoint: Callable[[], None]) -> LoadedTable:
    """Read all rows of the table or the query.

    Raises
    ------
    SourceUnreadable
        When it cannot be reached or read, or exceeds a limit.
    """
    import pandas as pd

    limits = spec.limits
    with opened(spec) as source:
        batches: list[Any] = []
        while batch := source.fetch():
            if source.n_rows > limits.cap_rows:
                raise too_many_rows(source.name, limits.cap_rows)
            if source.n_bytes > limits.cap_bytes:
                raise too_many_bytes(source.name, limits.cap_bytes)
            batches.append(_frame(source.columns, batch))
            checkpoint()
    frame = pd.concat(batches, ignore_index=True) if batches else _frame(source.columns, [])
    return LoadedTable(_without_nullable_dtypes(frame), source.digest.hexdigest(), len(frame))


def preview(spec: DataSpec, rows: int) -> JSON:
    """Return the preview of the table or the query with its first `rows` rows.

    Raises
    ------
    SourceUnreadable
        When it cannot be reached or read.
    """
    n_examined = max(rows, EXAMINED_ROWS)
    with opened(spec) as source:
        texts: list[tuple[str | None, ...]] = []
        ended = False
        while len(texts) < n_examined and source.n_bytes < BATCH_BYTES and not ended:
            batch = source.fetch()
            texts += batch
            ended = not batch
    values = [
        tuple(
            _json_value(text, column["dtype"])
            for text, column in zip(row, source.columns, strict=True)
        )
        for row in texts[:n_examined]
    ]
    total = len(texts) if ended and len(texts) <= n_examined else None
    return {**preview_rows(source.columns, values, rows, total), "size_bytes": None}


class RowReader:
    """Reads rows from a server-side cursor, and counts and digests them."""

    def __init__(self, name: str, cursor: Any) -> None:
        self.name = name
        self._cursor = cursor
        description = cursor.description or ()
        names = column_names(str(column.name) for column in description)
        self.columns = [
            {"name": name, "dtype": _DTYPES.get(column.type_code, "string")}
            for name, column in zip(names, description, strict=True)
        ]
        self.n_rows = 0
        self.n_bytes = 0
        self.digest = hashlib.sha256(repr(self.columns).encode())
        self._batch_rows = 1
        self._largest_row_bytes = 1

    def fetch(self) -> list[tuple[str | None, ...]]:
        """Return the next rows as texts, of shape (n_rows, n_columns); an empty list at the end."""
        batch: list[tuple[str | None, ...]] = self._cursor.fetchmany(self._batch_rows)
        n_bytes = 0
        for row in batch:
            content = repr(row).encode()
            n_bytes += len(content)
            self._largest_row_bytes = max(self._largest_row_bytes, len(content))
            self.digest.update(content)
        self.n_rows += len(batch)
        self.n_bytes += n_bytes
        # a batch is held in memory, so its size is limited in bytes, estimated by the largest row so far
        self._batch_rows = min(
            MAX_BATCH_ROWS,
            BATCH_GROWTH * self._batch_rows,
            max(1, BATCH_BYTES // self._largest_row_bytes),
        )
        return batch


def source_name(spec: DataSpec) -> str:
    """Return the name of the source for messages."""
    options = spec.options
    if options.get("query"):
        return f"The query on database “{options['database']}”"
    name = ".".join(filter(None, (options.get("schema"), options["table"])))
    return f"The table “{name}” in database “{options['database']}”"


@contextlib.contextmanager
def opened(spec: DataSpec) -> Iterator[RowReader]:
    """Open a read-only transaction within the time limit of the source, and yield its reader.

    Raises
    ------
    SourceUnreadable
        When the server cannot be reached, or refuses the login or the query.
    """
    try:
        import psycopg
    except ImportError:
        raise SourceUnreadable(
            "PostgreSQL sources need psycopg in the worker kernel's environment: "
            "pip install 'jupyter-pycaret-ops[postgres]'."
        ) from None
    deadline = time.monotonic() + spec.limits.timeout_s
    with _connect(spec) as connection, _closed_at(connection, deadline):
        try:
            connection.read_only = True
            _prepare(connection, deadline)
            with connection.cursor(name="pycaret_ops") as cursor:
                cursor.execute(_query(spec))
                yield RowReader(source_name(spec), cursor)
            # side effects of a query (NOTIFY) would be sent at a commit: roll back instead
            connection.rollback()
        except psycopg.errors.QueryCanceled:
            raise too_slow(source_name(spec), spec.limits.timeout_s) from None
        except psycopg.Error as error:
            if time.monotonic() >= deadline:
                raise too_slow(source_name(spec), spec.limits.timeout_s) from None
            raise SourceUnreadable(_read_error(spec, error)) from None


def _connect(spec: DataSpec) -> psycopg.Connection[tuple[Any, ...]]:
    import psycopg

    options = spec.options
    host, port = str(options["host"]), int(options.get("port") or DEFAULT_PORT)
    address = resolve(host, port, allow_private=spec.limits.allow_private)
    try:
        return psycopg.connect(
            host=host,
            hostaddr=address,
            port=port,
            dbname=options["database"],
            user=options["user"],
            # always given, so that libpq does not search files and environment variables
            password=options.get("password") or "",
            passfile=_NO_FILE,
            sslcert=_NO_FILE,
            gssencmode="disable",
            connect_timeout=max(2, min(CONNECT_S, int(spec.limits.timeout_s))),
            application_name="jupyter-pycaret-ops",
            client_encoding="UTF8",
            **_tls(options.get("sslmode")),
        )
    except psycopg.Error as error:
        raise SourceUnreadable(_connection_error(spec, host, port, str(error))) from None


def _tls(mode: str | None) -> dict[str, Any]:
    if mode is None:
        return {}
    own_roots = (Path.home() / ".postgresql" / "root.crt").exists()
    return {"sslmode": mode} | (
        {"sslrootcert": "system"} if mode == "verify-full" and not own_roots else {}
    )


def _connection_error(spec: DataSpec, host: str, port: int, text: str) -> str:
    """Return a message for an error of libpq; only the server's own part of it is repeated."""
    server = f"PostgreSQL at {host}, port {port}"
    if "FATAL:" in text:
        reason = redacted_message(text.split("FATAL:", 1)[1], spec)
        return (
            f"{server} does not let “{spec.options['user']}” into database "
            f"“{spec.options['database']}”: {reason}. Check database, user and password."
        )
    if "no password supplied" in text:
        return f"{server} requires a password. Register the source with one."
    if "timeout" in text:
        return f"{server} does not respond. Check host and port, and whether this machine may reach it."
    if "SSL" in text or "certificate" in text:
        return f"{server} and the source do not agree on TLS. Check sslmode and the certificate."
    return (
        f"{server} cannot be connected to. Check host and port, and whether this machine may "
        "reach it."
    )


def _prepare(connection: psycopg.Connection[tuple[Any, ...]], deadline: float) -> None:
    """Configure this transaction, by statements: connection poolers refuse start-up parameters."""
    from psycopg.types.string import TextLoader

    left_ms = max(1, int((deadline - time.monotonic()) * 1000))
    for name, value in (
        ("statement_timeout", str(left_ms)),
        ("DateStyle", "ISO"),
        ("TimeZone", "UTC"),
        # reading a large table again gives the rows in the same order
        ("synchronize_seqscans", "off"),
    ):
        connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
    adapters = connection.adapters
    for kind in list(adapters.types):
        adapters.register_loader(kind.oid, TextLoader)
        if kind.array_oid:
            adapters.register_loader(kind.array_oid, TextLoader)


def _query(spec: DataSpec) -> Any:
    """Return the query. It is executed in DECLARE CURSOR, by a protocol that allows one statement only."""
    from psycopg import sql

    options = spec.options
    if options.get("query"):
        return str(options["query"]).rstrip().rstrip(";").encode()
    name = [part for part in (options.get("schema"), options["table"]) if part]
    return sql.SQL("SELECT * FROM {}").format(sql.Identifier(*name))


def _read_error(spec: DataSpec, error: psycopg.Error) -> str:
    import psycopg

    name = source_name(spec)
    if isinstance(error, psycopg.errors.UndefinedTable) and not spec.options.get("query"):
        return f"{name} does not exist. Check table and schema."
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return f"{name} cannot be read by “{spec.options['user']}”. Ask for the SELECT privilege."
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return f"{name} would change data. Register a query that only selects."
    if error.diag.message_primary:
        return f"{name} cannot be read: {redacted_message(error.diag.message_primary, spec)}."
    return f"{name} cannot be read: the connection was lost. Try again."


@contextlib.contextmanager
def _closed_at(connection: psycopg.Connection[tuple[Any, ...]], deadline: float) -> Iterator[None]:
    """Close the connection at the deadline: a server that stops responding ignores its own timeout."""

    def shut_down() -> None:
        with contextlib.suppress(Exception):
            duplicate = socket.socket(fileno=os.dup(connection.fileno()))
            with duplicate:
                duplicate.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, deadline - time.monotonic()) + 1.0, shut_down)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _frame(columns: list[dict[str, str]], rows: list[tuple[str | None, ...]]) -> Any:
    import pandas as pd

    texts = zip(*rows, strict=True) if rows else [()] * len(columns)
    arrays = [
        _column(list(values), column["dtype"])
        for values, column in zip(texts, columns, strict=True)
    ]
    return pd.DataFrame(dict(enumerate(arrays))).set_axis(
        [column["name"] for column in columns], axis=1
    )


def _column(texts: list[str | None], dtype: str) -> Any:
    import pandas as pd

    if dtype == "integer":
        return pd.array([None if t is None else int(t) for t in texts], dtype="Int64")
    if dtype == "number":
        return pd.array([float("nan") if t is None else float(t) for t in texts], dtype="float64")
    if dtype == "boolean":
        return pd.array([None if t is None else t == "t" for t in texts], dtype="boolean")
    if dtype == "datetime":
        # timestamps that pandas cannot represent (infinity, before Christ) become missing
        parsed = pd.to_datetime(
            pd.Series(texts, dtype="str"), format="ISO8601", errors="coerce", utc=True
        )
        return parsed.dt.tz_localize(None)
    return pd.array(texts, dtype="str")


def _without_nullable_dtypes(frame: Any) -> Any:
    """Return `frame` with numpy dtypes for columns without missing values, as read from a CSV."""
    plain = {"Int64": "int64", "boolean": "bool"}
    dtypes = {
        name: plain[str(dtype)]
        for name, dtype in frame.dtypes.items()
        if str(dtype) in plain and not frame[name].isna().any()
    }
    return frame.astype(dtypes)


def _json_value(text: str | None, dtype: str) -> Any:
    if text is None:
        return None
    if dtype == "integer":
        return int(text)
    if dtype == "number":
        return plain_value(float(text))
    if dtype == "boolean":
        return text == "t"
    return plain_value(text)
