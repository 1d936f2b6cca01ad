"""The profile of a table: types, counts and distributions of its columns, over all rows.

It reads the table as a run does, so that what it shows is what is trained on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.tables.column_cells import JSON_TYPES
from jupyter_pycaret_ops.common.tables.column_reading import LEFT_OUT, ColumnReading
from jupyter_pycaret_ops.common.tables.spellings import MISSING_TEXTS, with_offset
from jupyter_pycaret_ops.common.tables.suggestion import MAX_INTEGER_CLASSES, suggest_for
from jupyter_pycaret_ops.common.task_types import task_ids

from ..engine import portable
from .alternatives import alternatives
from .association import TargetAssociation, leak_notice, level_notice
from .columns import ReadingSettings, each_column, read_column_as, read_columns
from .distinct_texts import DistinctTexts
from .progress import columns_read
from .repeated_rows import RepeatedRows
from .split_notices import group_notices, rows_in_time, time_notices
from .text_values import different, lengths, most_frequent, numbers_of_column, times_of_column
from .values import plain_value

MAX_LEVELS = 40
#: tasks whose rows may belong together
SUPERVISED = task_ids(lambda task: task.is_supervised)
#: levels that are kept, so that two versions can be compared
MAX_STORED = 1_000
KEPT_LEVELS = frozenset({"category", "boolean", "ordinal"})
N_BINS = 20
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
#: with more rows, rows are not compared with each other
MAX_ROWS_COMPARED = 1_000_000


def profile(
    frame: Any,
    settings: ReadingSettings,
    dialect: JSON | None = None,
    *,
    target: str | None = None,
) -> JSON:
    """Return the profile of a DataFrame of shape (n_rows, n_columns), as plain JSON.

    With `target`, the name of a column, each of the others has its association with it, and `notices` has the leak
    suspects and the labels that differ by case. Groups are noticed for the target, else for the one suggested.
    """
    frame = frame.set_axis(portable.unique_names(frame.columns), axis=1).reset_index(drop=True)
    if target not in frame.columns:
        target = None
    columns: list[JSON] = []
    reported, notices = [], []
    readings: dict[str, ColumnReading] = {}
    in_time: dict[str, Any] = {}
    associations = None if target is None else _target_of(frame, target, settings)
    repeated = RepeatedRows(frame) if len(frame) <= MAX_ROWS_COMPARED else None
    for reading, texts in each_column(frame, settings, target=target):
        columns_read(len(columns), len(frame.columns))
        numbers, offset = _numbers(frame[reading.name], reading, texts)
        column = _column(frame, reading, texts, settings, numbers, offset)
        columns.append(column)
        if target is not None and reading.name == target:
            column["top"] = label_counts(frame[target], reading)
            notice = level_notice(
                target, [(str(item["value"]), item["count"]) for item in column["top"]]
            )
            notices += [] if notice is None else [notice]
        elif associations is not None and reading.type not in LEFT_OUT:
            if numbers is None:
                numbers = _lengths(frame[reading.name], texts) if reading.type == "text" else None
            codes = _level_codes(frame[reading.name], texts) if numbers is None else None
            found = associations.of(codes, numbers)
            column["association"] = found.share
            if found.is_suspect:
                notices.append(leak_notice(reading.name, str(target), found))
        reported += reading.reported
        if repeated is not None:
            repeated.add(frame[reading.name], texts)
        readings[reading.name] = reading
        if reading.type == "date":
            in_time[reading.name] = rows_in_time(numbers)
        del texts, numbers  # before those of the next column are made
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
    suggestion = suggest_for(described, target)
    predicted = target or (suggestion or {}).get("target")
    if predicted in readings and (suggestion or {}).get("task") in SUPERVISED:
        notices += group_notices(frame, readings, str(predicted), _plain_numbers)
        notices += time_notices(frame, readings, str(predicted), _plain_numbers, in_time)
    return {
        "rows": len(frame),
        "duplicates": None if repeated is None else repeated.count(),
        "dialect": dialect,
        "columns": columns,
        "reported": reported,
        "notices": notices,
        "suggestion": suggestion,
        "memory_bytes": int(frame.memory_usage(deep=False).sum()),
    }


def _plain_numbers(series: Any, reading: ColumnReading) -> Any:
    """Return the numbers of a part of a column, float64 array of shape (n_rows,), None for other columns."""
    return _numbers(series, reading, None)[0]


def _target_of(frame: Any, target: str, settings: ReadingSettings) -> TargetAssociation:
    """Return what measures associations with a column: with its numbers, or with its labels."""
    reading = read_columns(frame[[target]], settings)[target]
    series = frame[target]
    numbers, _ = _numbers(series, reading, None)
    if numbers is not None and reading.distinct > MAX_INTEGER_CLASSES:
        return TargetAssociation(np.zeros(len(frame), "int64"), numbers, np.isfinite(numbers))
    codes = pd.factorize(series.astype(object))[0]
    return TargetAssociation(codes, None, codes >= 0)


def _lengths(series: Any, texts: DistinctTexts | None) -> Any:
    """Return the lengths of cells of free text, float64 array of shape (n_rows,) with NaN where missing."""
    if texts is not None and texts.is_raw:
        return texts.of_cells(lengths(texts.texts).astype("float64"))
    found = series.astype(object).map(lambda v: float(len(v)) if isinstance(v, str) else np.nan)
    return found.to_numpy("float64")


def _level_codes(series: Any, texts: DistinctTexts | None) -> Any:
    """Return the codes of a column's levels, int64 array of shape (n_rows,); a missing one is a level of its own."""
    codes = texts.codes if texts is not None else pd.factorize(series.astype(object))[0]
    return np.asarray(codes, dtype="int64") + 1


def label_counts(series: Any, reading: ColumnReading) -> list[JSON]:
    """Return the labels of a target as they are written, blanks included, with their counts, most frequent first."""
    words = set(MISSING_TEXTS if (w := reading.spelling.get("missing_words")) is None else w)
    counts = series[~series.isna()].astype(object).value_counts()
    labels = [
        (value, int(count))
        for value, count in counts.items()
        if not (isinstance(value, str) and (value.strip() in words or not value.strip()))
    ]
    labels.sort(key=lambda item: (-item[1], str(item[0])))
    return [{"value": plain_value(_scalar(v)), "count": count} for v, count in labels[:MAX_LEVELS]]


def _column(
    frame: Any,
    reading: ColumnReading,
    texts: DistinctTexts | None,
    settings: ReadingSettings,
    numbers: Any | None,
    offset: int | None,
) -> JSON:
    """Return the profile of one column of a DataFrame.

    `texts` : its texts, if it holds texts; `numbers` and `offset` : see `_numbers`.
    """
    series = frame[reading.name]
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
    if numbers is not None:
        found |= _numeric(numbers, offset, is_date=reading.type == "date")
    if numbers is None or reading.distinct <= MAX_LEVELS:
        levels = _levels(series, reading, texts)
        found["top"] = levels[:MAX_LEVELS]
        if reading.type in KEPT_LEVELS and len(levels) == reading.distinct:
            found["levels"] = [item["value"] for item in levels]

    def read_as(kind: str) -> ColumnReading:
        return read_column_as(series, reading.name, kind, settings, texts)

    if reading.set_by_person:
        types = {name: kind for name, kind in settings.types.items() if name != reading.name}
        detected = read_columns(frame[[reading.name]], replace(settings, types=types))
        found["detected_type"] = detected[reading.name].type
    else:
        found["detected_type"] = reading.type
    found["alternatives"] = alternatives(reading, read_as)
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


def _numbers(
    series: Any, reading: ColumnReading, texts: DistinctTexts | None
) -> tuple[Any, int | None]:
    """Return a column as float64 array of shape (n_rows,), dates in seconds, and the offset of its times.

    None for columns of other types.
    """
    rule = reading.spelling
    if reading.type == "date":
        if texts is not None:
            return texts.of_cells(_seconds(times_of_column(texts, rule))), rule.get("offset")
        return _seconds(portable.read_dates(series, rule, strict=False)), rule.get("offset")
    if reading.type == "duration":
        if texts is not None:
            series = pd.Series(texts.texts.to_pylist(), dtype=object)
        seconds = portable.read_seconds(series, rule, strict=False)
        return (seconds if texts is None else texts.of_cells(seconds)), None
    is_number = reading.type == "number" or (
        reading.type in LEFT_OUT
        and pd.api.types.is_numeric_dtype(series.dtype)
        and not pd.api.types.is_bool_dtype(series.dtype)
    )
    if not is_number:
        return None, None
    if texts is not None:
        return texts.of_cells(numbers_of_column(texts, rule)), None
    return portable.read_numbers(series, rule, strict=False), None


def _seconds(dates: Any) -> Any:
    """Return dates as seconds since 1970, float64 array of shape (n_rows,) with NaN where missing."""
    # years before 1678 do not fit into nanoseconds
    moments = np.asarray(dates).astype("datetime64[us]")
    seconds = moments.astype("int64") / 1e6
    seconds[np.isnat(moments)] = np.nan
    return seconds


def _numeric(numbers: Any, offset: int | None, *, is_date: bool) -> JSON:
    """Return range, mean, quantiles and histogram of float64 array of shape (n_rows,) with NaN where missing."""
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return {}

    def shown(value: float) -> Any:
        if not is_date:
            return float(value)
        moment = np.datetime64(round(value * 1e6), "us").item()
        return with_offset(moment, offset)

    n_different = len(np.unique(known[:1_000]))
    if n_different < N_BINS:
        n_different = len(different(known))
    with np.errstate(over="ignore", invalid="ignore"):  # of numbers near the largest float
        mean, std = known.mean(), known.std(ddof=1) if len(known) > 1 else np.nan
        has_range = np.isfinite(known.max() - known.min())
        quantiles = np.quantile(known, QUANTILES)
    histogram = None
    if has_range:
        counts, edges = np.histogram(known, bins=min(N_BINS, n_different))
        histogram = {
            "edges": [shown(edge) for edge in edges],
            "counts": [int(count) for count in counts],
        }
    return {
        "min": shown(known.min()),
        "max": shown(known.max()),
        "mean": shown(mean) if np.isfinite(mean) else None,
        "std": float(std) if np.isfinite(std) and not is_date else None,
        "quantiles": {
            f"{share:g}": shown(value)
            for share, value in zip(QUANTILES, quantiles, strict=True)
            if np.isfinite(value)
        },
        "histogram": histogram,
    }


def _levels(series: Any, reading: ColumnReading, texts: DistinctTexts | None) -> list[JSON]:
    """Return the most frequent values of a column, in its own spelling, with their counts."""
    is_of_cells = reading.type in ("number", "boolean", "date", "duration")
    words = reading.spelling.get("missing_words")
    if texts is not None and (not is_of_cells or texts.is_raw):
        gone = () if is_of_cells else ("", *(MISSING_TEXTS if words is None else words))
        top: list[tuple[Any, int]] = list(most_frequent(texts, MAX_STORED, without=gone))
    else:
        if is_of_cells:
            values = series[~series.isna()]
            if values.dtype not in ("int64", "float64", "bool"):
                values = values.astype(object)
        else:
            values = pd.Series(portable.read_text(series, words), dtype=object)
        counts = values.value_counts() if len(values) else values
        top = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))[:MAX_STORED]
    return [{"value": plain_value(_scalar(value)), "count": int(count)} for value, count in top]


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
