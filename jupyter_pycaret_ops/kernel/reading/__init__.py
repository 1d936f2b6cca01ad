"""Read data sources in a kernel. No other module connects to addresses that users name.

`read` returns the DataFrame of a run, `inspect_json` a preview for the server. Secrets arrive in the
`DataSpec` and are never part of a message.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from jupyter_pycaret_ops.common.protocol import JSON, DataSpec

from .content import Content
from .interfaces import LoadedTable, SourceUnreadable

__all__ = [
    "CONNECTORS",
    "Content",
    "LoadedTable",
    "SourceUnreadable",
    "delimited_frame",
    "inspect_json",
    "parquet_frame",
    "read",
]

CONNECTORS = ("s3", "postgres")


def read(spec: DataSpec, checkpoint: Callable[[], None]) -> LoadedTable:
    """Read the whole table of a connector; `checkpoint` is called between batches and may raise.

    Raises
    ------
    SourceUnreadable
        When it cannot be reached or read, or exceeds a limit; the message says what to change.
    """
    from . import postgres, s3
    from .redaction import errors_redacted

    with errors_redacted(spec):
        return s3.read(spec, checkpoint) if spec.kind == "s3" else postgres.read(spec, checkpoint)


def parquet_frame(content: Content) -> Any:
    """Return the DataFrame of an uploaded Parquet file, shape (n_rows, n_columns).

    Raises
    ------
    SourceUnreadable
        When it is damaged, or pyarrow is missing in this kernel's environment.
    """
    from . import files

    return files.read_table(content, "parquet", "The file", None)[0]


def workbook_frame(content: Content, dialect: JSON, names: list[str]) -> Any:
    """Return the DataFrame of an uploaded workbook, shape (n_rows, n_columns).

    Raises
    ------
    SourceUnreadable
        When it is not the workbook that was uploaded, or python-calamine is missing in this kernel's environment.
    """
    from . import files

    return files.read_workbook(content, dialect, names)


def delimited_frame(content: Content, dialect: JSON, names: list[str]) -> Any:
    """Return the DataFrame of an uploaded text file, shape (n_rows, n_columns).

    A file on disk is read some rows at a time. `dialect` and `names` are those that were stored with the upload.

    Raises
    ------
    ValueError, UnicodeError
        When it is not the file that was uploaded.
    """
    from jupyter_pycaret_ops.common.tables.dialect import Dialect

    from . import files

    return files.read_delimited(content, Dialect.from_json(dialect), names)


def inspect_json(message: str) -> str:
    """Return a preview as ASCII JSON, or `{"error", "error_kind"}`; never raises.

    `message` is `{"data": DataSpec, "rows": number of rows}`; the option of an upload is its `path`.
    """

    def inspect() -> str:
        from .inspection import inspect_source

        # in its own thread, because the main thread of the kernel has a running event loop
        request = json.loads(message)
        try:
            result = inspect_source(DataSpec.parse(request["data"]), request["rows"])
        except SourceUnreadable as error:
            result = {"error": error.message, "error_kind": error.kind}
        return json.dumps(result, allow_nan=False)

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(inspect).result()
