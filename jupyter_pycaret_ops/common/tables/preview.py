"""The first rows of a table, its columns, and a suggestion; the same answer for every kind of source."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from ..errors import Invalid
from .column_types import MISSING
from .csv_scan import column_names, read_rows
from .suggestion import suggest

EXAMINED_ROWS = 5_000
#: a preview is made in the server: wide tables and long cells are examined less far
MOST_EXAMINED_VALUES = 1_000_000
MOST_EXAMINED_CHARACTERS = 8 << 20


def preview_rows(
    columns: Sequence[Mapping[str, str]],
    examined: Sequence[Sequence[Any]],
    rows: int,
    total_rows: int | None,
) -> dict[str, Any]:
    """The preview of examined rows, whose values are plain JSON and None where they are missing."""
    found: list[dict[str, Any]] = []
    for place, column in enumerate(columns):
        present = [row[place] for row in examined if row[place] is not None]
        found.append(
            {
                "name": column["name"],
                "dtype": column["dtype"],
                "missing": len(examined) - len(present),
                "distinct": len(set(present)),
                "examined": len(examined),
            }
        )
    names = [column["name"] for column in columns]
    return {
        "columns": found,
        "rows": [dict(zip(names, row, strict=True)) for row in examined[:rows]],
        "total_rows": total_rows,
        "examined_rows": len(examined),
        "suggestion": suggest(found),
    }


def preview_csv(stream: BinaryIO, config: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """The preview of a CSV whose encoding, delimiter, columns and number of rows `config` tells."""
    text = io.TextIOWrapper(stream, encoding=config["encoding"], errors="replace", newline="")
    reader = (row for row in read_rows(text, config["delimiter"]) if row)
    try:
        names = column_names(next(reader))
    except StopIteration:
        raise Invalid("The file has no header any more. Upload it again.") from None
    dtypes = {column["name"]: column["dtype"] for column in config["columns"]}
    columns = [{"name": name, "dtype": dtypes.get(name, "string")} for name in names]
    examined = [
        [
            typed(row[place] if place < len(row) else "", column["dtype"])
            for place, column in enumerate(columns)
        ]
        for row in _first(reader, examined_rows(rows, len(columns)))
    ]
    return preview_rows(columns, examined, rows, config["rows"])


def examined_rows(rows: int, columns: int) -> int:
    """Return how many rows of a table are examined for a preview of `rows`: fewer where it is wide."""
    return min(max(rows, EXAMINED_ROWS), max(1, MOST_EXAMINED_VALUES // max(1, columns)))


def _first(reader: Iterator[list[str]], count: int) -> Iterator[list[str]]:
    """The first rows, as far as they are not too long together; at least one."""
    length = 0
    for row in itertools.islice(reader, count):
        yield row
        length += sum(map(len, row))
        if length > MOST_EXAMINED_CHARACTERS:
            return


def typed(text: str, dtype: str) -> Any:
    """A text of a table as JSON; what does not fit the type stays text."""
    if text in MISSING:
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
        return text.strip().lower() == "true"
    return text
