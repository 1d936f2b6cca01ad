"""Tables and queries in PostgreSQL: one read-only transaction, one cursor on the server, piece by piece.

Values come as the server's own texts and are turned into columns here, so that what Python has no type for
(dates before Christ, infinite timestamps) is no error, and size and digest are those of what was sent.
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
from .interfaces import Loaded, SourceUnreadable, too_many_bytes, too_many_rows, too_slow
from .redaction import said
from .values import plain_value

if TYPE_CHECKING:
    import psycopg

CONNECT_S = 10
DEFAULT_PORT = 5432
#: rows of a piece: the first is one row, for nobody knows how long it is, and each grows by what was seen
LARGEST_PIECE, GROWTH = 2_000, 8
PIECE_BYTES = 8 << 20
#: numbers of PostgreSQL's types
_DTYPES = {
    **dict.fromkeys((20, 21, 23, 26), "integer"),
    **dict.fromkeys((700, 701, 1700), "number"),
    16: "boolean",
    **dict.fromkeys((1082, 1114, 1184), "datetime"),
}
#: a path where nothing can be, so that no file of the server's user is used
_NOWHERE = f"{os.devnull}/none"


def read(spec: DataSpec, checkpoint: Callable[[], None]) -> Loaded:
    """All rows of the table or the query.

    Raises
    ------
    SourceUnreadable
        When it cannot be reached or read, or is beyond the limits.
    """
    import pandas as pd

    limits = spec.limits
    with opened(spec) as source:
        pieces: list[Any] = []
        while piece := source.fetch():
            if source.rows > limits.cap_rows:
                raise too_many_rows(source.what, limits.cap_rows)
            if source.size > limits.cap_bytes:
                raise too_many_bytes(source.what, limits.cap_bytes)
            pieces.append(_frame(source.columns, piece))
            checkpoint()
    frame = pd.concat(pieces, ignore_index=True) if pieces else _frame(source.columns, [])
    return Loaded(_settled(frame), source.digest.hexdigest(), len(frame))


def look(spec: DataSpec, rows: int) -> JSON:
    """A preview of it.

    Raises
    ------
    SourceUnreadable
        When it cannot be reached or read.
    """
    wanted = max(rows, EXAMINED_ROWS)
    with opened(spec) as source:
        texts: list[tuple[str | None, ...]] = []
        ended = False
        while len(texts) < wanted and source.size < PIECE_BYTES and not ended:
            piece = source.fetch()
            texts += piece
            ended = not piece
    values = [
        tuple(
            _json_value(text, column["dtype"])
            for text, column in zip(row, source.columns, strict=True)
        )
        for row in texts[:wanted]
    ]
    total = len(texts) if ended and len(texts) <= wanted else None
    return {**preview_rows(source.columns, values, rows, total), "size_bytes": None}


class Rows:
    """The rows of a source, from a cursor on the server."""

    def __init__(self, what: str, cursor: Any) -> None:
        self.what = what
        self._cursor = cursor
        description = cursor.description or ()
        names = column_names(str(column.name) for column in description)
        self.columns = [
            {"name": name, "dtype": _DTYPES.get(column.type_code, "string")}
            for name, column in zip(names, description, strict=True)
        ]
        self.rows = 0
        self.size = 0
        self.digest = hashlib.sha256(repr(self.columns).encode())
        self._next = 1
        self._longest = 1

    def fetch(self) -> list[tuple[str | None, ...]]:
        """The next rows as texts; none at the end."""
        piece: list[tuple[str | None, ...]] = self._cursor.fetchmany(self._next)
        size = 0
        for row in piece:
            line = repr(row).encode()
            size += len(line)
            self._longest = max(self._longest, len(line))
            self.digest.update(line)
        self.rows += len(piece)
        self.size += size
        # a piece is held as a whole, so it is bounded by its bytes, as far as they can be foreseen
        self._next = min(LARGEST_PIECE, GROWTH * self._next, max(1, PIECE_BYTES // self._longest))
        return piece


def what(spec: DataSpec) -> str:
    """The source's name for people."""
    options = spec.options
    if options.get("query"):
        return f"The query on database “{options['database']}”"
    name = ".".join(filter(None, (options.get("schema"), options["table"])))
    return f"The table “{name}” in database “{options['database']}”"


@contextlib.contextmanager
def opened(spec: DataSpec) -> Iterator[Rows]:
    """The source's rows, in a transaction that can change nothing, within the source's time.

    Raises
    ------
    SourceUnreadable
        When the server cannot be reached, lets nobody in, or refuses the query.
    """
    try:
        import psycopg
    except ImportError:
        raise SourceUnreadable(
            "PostgreSQL sources need psycopg in the worker kernel's environment: "
            "pip install 'jupyter-pycaret-ops[postgres]'."
        ) from None
    deadline = time.monotonic() + spec.limits.timeout_s
    with _connected(spec) as connection, _cut_at(connection, deadline):
        try:
            connection.read_only = True
            _prepare(connection, deadline)
            with connection.cursor(name="pycaret_ops") as cursor:
                cursor.execute(_query(spec))
                yield Rows(what(spec), cursor)
            # what a query has set going (NOTIFY) is sent at the commit: there is none
            connection.rollback()
        except psycopg.errors.QueryCanceled:
            raise too_slow(what(spec), spec.limits.timeout_s) from None
        except psycopg.Error as error:
            if time.monotonic() >= deadline:
                raise too_slow(what(spec), spec.limits.timeout_s) from None
            raise SourceUnreadable(_refusal(spec, error)) from None


def _connected(spec: DataSpec) -> psycopg.Connection[tuple[Any, ...]]:
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
            # given in any case, so that none is looked for in files and environment variables
            password=options.get("password") or "",
            passfile=_NOWHERE,
            sslcert=_NOWHERE,
            gssencmode="disable",
            connect_timeout=max(2, min(CONNECT_S, int(spec.limits.timeout_s))),
            application_name="jupyter-pycaret-ops",
            client_encoding="UTF8",
            **_tls(options.get("sslmode")),
        )
    except psycopg.Error as error:
        raise SourceUnreadable(_why_not_connected(spec, host, port, str(error))) from None


def _tls(mode: str | None) -> dict[str, Any]:
    if mode is None:
        return {}
    own_roots = (Path.home() / ".postgresql" / "root.crt").exists()
    return {"sslmode": mode} | (
        {"sslrootcert": "system"} if mode == "verify-full" and not own_roots else {}
    )


def _why_not_connected(spec: DataSpec, host: str, port: int, text: str) -> str:
    """A sentence for libpq's words, of which only what the server itself said is repeated."""
    where = f"PostgreSQL at {host}, port {port}"
    if "FATAL:" in text:
        answer = said(text.split("FATAL:", 1)[1], spec)
        return (
            f"{where} does not let “{spec.options['user']}” into database "
            f"“{spec.options['database']}”: {answer}. Check database, user and password."
        )
    if "no password supplied" in text:
        return f"{where} asks for a password. Register the source with one."
    if "timeout" in text:
        return (
            f"{where} does not answer. Check host and port, and whether this machine may reach it."
        )
    if "SSL" in text or "certificate" in text:
        return f"{where} and the source do not agree on TLS. Check sslmode and the certificate."
    return (
        f"{where} cannot be connected to. Check host and port, and whether this machine may "
        "reach it."
    )


def _prepare(connection: psycopg.Connection[tuple[Any, ...]], deadline: float) -> None:
    """Settings of this transaction alone, sent as statements, for poolers refuse them at connecting."""
    from psycopg.types.string import TextLoader

    left_ms = max(1, int((deadline - time.monotonic()) * 1000))
    for name, value in (
        ("statement_timeout", str(left_ms)),
        ("DateStyle", "ISO"),
        ("TimeZone", "UTC"),
        # a second look at a large table sees its rows in the same order
        ("synchronize_seqscans", "off"),
    ):
        connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
    adapters = connection.adapters
    for kind in list(adapters.types):
        adapters.register_loader(kind.oid, TextLoader)
        if kind.array_oid:
            adapters.register_loader(kind.array_oid, TextLoader)


def _query(spec: DataSpec) -> Any:
    """The statement. It runs within DECLARE CURSOR, by a protocol that takes one statement only."""
    from psycopg import sql

    options = spec.options
    if options.get("query"):
        return str(options["query"]).rstrip().rstrip(";").encode()
    name = [part for part in (options.get("schema"), options["table"]) if part]
    return sql.SQL("SELECT * FROM {}").format(sql.Identifier(*name))


def _refusal(spec: DataSpec, error: psycopg.Error) -> str:
    import psycopg

    name = what(spec)
    if isinstance(error, psycopg.errors.UndefinedTable) and not spec.options.get("query"):
        return f"{name} does not exist. Check table and schema."
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return f"{name} may not be read by “{spec.options['user']}”. Ask for the right to SELECT."
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return f"{name} would change data, and sources are only read. Register one that selects."
    if error.diag.message_primary:
        return f"{name} cannot be read: {said(error.diag.message_primary, spec)}."
    return f"{name} cannot be read: the connection was lost. Try again."


@contextlib.contextmanager
def _cut_at(connection: psycopg.Connection[tuple[Any, ...]], deadline: float) -> Iterator[None]:
    """Cut the line when the time is up: a server that falls silent heeds no timeout of its own."""

    def cut() -> None:
        with contextlib.suppress(Exception):
            twin = socket.socket(fileno=os.dup(connection.fileno()))
            with twin:
                twin.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, deadline - time.monotonic()) + 1.0, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _frame(columns: list[dict[str, str]], rows: list[tuple[str | None, ...]]) -> Any:
    import pandas as pd

    texts = zip(*rows, strict=True) if rows else [()] * len(columns)
    made = [
        _column(list(values), column["dtype"])
        for values, column in zip(texts, columns, strict=True)
    ]
    return pd.DataFrame(dict(enumerate(made))).set_axis(
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
        # what no timestamp of pandas can hold (infinity, before Christ) is missing
        read = pd.to_datetime(
            pd.Series(texts, dtype="str"), format="ISO8601", errors="coerce", utc=True
        )
        return read.dt.tz_localize(None)
    return pd.array(texts, dtype="str")


def _settled(frame: Any) -> Any:
    """Plain types for columns without a gap, as they come from a CSV."""
    plain = {"Int64": "int64", "boolean": "bool"}
    kinds = {
        name: plain[str(kind)]
        for name, kind in frame.dtypes.items()
        if str(kind) in plain and not frame[name].isna().any()
    }
    return frame.astype(kinds)


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
