"""Files with a table in them: looked at with the same eyes as uploads, then made a frame."""

from __future__ import annotations

import io
from typing import Any, BinaryIO, cast

from jupyter_pycaret_ops.common.errors import Invalid
from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.tables import parquet
from jupyter_pycaret_ops.common.tables.csv_scan import SAMPLE_BYTES, CsvScan, count_records
from jupyter_pycaret_ops.common.tables.preview import examined_rows, preview_csv, preview_rows

from .interfaces import SourceUnreadable, too_many_rows
from .values import plain_value

PIECE = 1 << 20


def frame(content: bytes, form: str, what: str, cap_rows: int | None) -> Any:
    """The frame in a whole file.

    Raises
    ------
    SourceUnreadable
        When it is no table or has too many rows.
    """
    try:
        if form == "parquet":
            return _parquet_frame(content, what, cap_rows)
        return _csv_frame(content, what, cap_rows)
    except Invalid as error:
        raise SourceUnreadable(f"{what} is no table. {error.message}") from None
    except (ValueError, UnicodeError) as error:
        raise SourceUnreadable(f"{what} cannot be read as a table: {error}") from None


def _parquet_frame(content: bytes, what: str, cap_rows: int | None) -> Any:
    file = parquet.open_file(cast("BinaryIO", io.BytesIO(content)))
    columns = parquet.columns_of(file)
    if cap_rows is not None and file.metadata.num_rows > cap_rows:
        raise too_many_rows(what, cap_rows)
    table = file.read(columns=parquet.used_columns(file), use_threads=False)
    # what pandas noted of its index is no part of the table
    return table.to_pandas(ignore_metadata=True).set_axis([c["name"] for c in columns], axis=1)


def _csv_frame(content: bytes, what: str, cap_rows: int | None) -> Any:
    import pandas as pd

    facts = _scanned(content)
    rows = facts.rows
    if facts.recount:
        rows = count_records(io.BytesIO(content), facts.encoding, facts.delimiter)
    if cap_rows is not None and rows > cap_rows:
        raise too_many_rows(what, cap_rows)
    return pd.read_csv(
        io.BytesIO(content), encoding=facts.encoding, sep=facts.delimiter, low_memory=False
    )


def _scanned(content: bytes) -> Any:
    scan = CsvScan()
    for start in range(0, len(content), PIECE):
        scan.feed(content[start : start + PIECE])
    return scan.facts()


def look(stream: Any, size: int, form: str, what: str, rows: int) -> JSON:
    """The preview of a file that can be read by ranges.

    Raises
    ------
    SourceUnreadable
        When it is no table.
    """
    try:
        if form == "parquet":
            return _parquet_look(stream, rows)
        return _csv_look(stream, size, rows)
    except Invalid as error:
        raise SourceUnreadable(f"{what} is no table. {error.message}") from None
    except (ValueError, UnicodeError) as error:
        raise SourceUnreadable(f"{what} cannot be read as a table: {error}") from None


def _parquet_look(stream: Any, rows: int) -> JSON:
    file = parquet.open_file(stream)
    columns = parquet.columns_of(file)
    wanted = examined_rows(rows, len(columns))
    examined: list[tuple[Any, ...]] = []
    for batch in file.iter_batches(
        batch_size=wanted, columns=parquet.used_columns(file), use_threads=False
    ):
        examined += zip(*([plain_value(v) for v in c.to_pylist()] for c in batch), strict=True)
        if len(examined) >= wanted:
            break
    return preview_rows(columns, examined[:wanted], rows, int(file.metadata.num_rows))


def _csv_look(stream: Any, size: int, rows: int) -> JSON:
    head = stream.read(SAMPLE_BYTES)
    if len(head) < size:
        head = head[: head.rfind(b"\n") + 1] or head  # the last line was cut
    facts = _scanned(head)
    seen = preview_csv(
        cast("BinaryIO", io.BytesIO(head)),
        {
            "encoding": facts.encoding,
            "delimiter": facts.delimiter,
            "columns": facts.columns,
            "rows": facts.rows,
        },
        rows,
    )
    if len(head) < size:
        seen["total_rows"] = None  # nobody has counted them
    return seen
