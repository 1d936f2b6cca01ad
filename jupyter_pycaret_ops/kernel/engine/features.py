"""Prepare the user's frame: decide, column by column, how the engine shall see it.

The decisions end up in an `InputFrame` at the head of the final pipeline, so that training and
serving cannot differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.protocol import JSON

from . import dates, portable
from .event_reporter import EventReporter
from .interfaces import Column, Frame, PlanFailed

#: from here on a text column is told to be an identifier or of many values
_MANY_VALUES = 50
_MAX_NAMES_SHOWN = 20
#: texts that stand for a missing number in a column of numbers
_MISSING_TEXTS = frozenset({"", "?", "-", "--", ".", "na", "n/a", "nan", "null", "none", "missing"})


@dataclass(slots=True)
class Table:
    """The user's rows that are used, and how their columns are read.

    `raw` holds the features under unique string names, index 0..n-1, values untouched;
    `columns` is the parameter of `InputFrame`; `types` what a JSON client sends for each.
    """

    raw: Frame
    columns: list[JSON]
    types: dict[str, str]

    @property
    def step(self) -> portable.InputFrame:
        """The transformer from raw to engine columns."""
        return portable.InputFrame(self.columns)


def quote_names(names: Any) -> str:
    """`names` for a message: quoted, and not more than one can read."""
    shown = [f"“{name}”" for name in list(names)[:_MAX_NAMES_SHOWN]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def named(frame: Frame, reporter: EventReporter) -> Frame:
    """`frame` with unique string names and the index 0..n-1; the caller's frame is not touched.

    Raises `PlanFailed` when there are no columns or rows.
    """
    if not isinstance(frame, pd.DataFrame):
        raise PlanFailed("user", "The data are not a table; give a DataFrame with named columns.")
    if not frame.shape[1] or not frame.shape[0]:
        raise PlanFailed("user", "The data are empty; give a table with rows and columns.")
    names = portable.unique_names(frame.columns)
    given = list(frame.columns)
    renamed = [n for n, g in zip(names, given, strict=True) if not isinstance(g, str) or g != n]
    result = frame.set_axis(names, axis=1)
    result = result.reset_index(drop=True)
    if renamed:
        reporter.report_data_change(
            "columns_renamed",
            f"Column names were made unique texts: {quote_names(renamed)}.",
            renamed,
        )
    return result


def find_target(frame: Frame, target: str | None) -> str:
    """The target's name in a frame that went through `named`."""
    if target is None:
        raise PlanFailed("user", "No target is given; name the column that shall be predicted.")
    if str(target) not in frame.columns:
        raise PlanFailed(
            "user",
            f"The target “{target}” is not a column of the data; it has: "
            f"{quote_names(list(frame.columns))}.",
        )
    return str(target)


def read_features(
    frame: Frame, ignore: list[str], reserved: set[str], reporter: EventReporter
) -> Table:
    """Look at every feature column of `frame` (named, without the target).

    `ignore` are columns to leave out, `reserved` names that the engine's columns must not take.
    Raises `PlanFailed` when nothing is left to learn from.
    """
    unknown = [name for name in ignore if name not in frame.columns]
    if unknown:
        raise PlanFailed(
            "user",
            f"ignore_features names {quote_names(unknown)}, which the data do not have; they have: "
            f"{quote_names(list(frame.columns))}.",
        )
    if ignore:
        frame = frame.drop(columns=ignore)
        reporter.report_data_change(
            "columns_ignored", f"Left out as asked: {quote_names(ignore)}.", ignore
        )
    reader = _FeatureReader(reporter, set(reserved))
    for name in frame.columns:
        reader.look(name, frame[name])
    reader.report()
    if not reader.columns:
        raise PlanFailed(
            "user",
            "No column is left to learn from: besides the target, every column is missing or "
            "empty; add columns with values.",
        )
    used = [column["name"] for column in reader.columns]
    return Table(raw=frame[used], columns=reader.columns, types=reader.types)


@dataclass(slots=True)
class _ColumnReading:
    """What a column turned out to be; `kind` is None for one without a value."""

    kind: str | None
    json_type: str = "string"
    form: str | None = None
    blanks: list[str] = field(default_factory=list)


class _FeatureReader:
    """Gathers the decisions, and what is to be told about them, over all columns."""

    def __init__(self, reporter: EventReporter, taken: set[str]) -> None:
        self.columns: list[JSON] = []
        self.types: dict[str, str] = {}
        self._reporter = reporter
        self._taken = taken
        self._empty: list[str] = []
        self._infinite: dict[str, int] = {}
        self._mixed: list[str] = []
        self._blanks: dict[str, list[str]] = {}
        self._nested: list[str] = []
        self._dates: dict[str, JSON] = {}
        self._durations: list[str] = []
        self._special: list[str] = []
        self._identifiers: list[str] = []
        self._many: dict[str, int] = {}

    def look(self, name: str, series: Column) -> None:
        """Decide about one column."""
        seen = self._kind(name, series)
        kind = seen.kind
        if kind is None:
            self._empty.append(name)
            return
        column: JSON = {
            "name": name,
            "safe": self._safe(name),
            "kind": kind,
            "form": seen.form,
            "parts": [],
            "blanks": seen.blanks,
        }
        if seen.blanks:
            self._blanks[name] = seen.blanks
        if kind == "number":
            self._number(name, series, seen)
        elif kind == "text":
            self._text(name, series)
        elif kind == "date":
            column["parts"] = _varying_parts(portable.read_dates(series, seen.form))
            self._dates[name] = {"form": seen.form, "parts": column["parts"]}
        else:
            self._durations.append(name)
        self.columns.append(column)
        self.types[name] = seen.json_type

    def _kind(self, name: str, series: Column) -> _ColumnReading:
        dtype = series.dtype
        types = pd.api.types
        if series.isna().all():
            return _ColumnReading(None)
        if isinstance(dtype, pd.CategoricalDtype):
            return _ColumnReading("text")
        if types.is_bool_dtype(dtype):
            return _ColumnReading("number", "boolean")
        if types.is_complex_dtype(dtype):
            raise PlanFailed(
                "user",
                f"Column “{name}” holds complex numbers; split it into real columns or leave it "
                "out.",
            )
        if types.is_integer_dtype(dtype):
            return _ColumnReading("number", "integer")
        if types.is_numeric_dtype(dtype):
            # nothing but infinities is nothing
            is_known = np.isfinite(portable.read_numbers(series)).any()
            return _ColumnReading("number" if is_known else None, "number")
        if types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
            return _ColumnReading("date", "datetime")
        if types.is_timedelta64_dtype(dtype):
            return _ColumnReading("duration", "number")
        return self._kind_of_objects(name, series)

    def _kind_of_objects(self, name: str, series: Column) -> _ColumnReading:
        values = series.to_numpy(dtype=object)
        known = values[~portable.is_missing(values)]
        found = pd.api.types.infer_dtype(known, skipna=True)
        plain_kinds = {
            "boolean": ("number", "boolean"),
            "integer": ("number", "integer"),
            "floating": ("number", "number"),
            "mixed-integer-float": ("number", "number"),
            "decimal": ("number", "number"),
            "timedelta": ("duration", "number"),
            "timedelta64": ("duration", "number"),
        }
        if found in plain_kinds:
            return _ColumnReading(*plain_kinds[found])
        if found in {"datetime", "datetime64", "date"}:
            return _ColumnReading("date", "datetime", "ISO8601")
        if found == "string":
            return _read_texts_kind(pd.unique(known).tolist())
        if any(isinstance(v, (list, tuple, dict, set, np.ndarray)) for v in known):
            self._nested.append(name)
        else:
            self._mixed.append(name)
        return _ColumnReading("text")

    def _safe(self, name: str) -> str:
        # xgboost refuses [ ] <, lightgbm all of JSON's own characters and reads blanks as _
        safe = re.sub(r"[^\w.\-]+", "_", name) or "column"
        if safe != re.sub(r"\s", "_", name):
            self._special.append(name)
        base, number = safe, 2
        while safe in self._taken:
            safe, number = f"{base}_{number}", number + 1
        self._taken.add(safe)
        # a date becomes several columns, whose names must be free as well
        self._taken.update(f"{safe}_{part}" for part in portable.DATE_PARTS)
        return safe

    def _number(self, name: str, series: Column, seen: _ColumnReading) -> None:
        if seen.json_type == "number":
            numbers = pd.to_numeric(series, errors="coerce").to_numpy(
                dtype="float64", na_value=np.nan
            )
            infinite = int(np.isinf(numbers).sum())
            if infinite:
                self._infinite[name] = infinite
        elif seen.json_type == "integer" and len(series) >= _MANY_VALUES:
            steps = np.diff(portable.read_numbers(series))
            if (steps == 1).all() or ("id" in _words(name) and series.is_unique):
                self._identifiers.append(name)

    def _text(self, name: str, series: Column) -> None:
        values = portable.read_text(series)
        different, rows = len(pd.unique(values)), len(values)
        if rows >= _MANY_VALUES and different >= 0.95 * rows:
            self._identifiers.append(name)
        elif different >= _MANY_VALUES:
            self._many[name] = different

    def report(self) -> None:
        """Report what was decided, one event for each sort of change."""
        tell = self._reporter.report_data_change
        if self._empty:
            tell(
                "empty_columns_dropped",
                f"Left out because they hold no value: {quote_names(self._empty)}.",
                self._empty,
            )
        if self._infinite:
            tell(
                "infinite_to_missing",
                f"Infinite numbers are taken as missing: {quote_names(list(self._infinite))}.",
                self._infinite,
                values=self._infinite,
            )
        if self._blanks:
            tell(
                "blanks_to_missing",
                "Read as numbers; texts such as "
                f"{quote_names(sorted(set().union(*self._blanks.values())))} are taken as missing: "
                f"{quote_names(list(self._blanks))}.",
                self._blanks,
                blanks=self._blanks,
            )
        if self._mixed:
            tell(
                "mixed_to_text",
                f"Numbers and texts are mixed, all values are read as text: {quote_names(self._mixed)}.",
                self._mixed,
            )
        if self._nested:
            tell(
                "nested_to_text",
                f"Lists and objects are read as text: {quote_names(self._nested)}.",
                self._nested,
            )
        if self._dates:
            tell(
                "dates_expanded",
                f"Dates are read as numbers (year, month, day, …): {quote_names(list(self._dates))}.",
                self._dates,
                dates=self._dates,
            )
        if self._durations:
            tell(
                "durations_to_seconds",
                f"Durations are read as seconds: {quote_names(self._durations)}.",
                self._durations,
            )
        if self._special:
            tell(
                "names_made_safe",
                "Special characters in names are replaced for the models; you keep using your "
                f"own names: {quote_names(self._special)}.",
                self._special,
            )
        if self._identifiers:
            tell(
                "identifier_kept",
                f"These look like identifiers and are kept: {quote_names(self._identifiers)}; name "
                "them in ignore_features to leave them out.",
                self._identifiers,
            )
        if self._many:
            tell(
                "many_categories_kept",
                f"Text columns with many different values are kept: {quote_names(list(self._many))}.",
                self._many,
                categories=self._many,
            )


def _read_texts_kind(texts: list[str]) -> _ColumnReading:
    """What the different values of a text column are."""
    form = dates.detect_format(texts)
    if form is not None:
        return _ColumnReading("date", "datetime", form)
    blanks = [text for text in texts if text.strip().lower() in _MISSING_TEXTS]
    # numbers written as text without a gap are what the user chose to send; with "?" in a CSV
    # it is the gap that made them text
    if blanks and len(blanks) < len(texts):
        numbers = pd.to_numeric(
            pd.Series([text for text in texts if text not in blanks], dtype="str"),
            errors="coerce",
        )
        if np.isfinite(numbers.to_numpy(dtype="float64")).all():
            return _ColumnReading("number", "number", blanks=blanks)
    return _ColumnReading("text")


def _varying_parts(dates_: Any) -> list[str]:
    # a part that never changes (hour of plain days) teaches nothing; the day count stays, so that
    # a column of one date is not empty
    return [
        part
        for part in portable.DATE_PARTS
        if part == "days" or len(np.unique(portable.date_part(dates_.dropna(), part))) > 1
    ]


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()))
