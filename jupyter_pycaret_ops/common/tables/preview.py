"""Previews: columns, first rows and suggestion, in the same form for every kind of data source."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from ..errors import Invalid
from . import spellings
from .column_names import column_names
from .dialect import Dialect, read_records
from .suggestion import suggest

EXAMINED_ROWS = 5_000
#: previews are computed in the server: fewer rows of wide tables and long cells are examined
MAX_EXAMINED_VALUES = 1_000_000
MAX_EXAMINED_CHARACTERS = 8 << 20


def preview_rows(
    columns: Sequence[Mapping[str, str]],
    examined: Sequence[Sequence[Any]],
    rows: int,
    total_rows: int | None,
) -> dict[str, Any]:
    """Return the preview of a table with its first `rows` rows.

    `examined` has shape (n_rows, n_columns), with values of plain JSON, None where missing.
    """
    described: list[dict[str, Any]] = []
    for position, column in enumerate(columns):
        present = [row[position] for row in examined if row[position] is not None]
        described.append(
            {
                "name": column["name"],
                "dtype": column["dtype"],
                **({"type": column["type"]} if "type" in column else {}),
                "missing": len(examined) - len(present),
                "distinct": len(set(present)),
                "examined": len(examined),
            }
        )
    names = [column["name"] for column in columns]
    return {
        "columns": described,
        "rows": [dict(zip(names, row, strict=True)) for row in examined[:rows]],
        "total_rows": total_rows,
        "examined_rows": len(examined),
        "suggestion": suggest(described),
    }


def preview_csv(stream: BinaryIO, config: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """Return the preview of a CSV; `config` has its dialect, columns and number of rows.

    A data source that was stored before there were dialects has encoding and delimiter instead.
    """
    is_old = not config.get("dialect")
    if is_old:
        dialect = Dialect(config["encoding"], config["delimiter"])
    else:
        dialect = Dialect.from_json(config["dialect"])
    first_line = dialect.lines_to_skip + 1
    with dialect.open_text(stream, errors="replace") as text:
        reader = read_records(text, dialect, first_line=first_line, whole=False)
        header = next(reader, None) if dialect.header else None
        if dialect.header and header is None:
            raise Invalid("The file has no header any more. Upload it again.")
        columns = list(config["columns"])
        if is_old and header is not None:
            dtypes = {column["name"]: column["dtype"] for column in columns}
            columns = [
                {"name": name, "dtype": dtypes.get(name, "string")}
                for name in column_names(header[1])
            ]
        examined = [
            [
                parse_value(row[position] if position < len(row) else "", column["dtype"])
                for position, column in enumerate(columns)
            ]
            for row in _first_rows(reader, examined_rows(rows, len(columns)))
        ]
    return preview_rows(columns, examined, rows, config["rows"])


def examined_rows(rows: int, columns: int) -> int:
    """Return how many rows of a table are examined for a preview of `rows`: fewer where it is wide."""
    return min(max(rows, EXAMINED_ROWS), max(1, MAX_EXAMINED_VALUES // max(1, columns)))


def _first_rows(reader: Iterator[tuple[int, list[str]]], count: int) -> Iterator[list[str]]:
    """Yield the first `count` rows, but at least one, while they are not too long in total."""
    length = 0
    for _, fields in itertools.islice(reader, count):
        yield fields
        length += sum(map(len, fields))
        if length > MAX_EXAMINED_CHARACTERS:
            return


def parse_value(text: str, dtype: str) -> Any:
    """Return a text of a table as a JSON value of the column type; as text if it does not match."""
    text = spellings.trimmed(text)
    if spellings.is_missing_word(text, is_text=dtype in ("string", "boolean")):
        return None
    try:
        if dtype == "integer":
            return int(text)
        if dtype == "number":
            number = float(text)
            return number if abs(number) != float("inf") and number == number else text
    except ValueError:
        return text
    if dtype == "boolean":
        truth = spellings.parse_boolean(text)
        return text if truth is None else truth
    return text
