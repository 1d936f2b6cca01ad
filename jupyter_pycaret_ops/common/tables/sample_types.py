"""Types of columns from the first rows of a table: what an upload answers before all rows were read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from . import spellings
from .column_cells import JSON_TYPES
from .column_reading import ColumnReading, Hints, Texts, decide, decimal_of

_INTEGER = re.compile(r"[+-]?\d+")


def read_sample(
    names: Sequence[str], rows: Sequence[Sequence[str]], *, decimal: str | None = None
) -> list[ColumnReading]:
    """Return how each column is read, from the texts of some rows; rows may be shorter than `names`.

    `decimal` : the decimal separator that the file's dialect says.
    """
    texts = [_texts(name, place, rows) for place, name in enumerate(names)]
    decimals = Counter(sign for sign in map(decimal_of, texts) if sign is not None)
    hint = decimals.most_common(1)[0][0] if decimals else decimal
    hints = Hints(decimal=hint, day_first="," in (decimal, hint))
    return [decide(column, hints) for column in texts]


def _texts(name: str, place: int, rows: Sequence[Sequence[str]]) -> Texts:
    counts: dict[str, int] = {}
    first: dict[str, int] = {}
    n_trimmed = 0
    for number, row in enumerate(rows):
        cell = row[place] if place < len(row) else ""
        text = spellings.trimmed(cell)
        n_trimmed += bool(text) and text != cell
        counts[text] = counts.get(text, 0) + 1
        first.setdefault(text, number)
    return Texts(name, counts, len(rows), first, 0, n_trimmed)


def typed_columns(
    names: Sequence[str], rows: Sequence[Sequence[str]], *, decimal: str | None = None
) -> list[dict[str, str]]:
    """Return name, type and JSON type of each column, as they stand in the `config` of an upload."""
    return [
        {
            "name": reading.name,
            "dtype": json_type(reading, (row[place] for row in rows if place < len(row))),
            "type": reading.type,
        }
        for place, reading in enumerate(read_sample(names, rows, decimal=decimal))
    ]


def json_type(reading: ColumnReading, texts: Iterable[str]) -> str:
    """Return the JSON type of a column: integer, number, boolean, string or datetime."""
    if reading.type != "number" and reading.type in JSON_TYPES:
        return JSON_TYPES[reading.type]
    is_plain = is_integer = True
    seen = False
    reading_text = ""
    for cell in texts:
        text = spellings.trimmed(cell)
        if spellings.is_missing_word(text, is_text=False):
            continue
        seen, reading_text = True, text
        is_integer = is_integer and _INTEGER.fullmatch(text) is not None
        if spellings.is_code(text):
            is_plain = False
        elif not is_integer and spellings.parse_number(text) is None:
            is_plain = False
            break
    if reading.type == "number":
        return "integer" if seen and is_integer and is_plain else "number"
    if reading.type == "constant" and spellings.trimmed(reading_text).lower() in ("true", "false"):
        return "boolean"
    if reading.type in ("identifier", "constant") and seen and is_plain:
        return "integer" if is_integer else "number"
    return "string"
