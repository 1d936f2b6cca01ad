"""Decide how the columns of a DataFrame are read, over all rows: types, spellings, missing and unreadable cells.

`common/tables/column_reading.py` decides about columns of texts; here a column's dtype decides where it is not
text. Profile, runs and deployments all use these decisions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.protocol import DataSpec
from jupyter_pycaret_ops.common.tables import spellings
from jupyter_pycaret_ops.common.tables.column_reading import (
    LEFT_OUT,
    ColumnReading,
    Hints,
    Texts,
    decide,
    decide_text,
    decimal_of,
    is_row_number,
)
from jupyter_pycaret_ops.common.tables.date_columns import offset_text
from jupyter_pycaret_ops.common.tables.number_columns import decimal_of_file

from .distinct_texts import DistinctTexts, cells_of_many, distinct_texts
from .many_texts import decide_many, decimal_of_many, may_have_numbers
from .memory import release_memory

#: texts of columns are kept between two uses while they take less than this share of the table's memory
KEPT_SHARE = 0.05
#: what pandas infers for objects → what they are; other objects are read from their texts
_OBJECTS = {
    "boolean": "boolean",
    "decimal": "number",
    "empty": "empty",
    "floating": "number",
    "integer": "number",
    "mixed-integer-float": "number",
    "timedelta": "duration",
    "timedelta64": "duration",
}
#: what columns of these types are recognised as
_WORDS = {
    "boolean": "true and false",
    "category": "levels",
    "date": "dates and times",
    "duration": "durations",
    "number": "numbers",
    "ordinal": "ordered levels",
}
#: types that a column has by its dtype, and that a person can set without another reading
_SAME = {
    "boolean": ("boolean", "number"),
    "date": ("date",),
    "duration": ("duration",),
    "empty": ("empty",),
    "number": ("number",),
    "ordinal": ("ordinal", "category"),
}


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
    #: columns that are used although they look like identifiers
    kept: frozenset[str] = frozenset()
    #: decimal separator of files with this delimiter: `,` where it is `;`
    decimal: str | None = None
    #: a person has named the decimal separator of the file, and no column decides otherwise
    is_decimal_set: bool = False

    def words_of(self, name: str) -> frozenset[str] | None:
        """Return the words for missing values of a column, None for the rules."""
        if self.missing_words is None:
            return None
        if isinstance(self.missing_words, Mapping):
            words = self.missing_words.get(name)
            return None if words is None else frozenset(words)
        return frozenset(self.missing_words)


NO_SETTINGS = ReadingSettings()


def read_columns(
    frame: Any,
    settings: ReadingSettings = NO_SETTINGS,
    *,
    target: str | None = None,
    time: str | None = None,
) -> dict[str, ColumnReading]:
    """Return how each column of `frame` is read, by name.

    `frame` : DataFrame of shape (n_rows, n_columns) with unique string names and any dtypes. `target` : labels are
    kept whatever they are. `time` : the column of time of a series, where `2018` is a year.
    """
    columns = each_column(frame, settings, target=target, time=time)
    return {reading.name: reading for reading, _ in columns}


def each_column(
    frame: Any,
    settings: ReadingSettings = NO_SETTINGS,
    *,
    target: str | None = None,
    time: str | None = None,
) -> Iterator[tuple[ColumnReading, DistinctTexts | None]]:
    """Yield how each column is read, as `read_columns` does, and its distinct texts where it holds texts.

    The texts are in memory for one column at a time; keep none of them.
    """
    kinds = {name: _kind(frame[name]) for name in frame.columns}
    kept = _KeptTexts(frame, target)
    decimal = _decimal(
        (kept.decimal(name) for name, kind in kinds.items() if kind == "text"), settings
    )
    for name, kind in kinds.items():
        hints = _hints(name, settings, decimal, target=target, time=time)
        texts = kept.pop(name) if kind == "text" else None
        reading = _read_column(frame[name], name, kind, hints, settings, texts, target)
        if (levels := settings.levels.get(name)) is not None:
            reading.spelling = {"levels": list(levels)}
        if hints.missing_words is not None:
            reading.spelling["missing_words"] = sorted(hints.missing_words)
        release_memory()
        yield reading, texts if isinstance(texts, DistinctTexts) else None
        texts = None
        release_memory()


def read_column_as(
    series: Any,
    name: str,
    kind: str,
    settings: ReadingSettings,
    texts: DistinctTexts | None = None,
) -> ColumnReading:
    """Return how one column is read where a person sets its type; `texts` : its texts, where they are known."""
    how = replace(settings, types={**settings.types, name: kind})
    hints = _hints(name, how, settings.decimal, target=None, time=None)
    return _read_column(series, name, _kind(series), hints, how, texts, None)


class _KeptTexts:
    """The texts of columns, which are needed twice: for the decimal separator of all, and for each column."""

    def __init__(self, frame: Any, target: str | None) -> None:
        self._frame, self._target = frame, target
        self._kept: dict[str, DistinctTexts | Texts] = {}
        self._free = int(frame.memory_usage(deep=False).sum() * KEPT_SHARE)

    def decimal(self, name: str) -> str | None:
        """Return the decimal separator that a column shows, and keep its texts if they are small."""
        cells = cells_of_many(self._frame[name])
        if cells is not None and not may_have_numbers(cells):
            return None
        found = self._texts(name)
        size = found.nbytes if isinstance(found, DistinctTexts) else 0
        if size <= self._free:
            self._kept[name] = found
            self._free -= size
        release_memory()
        return decimal_of_many(found) if isinstance(found, DistinctTexts) else decimal_of(found)

    def _texts(self, name: str) -> DistinctTexts | Texts:
        return _texts(name, self._frame[name], is_target=name == self._target)

    def pop(self, name: str) -> DistinctTexts | Texts:
        """Return the texts of a column, which are kept no longer."""
        kept = self._kept.pop(name, None)
        return kept if kept is not None else self._texts(name)


def _hints(
    name: str,
    settings: ReadingSettings,
    decimal: str | None,
    *,
    target: str | None,
    time: str | None,
) -> Hints:
    levels = settings.levels.get(name)
    return Hints(
        decimal=decimal,
        is_decimal_set=settings.is_decimal_set,
        day_first="," in (settings.decimal, decimal),
        missing_words=settings.words_of(name),
        date_format=settings.date_formats.get(name),
        allow_year=name == time,
        is_target=name in (target, time),
        keeps_identifier=name in settings.kept,
        levels=None if levels is None else tuple(spellings.text_of(level) for level in levels),
    )


def _read_column(
    series: Any,
    name: str,
    kind: str,
    hints: Hints,
    settings: ReadingSettings,
    texts: DistinctTexts | Texts | None,
    target: str | None,
) -> ColumnReading:
    forced = settings.types.get(name)
    if kind != "text" and not _is_read_from_texts(series, kind, hints, forced):
        return _of_dtype(name, series, kind, hints, forced)
    if texts is None:
        texts = _texts(name, series, is_target=name == target)
    if isinstance(texts, DistinctTexts):
        reading = decide_many(texts, hints) if kind == "text" and forced is None else None
        if reading is not None:
            return reading
        texts = texts.to_texts()
    if kind == "category" and forced is None and hints.levels is None:
        reading = decide_text(texts, hints)
        # that it is no column of numbers is what its dtype says
        reading.reported = [
            item for item in reading.reported if not item["code"].startswith("looks_like_")
        ]
        return reading
    reading = decide(texts, hints, forced)
    if kind == "number" and forced is None and reading.type == "number":
        # looked at as dates or codes, and none: its dtype knows the numbers exactly
        return _of_dtype(name, series, kind, hints, forced)
    return reading


def _decimal(signs: Iterable[str | None], settings: ReadingSettings) -> str | None:
    """Return the decimal separator that a person has named, or most columns of texts show, else that of the file."""
    if settings.is_decimal_set:
        return settings.decimal
    votes = Counter(sign for sign in signs if sign is not None)
    return max(votes, key=lambda s: (votes[s], s == settings.decimal), default=settings.decimal)


def left_out(readings: Mapping[str, ColumnReading]) -> list[str]:
    """Return the names of the columns that hold nothing to learn from."""
    return [name for name, reading in readings.items() if reading.type in LEFT_OUT]


def _kind(series: Any) -> str:
    """Return what a column is by its dtype, or by that of its objects; `text` where texts decide."""
    dtype, types = series.dtype, pd.api.types
    if isinstance(dtype, pd.CategoricalDtype):
        return "ordinal" if dtype.ordered else "category"
    if types.is_object_dtype(dtype):
        return _OBJECTS.get(types.infer_dtype(series, skipna=True), "text")
    if types.is_bool_dtype(dtype):
        return "boolean"
    if types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype):
        return "number"
    if types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        return "date"
    if types.is_timedelta64_dtype(dtype) or getattr(dtype, "kind", "") == "m":
        return "duration"
    return "text"


def _is_read_from_texts(series: Any, kind: str, hints: Hints, forced: str | None) -> bool:
    """Return whether the values of a column that is no text are read as texts, for another type than its own."""
    if kind == "category" or hints.levels is not None:
        return True
    if hints.date_format is not None and kind != "date":
        return True
    if forced is not None:
        return forced not in _SAME[kind]
    if kind != "number":
        return False
    numbers = series[~series.isna()]
    if _has_large_integers(numbers):
        return True
    if pd.api.types.is_object_dtype(series.dtype):
        return False
    values = numbers.to_numpy(dtype="float64")
    return _share(values, 15_000_101, 22_991_231) >= 0.95 or (
        hints.allow_year and _share(values, 1500, 2299) >= 0.95
    )


def _has_large_integers(numbers: Any) -> bool:
    """Return whether there are integers that have no exact float: they are codes."""
    is_object = pd.api.types.is_object_dtype(numbers.dtype)
    if is_object and pd.api.types.infer_dtype(numbers) != "integer":
        return False
    if not len(numbers) or not (is_object or pd.api.types.is_integer_dtype(numbers.dtype)):
        return False
    return max(int(numbers.max()), -int(numbers.min())) > spellings.LARGEST_INTEGER


def _share(values: Any, lowest: int, highest: int) -> float:
    """Return the share of whole numbers within bounds; they may be dates such as `20230102`, or years."""
    if not len(values):
        return 0.0
    return float(((values >= lowest) & (values <= highest) & (np.floor(values) == values)).mean())


def _texts(name: str, series: Any, *, is_target: bool) -> DistinctTexts | Texts:
    """Return the distinct texts of a column of any dtype; `is_target` : with blanks as well, as labels have them."""
    found = distinct_texts(name, series, is_target=is_target)
    if found is not None:
        return found
    gone = series.isna().to_numpy(dtype=bool)
    n_null = int(gone.sum())
    codes, distinct = _factorized(series, gone)
    occurs = np.bincount(codes[codes >= 0], minlength=len(distinct)).tolist()
    rows = _first_rows(codes, len(distinct)).tolist()
    short = [spellings.trimmed(text) for text in distinct]
    if short == distinct:
        counts, first = (dict(zip(distinct, numbers, strict=True)) for numbers in (occurs, rows))
        return Texts(name, counts, len(gone), first, n_null)
    counts, first, n_trimmed = {}, {}, 0
    for text, trimmed, count, row in zip(distinct, short, occurs, rows, strict=True):
        counts[trimmed] = counts.get(trimmed, 0) + count
        first[trimmed] = min(first.get(trimmed, row), row)
        if text != trimmed and trimmed:
            n_trimmed += count
    labels = dict(zip(distinct, occurs, strict=True)) if is_target and n_trimmed else None
    return Texts(name, counts, len(gone), first, n_null, n_trimmed, labels)


def _factorized(series: Any, gone: Any) -> tuple[Any, list[str]]:
    """Return the place of each cell in the distinct texts of a column, -1 where `gone`, and these texts."""
    dtype, types = series.dtype, pd.api.types
    if types.is_object_dtype(dtype):
        is_simple = types.infer_dtype(series, skipna=True) == "string"
    else:
        is_simple = types.is_string_dtype(dtype) or (
            isinstance(dtype, np.dtype) and dtype.kind in "iuf"
        )
    if not is_simple:
        # 1, True and 1.0 are the same key of a dictionary, and other texts; a list is no key
        values = series.to_numpy(dtype=object)
        texts = np.full(len(values), None, dtype=object)
        texts[~gone] = [spellings.text_of(value) for value in values[~gone]]
        codes, distinct = pd.factorize(texts, use_na_sentinel=True)
        return codes, list(distinct)
    codes, distinct = pd.factorize(series, use_na_sentinel=True)
    texts_of_codes = [spellings.text_of(value) for value in np.asarray(distinct, dtype=object)]
    if len(set(texts_of_codes)) < len(
        texts_of_codes
    ):  # 1e22 and a float next to it may have one text
        places, distinct = pd.factorize(np.array(texts_of_codes, dtype=object))
        codes = np.where(codes >= 0, places[codes], -1)
        return codes, list(distinct)
    return codes, texts_of_codes


def _first_rows(codes: Any, n_distinct: int) -> Any:
    rows = np.full(n_distinct, len(codes), dtype="int64")
    known = codes >= 0
    np.minimum.at(rows, codes[known], np.flatnonzero(known))
    return rows


def _of_dtype(name: str, series: Any, kind: str, hints: Hints, forced: str | None) -> ColumnReading:
    """Return the reading of a column whose dtype says what it is."""
    is_null = series.isna()
    known = series[~is_null]
    reading = ColumnReading(name, kind, values=len(known), missing=int(is_null.sum()))
    reading.recognised_as = _WORDS.get(kind, kind)
    known = _without_words(reading, known, hints)
    if kind == "ordinal":
        reading.spelling = {"levels": [_plain(level) for level in series.dtype.categories]}
    elif kind == "boolean":
        reading.spelling = {"true": "true", "false": "false"}
    elif kind == "date":
        _read_dates(reading, known, hints)
    elif kind == "number":
        known = _finite(reading, known)
        reading.spelling = {"decimal": ".", "thousands": None}
    reading.distinct = int(known.nunique())
    if forced is not None:
        reading.type, reading.set_by_person = forced, True
        reading.recognised_as = "set by a person"
    elif not reading.values:
        reading.type, reading.recognised_as = "empty", "no cell has a value"
    elif hints.is_target:
        pass
    elif reading.distinct == 1:
        reading.type, reading.recognised_as = "constant", "one value"
    elif reading.type == "number" and not hints.keeps_identifier:
        _find_identifier(reading, known, len(series))
    return reading


def _without_words(reading: ColumnReading, known: Any, hints: Hints) -> Any:
    """Return the values that are no words for missing values; of numbers some may be: `-9`."""
    if not hints.missing_words or reading.type == "date":
        return known
    words = {spellings.trimmed(word) for word in hints.missing_words}
    texts = known.map(spellings.text_of)
    is_word = texts.isin(words).to_numpy(dtype=bool)
    n_words = int(is_word.sum())
    if n_words:
        reading.values -= n_words
        reading.missing += n_words
        reading.missing_words = {str(t): int(n) for t, n in texts[is_word].value_counts().items()}
        named = ", ".join(f"“{word}” ({count:,})" for word, count in reading.missing_words.items())
        reading.report("missing_words", f"{reading.name}: read as missing: {named}.", n_words)
    return known[~is_word]


def _finite(reading: ColumnReading, known: Any) -> Any:
    """Return the numbers that are finite; the others are counted as missing."""
    numbers = pd.to_numeric(known, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    is_finite = np.isfinite(numbers)
    infinite = int((~is_finite).sum())
    if infinite:
        reading.values -= infinite
        reading.missing += infinite
        reading.report(
            "infinite_to_missing",
            f"{reading.name}: {infinite:,} infinite numbers are read as missing.",
            infinite,
        )
    return known[is_finite]


def _find_identifier(reading: ColumnReading, known: Any, n_rows: int) -> None:
    if reading.distinct < reading.values:
        return
    numbers = pd.to_numeric(known).to_numpy(dtype="float64")
    if (numbers % 1).any():
        return
    if is_row_number(reading.name, set(numbers.tolist()), n_rows, n_values=reading.values):
        reading.type, reading.recognised_as = "identifier", "row numbers, or an id for each row"


def _read_dates(reading: ColumnReading, known: Any, hints: Hints) -> None:
    offsets = _offsets_of(known)
    reading.spelling = {"day_first": hints.day_first, "offset": None}
    if len(offsets) == 1:
        (reading.spelling["offset"],) = offsets
        if offsets[0]:
            reading.report(
                "offset",
                f"{reading.name}: local times; the offset {offset_text(offsets[0])} is kept.",
            )
    elif offsets:
        reading.spelling["offset"] = 0
        shown = ", ".join(map(offset_text, offsets[:3]))
        reading.report(
            "offsets",
            f"{reading.name}: times with several offsets ({shown}) are converted to UTC.",
        )


def _offsets_of(known: Any) -> list[int]:
    """Return the different offsets from UTC in minutes, sorted; none for times without a zone."""
    if isinstance(known.dtype, pd.PeriodDtype) or not len(known):
        return []
    times = pd.DatetimeIndex(known)
    if times.tz is None:
        return []
    wall = times.tz_localize(None) - times.tz_convert("UTC").tz_localize(None)
    return sorted({round(offset.total_seconds() / 60) for offset in wall.unique()})


def _plain(value: Any) -> Any:
    """Return a level as it stands in JSON: a text, number or boolean."""
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, (str, bool, int, float)) else spellings.text_of(value)


def file_settings(data: DataSpec) -> ReadingSettings:
    """Return what a file says of its columns: the decimal separator of its dialect, or a comma beside `;`."""
    dialect = data.options.get("dialect") or {}
    given = (data.options.get("dialect_fields") or {}).get("decimal")
    delimiter = dialect.get("delimiter") or data.options.get("delimiter")
    decimal = given or decimal_of_file(dialect.get("decimal"), delimiter)
    return ReadingSettings(decimal=decimal, is_decimal_set=given is not None)
