"""Read columns and number of rows from the footer of a Parquet file. Imports pyarrow when first needed."""

from __future__ import annotations

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
#: limits: values of a table, and bytes of its columns after decompression
MAX_VALUES = 200_000_000
MAX_UNPACKED_BYTES = 4 << 30
#: JSON types → column types, as far as the footer tells
_TYPES = {
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "datetime": "date",
    "string": "category",
}
#: names of columns in which pandas stores an unnamed index
_ROW_LABELS = re.compile(r"__index_level_\d+__")


def examine(stream: BinaryIO) -> tuple[int, list[dict[str, str]]]:
    """Return number of rows and columns of a Parquet file without reading values.

    Raises
    ------
    Invalid
        When pyarrow is missing, or the file is damaged, empty, or has columns of nested values.
    """
    file = open_file(stream)
    rows = int(file.metadata.num_rows)
    columns = columns_of(file)
    if rows < 1 or not columns:
        raise Invalid("The file has columns but no row." if columns else "The file has no column.")
    return rows, columns


def open_file(stream: BinaryIO) -> Any:
    """Return a `pyarrow.parquet.ParquetFile`.

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
        _ = file.schema_arrow  # read only now, and may be damaged too
    except (ArrowException, OSError, ValueError) as error:
        raise Invalid(DAMAGED) from error
    return file


def used_columns(file: Any) -> list[str]:
    """Return the stored names of the columns, without the index of pandas."""
    return [name for name in file.schema_arrow.names if not _ROW_LABELS.fullmatch(name)]


def columns_of(file: Any) -> list[dict[str, str]]:
    """Return unique names and types of the columns.

    Raises
    ------
    Invalid
        When a column has nested values, or there are too many columns or values.
    """
    _check_size(file.metadata)
    schema = file.schema_arrow
    fields = [field for field in schema if not _ROW_LABELS.fullmatch(field.name)]
    names = column_names(field.name for field in fields)
    return [
        {"name": name, "dtype": dtype, "type": _TYPES[dtype]}
        for name, dtype in zip(names, map(_column_type, fields), strict=True)
    ]


def _check_size(metadata: Any) -> None:
    """Raise `Invalid` for a file over the limits, by its footer: kilobytes can unpack to gigabytes."""
    n_rows, n_columns = int(metadata.num_rows), int(metadata.num_columns)
    if n_rows * n_columns > MAX_VALUES:
        raise Invalid(
            f"The table has {n_rows:,} rows of {n_columns:,} columns, more than the limit of "
            f"{MAX_VALUES:,} values. Leave out rows or columns."
        )
    size = sum(
        max(0, int(metadata.row_group(group).total_byte_size))
        for group in range(metadata.num_row_groups)
    )
    if size > MAX_UNPACKED_BYTES:
        raise Invalid(
            f"The file unpacks to {size / 2**30:.1f} GiB, more than the limit of "
            f"{MAX_UNPACKED_BYTES / 2**30:g} GiB. Leave out rows or columns."
        )


def _column_type(field: Any) -> str:
    from pyarrow import types

    kind = field.type
    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_nested(kind):
        raise Invalid(
            f"The column “{field.name}” holds lists or records ({str(kind)[:80]}), which models cannot "
            "use. Flatten it or leave it out, then write the file again."
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
