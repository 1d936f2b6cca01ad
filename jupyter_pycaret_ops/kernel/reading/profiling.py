"""The profile of a table: types, counts and distributions of its columns, over all rows.

It reads the table as a run does, so that what it shows is what is trained on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.tables.column_reading import LEFT_OUT, ColumnReading
from jupyter_pycaret_ops.common.tables.spellings import with_offset
from jupyter_pycaret_ops.common.tables.suggestion import suggest

from ..engine import portable
from .columns import ReadingSettings, read_columns
from .values import plain_value

MAX_LEVELS = 20
N_BINS = 20
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
#: with more rows, rows are not compared with each other
MAX_ROWS_COMPARED = 1_000_000
#: column types → JSON types, for `dtype`
JSON_TYPES = {
    "number": "number",
    "boolean": "boolean",
    "date": "datetime",
    "duration": "number",
}


def profile(frame: Any, settings: ReadingSettings, dialect: JSON | None = None) -> JSON:
    """Return the profile of a DataFrame of shape (n_rows, n_columns), as plain JSON."""
    frame = frame.set_axis(portable.unique_names(frame.columns), axis=1).reset_index(drop=True)
    readings = read_columns(frame, settings)
    columns = [_column(frame[name], readings[name]) for name in frame.columns]
    described = [
        {
            "name": column["name"],
            "dtype": column["dtype"],
            "type": column["type"],
            "missing": column["missing"],
            "distinct": column["distinct"],
            "examined": len(frame),
        }
        for column in columns
    ]
    return {
        "rows": len(frame),
        "duplicates": _duplicates(frame),
        "dialect": dialect,
        "columns": columns,
        "reported": [item for name in frame.columns for item in readings[name].reported],
        "notices": [],
        "suggestion": suggest(described),
        "memory_bytes": int(frame.memory_usage(deep=False).sum()),
    }


def _duplicates(frame: Any) -> int | None:
    """Return how many rows repeat an earlier one, None where there are too many to compare."""
    if len(frame) > MAX_ROWS_COMPARED:
        return None
    try:
        return int(frame.duplicated().sum())
    except TypeError:  # lists and other values that cannot be compared
        return None


def _column(series: Any, reading: ColumnReading) -> JSON:
    """Return the profile of one column, Series of shape (n_rows,)."""
    found: JSON = {
        "name": reading.name,
        "type": reading.type,
        "dtype": _json_type(series, reading),
        "format": reading.spelling or None,
        "values": reading.values,
        "missing": reading.missing,
        "missing_words": reading.missing_words,
        "unreadable": {"count": reading.unreadable, "examples": reading.examples},
        "distinct": reading.distinct,
        "min": None,
        "max": None,
        "mean": None,
        "std": None,
        "quantiles": {},
        "histogram": None,
        "top": [],
        "hints": [item["message"] for item in reading.reported],
        "association": None,
        "recognised_as": reading.recognised_as,
        "set_by_person": reading.set_by_person,
        "alternatives": [],
    }
    numbers, offset = _numbers(series, reading)
    if numbers is not None:
        found |= _numeric(numbers, offset, is_date=reading.type == "date")
    if numbers is None or reading.distinct <= MAX_LEVELS:
        found["top"] = _levels(series, reading)
    return found


def _json_type(series: Any, reading: ColumnReading) -> str:
    dtype = series.dtype
    if reading.type in LEFT_OUT:
        if pd.api.types.is_bool_dtype(dtype):
            return "boolean"
        if pd.api.types.is_integer_dtype(dtype):
            return "integer"
        return "number" if pd.api.types.is_numeric_dtype(dtype) else "string"
    if reading.type == "number" and pd.api.types.is_integer_dtype(dtype):
        return "integer"
    return JSON_TYPES.get(reading.type, "string")


def _numbers(series: Any, reading: ColumnReading) -> tuple[Any, int | None]:
    """Return a column as float64 array of shape (n_rows,), dates in seconds, and the offset of its times.

    None for columns of other types.
    """
    rule = reading.spelling
    if reading.type == "date":
        dates = portable.read_dates(series, rule, strict=False)
        seconds = np.asarray((dates - pd.Timestamp(0)) / pd.Timedelta(seconds=1), dtype="float64")
        return seconds, rule.get("offset")
    if reading.type == "duration":
        return portable.read_seconds(series, rule, strict=False), None
    is_number = reading.type == "number" or (
        reading.type in LEFT_OUT
        and pd.api.types.is_numeric_dtype(series.dtype)
        and not pd.api.types.is_bool_dtype(series.dtype)
    )
    return (portable.read_numbers(series, rule, strict=False), None) if is_number else (None, None)


def _numeric(numbers: Any, offset: int | None, *, is_date: bool) -> JSON:
    """Return range, mean, quantiles and histogram of float64 array of shape (n_rows,) with NaN where missing."""
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return {}

    def shown(value: float) -> Any:
        if not is_date:
            return float(value)
        return with_offset(pd.Timestamp(value, unit="s").round("us").to_pydatetime(), offset)

    counts, edges = np.histogram(known, bins=min(N_BINS, max(1, len(np.unique(known)))))
    return {
        "min": shown(known.min()),
        "max": shown(known.max()),
        "mean": shown(known.mean()),
        "std": None if is_date or len(known) < 2 else float(known.std(ddof=1)),
        "quantiles": {
            f"{share:g}": shown(value)
            for share, value in zip(QUANTILES, np.quantile(known, QUANTILES), strict=True)
        },
        "histogram": {
            "edges": [shown(edge) for edge in edges],
            "counts": [int(count) for count in counts],
        },
    }


def _levels(series: Any, reading: ColumnReading) -> list[JSON]:
    """Return the most frequent values of a column, in its own spelling, with their counts."""
    if reading.type in ("number", "boolean", "date", "duration"):
        values = series[~series.isna()]
        counts = values.astype(object).value_counts() if len(values) else values
    else:
        words = reading.spelling.get("missing_words")
        texts = pd.Series(portable.read_text(series, words), dtype=object)
        counts = texts.value_counts()
    top = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))[:MAX_LEVELS]
    return [{"value": plain_value(_scalar(value)), "count": int(count)} for value, count in top]


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
