"""Read CSV and Parquet files as uploads are read, as a DataFrame or a preview."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, BinaryIO, TextIO, cast

from jupyter_pycaret_ops.common.errors import Invalid
from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.tables import parquet, workbook
from jupyter_pycaret_ops.common.tables.csv_scan import SAMPLE_BYTES, CsvFacts, CsvScan
from jupyter_pycaret_ops.common.tables.dialect import Dialect, count_rows
from jupyter_pycaret_ops.common.tables.encoding import is_utf16
from jupyter_pycaret_ops.common.tables.number_columns import decimal_of_file
from jupyter_pycaret_ops.common.tables.preview import examined_rows, preview_csv, preview_rows
from jupyter_pycaret_ops.common.tables.sample_types import typed_columns

from .codes import with_codes
from .content import Content, open_content
from .csv_parts import read_csv_in_parts
from .interfaces import SourceUnreadable, too_many_rows
from .values import plain_value

CHUNK_BYTES = 1 << 20


def read_table(
    content: Content,
    file_format: str,
    source: str,
    cap_rows: int | None,
    given: JSON | None = None,
) -> tuple[Any, JSON | None]:
    """Return the DataFrame of a complete file, shape (n_rows, n_columns), and of a text file its dialect.

    `file_format` is `csv` or `parquet`; `source` names the file in messages; `given` has the fields of the dialect that
    a person gave.

    Raises
    ------
    SourceUnreadable
        When it is not a table, or has more than `cap_rows` rows.
    """
    try:
        if file_format == "parquet":
            return _parquet_frame(content, source, cap_rows), None
        return _csv_frame(content, source, cap_rows, given)
    except Invalid as error:
        raise SourceUnreadable(f"{source} is not a table. {error.message}") from None
    except (ValueError, UnicodeError) as error:
        raise SourceUnreadable(f"{source} cannot be read as a table: {error}") from None


def _parquet_frame(content: Content, source: str, cap_rows: int | None) -> Any:
    with open_content(content) as stream:
        file = parquet.open_file(stream)
        columns = parquet.columns_of(file)
        if cap_rows is not None and file.metadata.num_rows > cap_rows:
            raise too_many_rows(source, cap_rows)
        try:
            table = file.read(columns=parquet.used_columns(file), use_threads=False)
        except OSError as error:  # of Arrow, for values that are not what the footer says
            raise Invalid(parquet.DAMAGED) from error
    # the index that pandas stored is not part of the table
    return table.to_pandas(ignore_metadata=True).set_axis([c["name"] for c in columns], axis=1)


def _csv_frame(
    content: Content, source: str, cap_rows: int | None, given: JSON | None
) -> tuple[Any, JSON]:
    facts = _scan(content, given)
    n_rows = facts.rows
    if facts.recount:
        with open_content(content) as stream:
            n_rows = count_rows(stream, facts.detection)
    if cap_rows is not None and n_rows > cap_rows:
        raise too_many_rows(source, cap_rows)
    return read_delimited(content, facts.dialect, facts.detection.names), facts.dialect.to_json()


def read_delimited(content: Content, dialect: Dialect, names: Sequence[str]) -> Any:
    """Return the DataFrame of a delimited text file, shape (n_rows, n_columns), with the names given.

    Columns of plain numbers are numbers, except codes, whose digits a number would not keep. All others are texts,
    empty cells are missing; the types of columns are decided from them.
    """
    options = dialect.pandas_options(names)

    def read_texts(columns: Sequence[str]) -> Any:
        wanted = set(columns)
        places = [place for place, name in enumerate(names) if name in wanted]
        return _read_csv(content, dialect, options | {"usecols": places, "dtype": str})

    frame = _read_csv(content, dialect, options)
    frame = with_codes(
        frame,
        _blocks_of(content, dialect.encoding),
        dialect.delimiter,
        read_texts,
        decimal=decimal_of_file(dialect.decimal, dialect.delimiter),
    )
    # booleans with missing ones, and integers beyond 64 bits
    mixed = [
        name
        for name, dtype in frame.dtypes.items()
        if dtype.kind == "O" and not _is_text(frame[name])
    ]
    return frame.assign(**read_texts(mixed)) if mixed else frame


def _blocks_of(content: Content, encoding: str) -> Iterator[bytes]:
    """Yield a text file some bytes at a time, in an encoding whose first 128 characters are those of ASCII."""
    with open_content(content) as stream:
        if encoding.startswith(("utf-8", "ascii", "cp125", "iso8859")):
            while block := stream.read(CHUNK_BYTES):
                yield block
            return
        text = io.TextIOWrapper(stream, encoding=encoding, newline="")
        while characters := text.read(CHUNK_BYTES):
            yield characters.encode()


def read_workbook(content: Content, dialect: JSON, names: Sequence[str]) -> Any:
    """Return the DataFrame of a sheet, shape (n_rows, n_columns), with the names given and Excel's types.

    Raises
    ------
    SourceUnreadable
        When it is not the workbook that was uploaded, or python-calamine is missing here.
    """
    import pandas as pd

    options = workbook.pandas_options(dialect, names)
    try:
        with open_content(content) as stream:
            frame = pd.read_excel(stream, **options)
    except ImportError:
        raise SourceUnreadable(workbook.NEEDS_CALAMINE) from None
    except (ValueError, OSError) as error:
        raise SourceUnreadable(f"The workbook cannot be read as a table: {error}") from None
    return frame.dropna(how="all").reset_index(drop=True).infer_objects()


def workbook_preview(content: Content, options: JSON, rows: int) -> JSON:
    """Return the preview of an uploaded workbook with its first `rows` rows."""
    import pandas as pd

    names = options["columns"]
    frame = read_workbook(content, options["dialect"], names)
    first = frame.head(examined_rows(rows, len(names))).astype(object)
    examined = [
        [None if pd.isna(cell) else workbook.plain_cell(cell) for cell in row]
        for row in first.itertuples(index=False, name=None)
    ]
    columns = typed_columns(names, workbook.texts_of(examined))
    return preview_rows(columns, examined, rows, len(frame))


def _is_text(series: Any) -> bool:
    import pandas as pd

    if isinstance(series.dtype, pd.StringDtype):
        return True
    return pd.api.types.infer_dtype(series, skipna=True) in ("string", "empty")


def _read_csv(content: Content, dialect: Dialect, options: JSON) -> Any:
    @contextlib.contextmanager
    def open_text() -> Iterator[TextIO]:
        with open_content(content) as stream, dialect.open_text(stream) as text:
            yield text

    return read_csv_in_parts(open_text, options)


def _scan(content: Content, given: JSON | None = None, *, is_cut: bool = False) -> CsvFacts:
    scan = CsvScan()
    with open_content(content) as stream:
        while block := stream.read(CHUNK_BYTES):
            scan.feed(block)
    return scan.facts(given, is_cut=is_cut)


def preview(
    stream: Any,
    size: int,
    file_format: str,
    source: str,
    rows: int,
    given: JSON | None = None,
) -> JSON:
    """Return the preview of a file that can be read by ranges; `given` : see `read_table`.

    Raises
    ------
    SourceUnreadable
        When it is not a table.
    """
    try:
        if file_format == "parquet":
            return _parquet_preview(stream, rows)
        return _csv_preview(stream, size, rows, given)
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


def _csv_preview(stream: Any, size: int, rows: int, given: JSON | None) -> JSON:
    head = stream.read(SAMPLE_BYTES)
    is_cut = len(head) < size
    if is_cut and is_utf16(head) is None:
        head = head[: head.rfind(b"\n") + 1] or head  # the last line is incomplete
    facts = _scan(head, given, is_cut=is_cut)
    if facts.recount and not is_cut:
        facts = replace(facts, rows=count_rows(io.BytesIO(head), facts.detection))
    result = preview_csv(
        cast("BinaryIO", io.BytesIO(head)),
        facts.config(),
        rows,
    )
    if is_cut:
        result["total_rows"] = None  # not counted
    return result
