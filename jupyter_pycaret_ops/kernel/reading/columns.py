"""Decide how the columns of a DataFrame are read, over all rows: types, spellings, missing and unreadable cells.

`common/tables/column_reading.py` decides about columns of texts; here a column's dtype decides where it is not
text. Profile, runs and deployments all use these decisions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.tables import spellings
from jupyter_pycaret_ops.common.tables.column_reading import (
    LEFT_OUT,
    ColumnReading,
    Hints,
    Texts,
    decide,
    decimal_of,
    is_row_number,
)

#: dtypes that pandas infers for objects which are numbers
_NUMBERS = frozenset({"integer", "floating", "mixed-integer-float", "decimal"})
_DATES = frozenset({"datetime", "datetime64", "date"})


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """What a person has said about the columns, and what the file says where a column does not decide."""

    #: column → type
    types: Mapping[str, str] = field(default_factory=dict)
    #: column → format for `strptime`
    date_formats: Mapping[str, str] = field(default_factory=dict)
    #: column → levels of an ordinal column, in order
    levels: Mapping[str, list[Any]] = field(default_factory=dict)
    #: words for missing values, for all columns or by column
    missing_words: tuple[str, ...] | Mapping[str, tuple[str, ...]] | None = None
    #: decimal separator of files with this delimiter: `,` where it is `;`
    decimal: str | None = None

    def words_of(self, name: str) -> frozenset[str] | None:
        """Return the words for missing values of a column, None for the rules."""
        if self.missing_words is None:
            return None
        if isinstance(self.missing_words, Mapping):
            words = self.missing_words.get(name)
            return None if words is None else frozenset(words)
        return frozenset(self.missing_words)


def read_columns(
    frame: Any,
    settings: ReadingSettings = ReadingSettings(),
    *,
    target: str | None = None,
    time: str | None = None,
) -> dict[str, ColumnReading]:
    """Return how each column of `frame` is read, by name.

    `frame` : DataFrame of shape (n_rows, n_columns) with unique string names and any dtypes. `target` : labels are
    kept whatever they are. `time` : the column of time of a series, where `2018` is a year.
    """
    texts = {name: _texts(name, frame[name]) for name in frame.columns if _is_text(frame[name])}
    decimals = Counter(sign for sign in map(decimal_of, texts.values()) if sign is not None)
    decimal = decimals.most_common(1)[0][0] if decimals else settings.decimal
    day_first = (settings.decimal or decimal) == ","
    readings: dict[str, ColumnReading] = {}
    for name in frame.columns:
        hints = Hints(
            decimal=decimal,
            day_first=day_first,
            missing_words=settings.words_of(name),
            date_format=settings.date_formats.get(name),
            allow_year=name == time,
            is_target=name in (target, time),
        )
        forced = settings.types.get(name)
        if name in texts:
            reading = decide(texts[name], hints, forced)
        else:
            reading = _of_dtype(name, frame[name], hints, forced)
        if name in settings.levels:
            reading.type, reading.set_by_person = "ordinal", True
            reading.spelling = {"levels": list(settings.levels[name])}
        readings[name] = reading
    return readings


def left_out(readings: Mapping[str, ColumnReading]) -> list[str]:
    """Return the names of the columns that hold nothing to learn from."""
    return [name for name, reading in readings.items() if reading.type in LEFT_OUT]


def _is_text(series: Any) -> bool:
    """Return whether a column is read from texts: strings, mixed values, lists."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return not dtype.ordered and not pd.api.types.is_numeric_dtype(dtype.categories.dtype)
    if pd.api.types.is_string_dtype(dtype) and not pd.api.types.is_object_dtype(dtype):
        return True
    if not pd.api.types.is_object_dtype(dtype):
        return False
    kind = pd.api.types.infer_dtype(series, skipna=True)
    return kind not in _NUMBERS | _DATES | {"boolean", "timedelta", "timedelta64", "empty"}


def _texts(name: str, series: Any) -> Texts:
    values = series.to_numpy(dtype=object)
    gone = np.asarray(pd.isna(values), dtype=bool)
    codes, distinct = (
        pd.factorize(values, use_na_sentinel=True) if _all_hashable(values) else _codes(values)
    )
    counts: Counter[str] = Counter()
    first: dict[str, int] = {}
    n_trimmed = 0
    occurs = np.bincount(codes[codes >= 0], minlength=len(distinct))
    first_of_code = _first_rows(codes, len(distinct))
    for value, count, row in zip(distinct, occurs, first_of_code, strict=True):
        text = value if isinstance(value, str) else spellings.text_of(value)
        short = spellings.trimmed(text)
        if short != text and short:
            n_trimmed += int(count)
        counts[short] += int(count)
        first[short] = min(first.get(short, len(values)), int(row))
    return Texts(name, counts, len(values), first, int(gone.sum()), n_trimmed)


def _all_hashable(values: Any) -> bool:
    return not any(isinstance(value, (list, dict, set, np.ndarray)) for value in values)


def _codes(values: Any) -> tuple[Any, list[Any]]:
    texts = [None if value is None else spellings.text_of(value) for value in values]
    codes, distinct = pd.factorize(np.array(texts, dtype=object), use_na_sentinel=True)
    return codes, list(distinct)


def _first_rows(codes: Any, n_distinct: int) -> Any:
    rows = np.full(n_distinct, len(codes), dtype="int64")
    known = codes >= 0
    np.minimum.at(rows, codes[known], np.flatnonzero(known))
    return rows


def _of_dtype(name: str, series: Any, hints: Hints, forced: str | None) -> ColumnReading:
    """Return the reading of a column whose dtype says what it is."""
    known = series[~series.isna()]
    reading = ColumnReading(name, "empty", values=len(known), missing=len(series) - len(known))
    reading.recognised_as = f"dtype {series.dtype}"
    dtype = series.dtype
    types = pd.api.types
    if not len(known):
        reading.recognised_as = "no cell has a value"
    elif isinstance(dtype, pd.CategoricalDtype):
        reading.type = "ordinal" if dtype.ordered else "category"
        if dtype.ordered:
            reading.spelling = {"levels": [_plain(level) for level in dtype.categories]}
    elif types.is_bool_dtype(dtype) or types.infer_dtype(known) == "boolean":
        reading.type = "boolean"
        reading.spelling = {"true": "true", "false": "false"}
    elif types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        reading.type = "date"
        reading.spelling = {"day_first": hints.day_first, "offset": _offset_of(known)}
    elif types.is_timedelta64_dtype(dtype) or types.infer_dtype(known).startswith("timedelta"):
        reading.type = "duration"
    elif not types.is_numeric_dtype(dtype) and types.infer_dtype(known) in _DATES:
        reading.type = "date"
        reading.spelling = {"day_first": hints.day_first, "offset": None}
    else:
        _read_numbers(reading, known, hints)
    reading.distinct = int(known.nunique()) if len(known) else 0
    if forced is not None:
        reading.type, reading.set_by_person = forced, True
        reading.recognised_as = "set by a person"
    elif not hints.is_target and reading.distinct == 1 and reading.type != "boolean":
        reading.type, reading.recognised_as = "constant", "one value"
    elif not hints.is_target and reading.type == "number" and reading.distinct == len(series):
        numbers = known.astype("float64")
        if np.isfinite(numbers).all() and is_row_number(name, set(numbers.tolist()), len(series)):
            reading.type = "identifier"
            reading.recognised_as = "row numbers, or an id for each row"
    return reading


def _read_numbers(reading: ColumnReading, known: Any, hints: Hints) -> None:
    reading.type = "number"
    numbers = pd.to_numeric(known, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        reading.values -= infinite
        reading.missing += infinite
        reading.report(
            "infinite_to_missing",
            f"{reading.name}: {infinite:,} infinite numbers are read as missing.",
            infinite,
        )
        if not reading.values:
            reading.type = "empty"
    if pd.api.types.is_integer_dtype(known.dtype) and not hints.is_target:
        is_large = (known > spellings.LARGEST_INTEGER) | (known < -spellings.LARGEST_INTEGER)
        if is_large.mean() > 0.05:
            reading.type = "identifier" if known.is_unique else "category"
            reading.recognised_as = "integers beyond 2⁵³"


def _offset_of(known: Any) -> int | None:
    zone = getattr(known.dtype, "tz", None)
    if zone is None:
        return None
    offsets = {stamp.utcoffset() for stamp in known.drop_duplicates()}
    if len(offsets) != 1:
        return 0
    return round(offsets.pop().total_seconds() / 60)


def _plain(value: Any) -> JSON | Any:
    return value.item() if isinstance(value, np.generic) else value
