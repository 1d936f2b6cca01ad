"""Prepare the user's table: decide for each column how the engine reads it.

The decisions become the parameters of an `InputFrame`, the first step of the final pipeline, so that
training and serving cannot differ.
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

#: number of distinct values from which a text column is reported as identifier or high-cardinality
_MANY_VALUES = 50
_MAX_NAMES_SHOWN = 20
#: texts that mean a missing number in a column of numbers
_MISSING_TEXTS = frozenset({"", "?", "-", "--", ".", "na", "n/a", "nan", "null", "none", "missing"})


@dataclass(slots=True)
class Table:
    """The rows and columns that are used, and how the columns are read.

    `raw` : DataFrame of shape (n_rows, n_columns) with unique string names, index 0 … n_rows - 1 and
    unchanged values and dtypes; `columns` : the parameter of `InputFrame`; `types` : column → the type
    that a JSON client sends.
    """

    raw: Frame
    columns: list[JSON]
    types: dict[str, str]

    @property
    def step(self) -> portable.InputFrame:
        """A new transformer from raw to engine columns."""
        return portable.InputFrame(self.columns)


def quote_names(names: Any) -> str:
    """Return `names` quoted for a message, the first 20 of them."""
    shown = [f"“{name}”" for name in list(names)[:_MAX_NAMES_SHOWN]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def with_unique_names(frame: Frame, reporter: EventReporter) -> Frame:
    """Return `frame` with unique string names and index 0 … n_rows - 1; the original is not changed.

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
    """Return the name of the target column in a result of `with_unique_names`.

    Raises `PlanFailed` when there is no such column.
    """
    if target is None:
        raise PlanFailed("user", "No target is given; name the column to predict.")
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
    """Decide how to read each feature column of `frame`, a result of `with_unique_names` without target.

    `ignore` : columns to leave out; `reserved` : names that engine columns must not have. Raises
    `PlanFailed` when nothing is left to learn from.
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
        reader.read(name, frame[name])
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
    """How a column is read; `kind` is None for one without a value."""

    kind: str | None
    json_type: str = "string"
    form: str | None = None
    blanks: list[str] = field(default_factory=list)


class _FeatureReader:
    """Collects the decisions about all columns, and reports them."""

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

    def read(self, name: str, series: Column) -> None:
        """Decide how to read one column, Series of shape (n_rows,) of any dtype."""
        reading = self._kind(name, series)
        kind = reading.kind
        if kind is None:
            self._empty.append(name)
            return
        column: JSON = {
            "name": name,
            "safe": self._safe_name(name),
            "kind": kind,
            "form": reading.form,
            "parts": [],
            "blanks": reading.blanks,
        }
        if reading.blanks:
            self._blanks[name] = reading.blanks
        if kind == "number":
            self._number(name, series, reading)
        elif kind == "text":
            self._text(name, series)
        elif kind == "date":
            column["parts"] = _varying_parts(portable.read_dates(series, reading.form))
            self._dates[name] = {"form": reading.form, "parts": column["parts"]}
        else:
            self._durations.append(name)
        self.columns.append(column)
        self.types[name] = reading.json_type

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
            # a column of only ±inf has no usable value
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
        inferred = pd.api.types.infer_dtype(known, skipna=True)
        plain_kinds = {
            "boolean": ("number", "boolean"),
            "integer": ("number", "integer"),
            "floating": ("number", "number"),
            "mixed-integer-float": ("number", "number"),
            "decimal": ("number", "number"),
            "timedelta": ("duration", "number"),
            "timedelta64": ("duration", "number"),
        }
        if inferred in plain_kinds:
            return _ColumnReading(*plain_kinds[inferred])
        if inferred in {"datetime", "datetime64", "date"}:
            return _ColumnReading("date", "datetime", "ISO8601")
        if inferred == "string":
            return _read_text_column(pd.unique(known).tolist())
        if any(isinstance(v, (list, tuple, dict, set, np.ndarray)) for v in known):
            self._nested.append(name)
        else:
            self._mixed.append(name)
        return _ColumnReading("text")

    def _safe_name(self, name: str) -> str:
        # xgboost refuses [ ] <; lightgbm refuses the special characters of JSON and turns blanks into _
        safe = re.sub(r"[^\w.\-]+", "_", name) or "column"
        if safe != re.sub(r"\s", "_", name):
            self._special.append(name)
        base, number = safe, 2
        while safe in self._taken:
            safe, number = f"{base}_{number}", number + 1
        self._taken.add(safe)
        # a date becomes several columns, whose names must be unique as well
        self._taken.update(f"{safe}_{part}" for part in portable.DATE_PARTS)
        return safe

    def _number(self, name: str, series: Column, reading: _ColumnReading) -> None:
        if reading.json_type == "number":
            numbers = pd.to_numeric(series, errors="coerce").to_numpy(
                dtype="float64", na_value=np.nan
            )
            infinite = int(np.isinf(numbers).sum())
            if infinite:
                self._infinite[name] = infinite
        elif reading.json_type == "integer" and len(series) >= _MANY_VALUES:
            steps = np.diff(portable.read_numbers(series))
            if (steps == 1).all() or ("id" in _name_parts(name) and series.is_unique):
                self._identifiers.append(name)

    def _text(self, name: str, series: Column) -> None:
        values = portable.read_text(series)
        n_distinct, n_rows = len(pd.unique(values)), len(values)
        if n_rows >= _MANY_VALUES and n_distinct >= 0.95 * n_rows:
            self._identifiers.append(name)
        elif n_distinct >= _MANY_VALUES:
            self._many[name] = n_distinct

    def report(self) -> None:
        """Report the decisions, one event for each kind of change."""
        report_change = self._reporter.report_data_change
        if self._empty:
            report_change(
                "empty_columns_dropped",
                f"Left out because they hold no value: {quote_names(self._empty)}.",
                self._empty,
            )
        if self._infinite:
            report_change(
                "infinite_to_missing",
                f"Infinite numbers are read as missing: {quote_names(list(self._infinite))}.",
                self._infinite,
                values=self._infinite,
            )
        if self._blanks:
            report_change(
                "blanks_to_missing",
                "Read as numbers; texts such as "
                f"{quote_names(sorted(set().union(*self._blanks.values())))} are read as missing: "
                f"{quote_names(list(self._blanks))}.",
                self._blanks,
                blanks=self._blanks,
            )
        if self._mixed:
            report_change(
                "mixed_to_text",
                f"Mixed numbers and texts are read as text: {quote_names(self._mixed)}.",
                self._mixed,
            )
        if self._nested:
            report_change(
                "nested_to_text",
                f"Lists and objects are read as text: {quote_names(self._nested)}.",
                self._nested,
            )
        if self._dates:
            report_change(
                "dates_expanded",
                f"Dates are read as numbers (year, month, day, …): {quote_names(list(self._dates))}.",
                self._dates,
                dates=self._dates,
            )
        if self._durations:
            report_change(
                "durations_to_seconds",
                f"Durations are read as seconds: {quote_names(self._durations)}.",
                self._durations,
            )
        if self._special:
            report_change(
                "names_made_safe",
                "Special characters in names are replaced for the models; you keep using your "
                f"own names: {quote_names(self._special)}.",
                self._special,
            )
        if self._identifiers:
            report_change(
                "identifier_kept",
                f"These look like identifiers and are kept: {quote_names(self._identifiers)}; name "
                "them in ignore_features to leave them out.",
                self._identifiers,
            )
        if self._many:
            report_change(
                "many_categories_kept",
                f"Text columns with many different values are kept: {quote_names(list(self._many))}.",
                self._many,
                categories=self._many,
            )


def _read_text_column(texts: list[str]) -> _ColumnReading:
    """Return how a text column is read, from its distinct values without missing ones."""
    date_format = dates.detect_format(texts)
    if date_format is not None:
        return _ColumnReading("date", "datetime", date_format)
    blanks = [text for text in texts if text.strip().lower() in _MISSING_TEXTS]
    # numbers written as text without blanks are the user's choice; with "?" in a CSV, the blank
    # made them text
    if blanks and len(blanks) < len(texts):
        numbers = pd.to_numeric(
            pd.Series([text for text in texts if text not in blanks], dtype="str"),
            errors="coerce",
        )
        if np.isfinite(numbers.to_numpy(dtype="float64")).all():
            return _ColumnReading("number", "number", blanks=blanks)
    return _ColumnReading("text")


def _varying_parts(dates_: Any) -> list[str]:
    # a part that never varies (hour of plain days) has no information; the day count is kept, so that
    # a constant date still gives a column
    return [
        part
        for part in portable.DATE_PARTS
        if part == "days" or len(np.unique(portable.date_part(dates_.dropna(), part))) > 1
    ]


def _name_parts(name: str) -> set[str]:
    return set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()))
