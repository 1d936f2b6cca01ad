"""A Parquet file looked at: its columns and rows, told by the footer alone. Needs pyarrow, asked for late."""

from __future__ import annotations

import io
import re
from typing import Any, BinaryIO

from ..errors import Invalid
from .csv_scan import MOST_COLUMNS, column_names

MAGIC = b"PAR1"
NEEDS_PYARROW = (
    "Parquet files need pyarrow, which is not installed here. Install it with "
    "pip install 'jupyter-pycaret-ops[parquet]', or use a CSV."
)
DAMAGED = (
    "The file is not a whole Parquet file: it is damaged, encrypted or was cut off. Write it again."
)
#: where pandas keeps row labels that have no name
_ROW_LABELS = re.compile(r"__index_level_\d+__")


def examine(stream: BinaryIO) -> tuple[int, list[dict[str, str]]]:
    """Rows and columns of a Parquet file, without reading a value.

    Raises
    ------
    Invalid
        When pyarrow is missing, or the file is damaged, empty, or holds columns of nested values.
    """
    file = open_file(stream)
    footer = file.metadata.serialized_size + 2 * len(MAGIC)
    if _end_of_values(file.metadata) > stream.seek(0, io.SEEK_END) - footer:
        raise Invalid(DAMAGED)
    rows = int(file.metadata.num_rows)
    columns = columns_of(file)
    if rows < 1 or not columns:
        raise Invalid("The file has columns but no row." if columns else "The file has no column.")
    return rows, columns


def open_file(stream: BinaryIO) -> Any:
    """A `pyarrow.parquet.ParquetFile`.

    Raises
    ------
    Invalid
        When pyarrow is missing or the file is damaged.
    """
    try:
        import pyarrow.parquet as parquet
        from pyarrow import ArrowException
    except ImportError:
        raise Invalid(NEEDS_PYARROW) from None
    try:
        file = parquet.ParquetFile(stream)
        _ = file.schema_arrow  # read only now, and damaged as easily
    except (ArrowException, OSError, ValueError) as error:
        raise Invalid(DAMAGED) from error
    return file


def _end_of_values(metadata: Any) -> int:
    """Where the values end, as the footer says."""
    return max(
        (
            # a chunk begins with its dictionary, where it has one
            (chunk.dictionary_page_offset or chunk.data_page_offset) + chunk.total_compressed_size
            for group in range(metadata.num_row_groups)
            for chunk in (metadata.row_group(group).column(n) for n in range(metadata.num_columns))
        ),
        default=0,
    )


def used_columns(file: Any) -> list[str]:
    """Names of the file's columns as they are stored, without the row labels of pandas."""
    return [name for name in file.schema_arrow.names if not _ROW_LABELS.fullmatch(name)]


def columns_of(file: Any) -> list[dict[str, str]]:
    """Names, made unique, and types.

    Raises
    ------
    Invalid
        When a column holds nested values, or there are too many.
    """
    schema = file.schema_arrow
    fields = [field for field in schema if not _ROW_LABELS.fullmatch(field.name)]
    if len(fields) > MOST_COLUMNS:
        raise Invalid(f"The table has {len(fields)} columns; at most {MOST_COLUMNS} are taken.")
    names = column_names(field.name for field in fields)
    return [
        {"name": name, "dtype": _word(field)} for name, field in zip(names, fields, strict=True)
    ]


def _word(field: Any) -> str:
    from pyarrow import types

    kind = field.type
    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_nested(kind):
        raise Invalid(
            f"The column “{field.name}” holds lists or records ({str(kind)[:80]}), which no model "
            "takes. Flatten it or leave it out, then write the file again."
        )
    if types.is_boolean(kind):
        return "boolean"
    if types.is_integer(kind):
        return "integer"
    if types.is_floating(kind) or types.is_decimal(kind):
        return "number"
    if types.is_timestamp(kind) or types.is_date(kind):
        return "datetime"
    return "string"
