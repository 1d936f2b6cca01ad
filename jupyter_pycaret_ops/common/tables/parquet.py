"""A Parquet file looked at: its columns and rows, told by the footer alone. Needs pyarrow, asked for late."""

from __future__ import annotations

import io
import re
from typing import Any, BinaryIO

from ..errors import Invalid
from .csv_scan import column_names

MAGIC = b"PAR1"
NEEDS_PYARROW = (
    "Parquet files need pyarrow, which is not installed here. Install it with "
    "pip install 'jupyter-pycaret-ops[parquet]', or use a CSV."
)
DAMAGED = (
    "The file is not a whole Parquet file: it is damaged, encrypted or was cut off. Write it again."
)
#: values of a table, and bytes that its columns unpack to
MOST_VALUES = 200_000_000
MOST_UNPACKED_BYTES = 4 << 30
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
        When a column holds nested values, there are too many, or too many values.
    """
    _refuse_large(file.metadata)
    schema = file.schema_arrow
    fields = [field for field in schema if not _ROW_LABELS.fullmatch(field.name)]
    names = column_names(field.name for field in fields)
    return [
        {"name": name, "dtype": _word(field)} for name, field in zip(names, fields, strict=True)
    ]


def _refuse_large(metadata: Any) -> None:
    """Hold a file against the limits by its footer alone: a few kilobytes can unpack to gigabytes."""
    rows, columns = int(metadata.num_rows), int(metadata.num_columns)
    if rows * columns > MOST_VALUES:
        raise Invalid(
            f"The table has {rows:,} rows of {columns:,} columns, which is more than the "
            f"{MOST_VALUES:,} values that are taken. Leave out rows or columns."
        )
    size = sum(
        max(0, int(metadata.row_group(group).total_byte_size))
        for group in range(metadata.num_row_groups)
    )
    if size > MOST_UNPACKED_BYTES:
        raise Invalid(
            f"The file unpacks to {size / 2**30:.1f} GiB, and at most "
            f"{MOST_UNPACKED_BYTES / 2**30:g} GiB are taken. Leave out rows or columns."
        )


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
