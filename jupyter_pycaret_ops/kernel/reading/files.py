"""Read CSV and Parquet files as uploads are read, as a DataFrame or a preview."""

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

CHUNK_BYTES = 1 << 20


def read_frame(content: bytes, file_format: str, source: str, cap_rows: int | None) -> Any:
    """Return the DataFrame of a complete file, shape (n_rows, n_columns).

    `file_format` is `csv` or `parquet`; `source` names the file in messages.

    Raises
    ------
    SourceUnreadable
        When it is not a table, or has more than `cap_rows` rows.
    """
    try:
        if file_format == "parquet":
            return _parquet_frame(content, source, cap_rows)
        return _csv_frame(content, source, cap_rows)
    except Invalid as error:
        raise SourceUnreadable(f"{source} is not a table. {error.message}") from None
    except (ValueError, UnicodeError) as error:
        raise SourceUnreadable(f"{source} cannot be read as a table: {error}") from None


def _parquet_frame(content: bytes, source: str, cap_rows: int | None) -> Any:
    file = parquet.open_file(cast("BinaryIO", io.BytesIO(content)))
    columns = parquet.columns_of(file)
    if cap_rows is not None and file.metadata.num_rows > cap_rows:
        raise too_many_rows(source, cap_rows)
    table = file.read(columns=parquet.used_columns(file), use_threads=False)
    # the index that pandas stored is not part of the table
    return table.to_pandas(ignore_metadata=True).set_axis([c["name"] for c in columns], axis=1)


def _csv_frame(content: bytes, source: str, cap_rows: int | None) -> Any:
    import pandas as pd

    facts = _scan(content)
    n_rows = facts.rows
    if facts.recount:
        n_rows = count_records(io.BytesIO(content), facts.encoding, facts.delimiter)
    if cap_rows is not None and n_rows > cap_rows:
        raise too_many_rows(source, cap_rows)
    return pd.read_csv(
        io.BytesIO(content), encoding=facts.encoding, sep=facts.delimiter, low_memory=False
    )


def _scan(content: bytes) -> Any:
    scan = CsvScan()
    for start in range(0, len(content), CHUNK_BYTES):
        scan.feed(content[start : start + CHUNK_BYTES])
    return scan.facts()


def preview(stream: Any, size: int, file_format: str, source: str, rows: int) -> JSON:
    """Return the preview of a file that can be read by ranges.

    Raises
    ------
    SourceUnreadable
        When it is not a table.
    """
    try:
        if file_format == "parquet":
            return _parquet_preview(stream, rows)
        return _csv_preview(stream, size, rows)
    except Invalid as error:
        raise SourceUnreadable(f"{source} is not a table. {error.message}") from None
    except (ValueError, UnicodeError) as error:
        raise SourceUnreadable(f"{source} cannot be read as a table: {error}") from None


def _parquet_preview(stream: Any, rows: int) -> JSON:
    file = parquet.open_file(stream)
    columns = parquet.columns_of(file)
    n_examined = examined_rows(rows, len(columns))
    examined: list[tuple[Any, ...]] = []
    for batch in file.iter_batches(
        batch_size=n_examined, columns=parquet.used_columns(file), use_threads=False
    ):
        examined += zip(*([plain_value(v) for v in c.to_pylist()] for c in batch), strict=True)
        if len(examined) >= n_examined:
            break
    return preview_rows(columns, examined[:n_examined], rows, int(file.metadata.num_rows))


def _csv_preview(stream: Any, size: int, rows: int) -> JSON:
    head = stream.read(SAMPLE_BYTES)
    if len(head) < size:
        head = head[: head.rfind(b"\n") + 1] or head  # the last line is incomplete
    facts = _scan(head)
    result = preview_csv(
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
        result["total_rows"] = None  # not counted
    return result
